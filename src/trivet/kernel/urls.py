"""URLs as they may be shown: what opens a back end is nobody's business but its own."""

import re

_PASSWORD = re.compile(r"(?<=://)([^/?#]*?)(:[^/?#]*)?@(?=[^@/?#]*(?:[/?#]|$))")
_OPTION = re.compile(r"(?<=[?&])([^=&#]*)=([^&#]*)")
_SECRET = re.compile(
    r"password|passwd|passphrase|secret|token|credential|signature|access_?key|api_?key|sas",
    re.IGNORECASE,
)
_HIDDEN = "***"


def without_secrets(url: str) -> str:
    """Return a URL with its password, and each option that opens something, as `***`.

    It need not be a URL: what has neither is returned as it is.

    Example:
        >>> without_secrets("postgresql://anna:hunter2@db/trivet?sslmode=require")
        'postgresql://anna:***@db/trivet?sslmode=require'
    """

    def hide_password(found: re.Match[str]) -> str:
        return f"{found[1]}:{_HIDDEN}@" if found[2] else found[0]

    def hide_option(found: re.Match[str]) -> str:
        return f"{found[1]}={_HIDDEN}" if _SECRET.search(found[1]) else found[0]

    return _OPTION.sub(hide_option, _PASSWORD.sub(hide_password, url))
