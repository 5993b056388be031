"""Errors of the online store."""

from trivet.kernel.errors import InvalidInput, Unavailable


class UnknownOnlineStore(InvalidInput):
    """No installed back end serves this URL scheme."""

    def __init__(self, scheme: str, installed: tuple[str, ...]) -> None:
        super().__init__(scheme, installed)
        self.scheme = scheme
        self.installed = installed

    def __str__(self) -> str:
        return (
            f"No online store serves the scheme {self.scheme!r}; "
            f"installed are {', '.join(self.installed)}."
        )


class OnlineStoreUnavailable(Unavailable):
    """The online store did not answer."""

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(url, detail)
        self.url = url
        self.detail = detail

    def __str__(self) -> str:
        return f"The online store {self.url!r} did not answer: {self.detail}. Try again."
