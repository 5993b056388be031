"""Where the page of a ref is."""

from urllib.parse import quote, urlencode

from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Kind, Ref

_FOLDERS = {
    Kind.EXPERIMENT: "/experiments",
    Kind.RUN: "/runs",
    Kind.MODEL: "/models",
    Kind.DEPLOYMENT: "/deployments",
    Kind.ALERT: "/alerts",
    Kind.EVIDENCE: "/evidence",
}
_VERSIONED = {Kind.DATASET: ("/data", "at"), Kind.FEATURES: ("/features", "version")}


def address_of(ref: str) -> str:
    """Return the path of the page that shows what `ref` names.

    Raises:
        InvalidInput: The text is no ref.
    """
    found = Ref.parse(ref)
    name = quote(found.name)
    if found.kind is Kind.MODEL and found.version is not None:
        return f"/models/{name}/versions/{quote(found.version)}"
    if found.kind in _VERSIONED:
        folder, field = _VERSIONED[found.kind]
        return f"{folder}/{name}" + _query(field, found.version)
    if found.kind in _FOLDERS:
        return f"{_FOLDERS[found.kind]}/{name}"
    return f"/ref/{quote(ref)}"


def find_address(text: str) -> str | None:
    """Return the page of a text if it is a ref, or None."""
    try:
        return address_of(text)
    except InvalidInput:
        return None


def _query(field: str, value: str | None) -> str:
    return "" if value is None else f"?{urlencode({field: value})}"
