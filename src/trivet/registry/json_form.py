"""Signatures and contents of versions as JSON, and back; the form is public, so it only grows."""

from dataclasses import asdict
from typing import Any

from trivet.kernel.digests import Digest
from trivet.kernel.errors import InvalidInput
from trivet.registry.records import NewVersion, Signature


def signature_to_json(signature: Signature) -> dict[str, Any]:
    """Return the signature as JSON; a deployment's revision carries it in this form."""
    values = asdict(signature)
    for name in ("inputs", "outputs", "output_range", "slices"):
        values[name] = list(values[name])
    return values


def signature_from_json(values: dict[str, Any]) -> Signature:
    """Return the signature that `signature_to_json` wrote; absent fields have their defaults.

    Raises:
        InvalidInput: A field is unknown, or `inputs` is absent or no list of names.
    """
    known = dict(values)
    unknown = sorted(set(known) - set(Signature.__dataclass_fields__))
    if unknown:
        raise InvalidInput(f"A signature has no field {unknown[0]!r}.")
    if not isinstance(known.get("inputs"), list | tuple):
        raise InvalidInput("A signature needs 'inputs', the list of the input columns' names.")
    for name in ("inputs", "outputs", "slices"):
        if name in known:
            known[name] = tuple(known[name])
    if "output_range" in known:
        low, high = known["output_range"]
        known["output_range"] = (float(low), float(high))
    return Signature(**known)


def content_to_json(content: NewVersion) -> dict[str, Any]:
    """Return the content of a version as JSON."""
    values = {name: getattr(content, name) for name in NewVersion.__dataclass_fields__}
    values["signature"] = signature_to_json(content.signature)
    for name in ("datasets", "features", "evidence", "missing"):
        values[name] = list(values[name])
    return values


def content_from_json(values: dict[str, Any]) -> NewVersion:
    """Return the content that `content_to_json` wrote."""
    known = dict(values)
    known["signature"] = signature_from_json(known["signature"])
    known["artifacts"] = {file: Digest(digest) for file, digest in known["artifacts"].items()}
    for name in ("datasets", "features", "evidence", "missing"):
        known[name] = tuple(known[name])
    return NewVersion(**known)
