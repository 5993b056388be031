"""What is installed only with an extra of the package, and what to say where it is not."""

from collections.abc import Iterator
from contextlib import contextmanager

from trivet.kernel.errors import InvalidInput


class ExtraMissing(InvalidInput, ImportError):
    """Something needs a package that comes with an extra which is not installed.

    It is an ImportError too, for code that tries an import and does without.
    """

    def __init__(self, package: str, extra: str, what: str) -> None:
        super().__init__(package, extra, what)
        self.package = package
        self.extra = extra
        self.what = what

    def __str__(self) -> str:
        return (
            f"{self.what} needs the package {self.package!r}, which is not installed: "
            f"pip install 'trivet[{self.extra}]'."
        )


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Import in this block what comes with the extra `name`; `what`, which needs it, is told.

    Raises:
        ExtraMissing: A package that is imported in the block is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == __name__.partition(".")[0]:
            raise  # A module of ours is not there, which no extra would bring.
        raise ExtraMissing(package, name, what) from error
