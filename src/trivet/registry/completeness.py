"""What a model version must be made of, and the digests that name it."""

from trivet.kernel.digests import Digest, digest_json
from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Kind, Ref
from trivet.registry.errors import IncompleteVersion
from trivet.registry.json_form import content_to_json
from trivet.registry.records import NewVersion

PARTS = ("run", "datasets", "features", "code", "environment", "seed", "golden", "reference")
"""Parts a version may lack only if it says so. The model itself it may never lack."""

_FILE_OF_PART = {"golden": "golden.arrow", "reference": "reference.json"}
_NOT_IDENTITY = ("run", "metrics", "evidence", "description")


def check_complete(model: str, content: NewVersion) -> None:
    """Raise unless the content has every part or names it in `missing`.

    Raises:
        IncompleteVersion: Parts are absent and undeclared.
        InvalidInput: `missing` names what is there, or no part at all; or a ref is malformed.
    """
    absent = _absent_parts(content)
    for part in content.missing:
        if part not in PARTS:
            raise InvalidInput(f"{part!r} is no part; the parts are {', '.join(PARTS)}.")
        if part not in absent:
            raise InvalidInput(f"The part {part!r} is declared missing, but it is there.")
    undeclared = [part for part in absent if part not in content.missing]
    model_file = f"model.{content.format}"
    if model_file not in content.artifacts:
        undeclared.insert(0, model_file)
    if undeclared:
        raise IncompleteVersion(model, tuple(undeclared))
    if not content.signature.inputs or not content.signature.outputs:
        raise InvalidInput("A signature names at least one input and one output.")
    _check_refs(content.datasets, Kind.DATASET)
    _check_refs(content.features, Kind.FEATURES)


def _absent_parts(content: NewVersion) -> list[str]:
    absent = [
        part for part in ("run", "datasets", "code", "environment") if not getattr(content, part)
    ]
    if content.signature.plan is not None and not content.features:
        absent.append("features")
    if content.seed is None:
        absent.append("seed")
    absent += [part for part, file in _FILE_OF_PART.items() if file not in content.artifacts]
    return absent


def _check_refs(refs: tuple[str, ...], kind: Kind) -> None:
    for text in refs:
        ref = Ref.parse(text)
        if ref.kind is not kind or ref.version is None:
            raise InvalidInput(f"{text!r} is not the ref of a {kind} with its version.")


def content_digest(content: NewVersion) -> Digest:
    """Return the digest over all of the content."""
    return digest_json(content_to_json(content))


def identity_digest(content: NewVersion) -> Digest:
    """Return the digest over what the version is made of.

    The run that made it, its metrics, the evidence on it and its description are left out: to
    train again on equal data with equal code, params and seed gives the same identity.
    """
    whole = content_to_json(content)
    return digest_json({name: part for name, part in whole.items() if name not in _NOT_IDENTITY})
