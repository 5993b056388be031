"""Where the page of a ref is."""

from urllib.parse import quote, urlencode

from trivet.kernel.refs import Kind, Ref


def address_of(ref: str) -> str:
    """Return the path of the page that shows what `ref` names."""
    found = Ref.parse(ref)
    name = quote(found.name)
    match found.kind:
        case Kind.DATASET:
            return f"/data/{name}" + _query(at=found.version)
        case Kind.FEATURES:
            return f"/features/{name}" + _query(version=found.version)
        case Kind.EXPERIMENT:
            return f"/experiments/{name}"
        case Kind.RUN:
            return f"/runs/{name}"
        case Kind.PIPELINE:
            return f"/pipelines/{name}"
        case Kind.MODEL:
            return f"/models/{name}" + (f"/versions/{quote(found.version)}" if found.version else "")
        case Kind.DEPLOYMENT:
            return f"/deployments/{name}"
        case Kind.ALERT:
            return f"/alerts/{name}"
        case Kind.EVIDENCE:
            return f"/evidence/{name}"
        case _:
            return f"/ref/{quote(ref)}"


def find_address(text: str) -> str | None:
    """Return the page of a text if it is a ref, or None."""
    try:
        return address_of(text)
    except Exception:  # noqa: BLE001
        return None


def _query(**given: str | None) -> str:
    kept = {name: value for name, value in given.items() if value is not None}
    return f"?{urlencode(kept)}" if kept else ""
