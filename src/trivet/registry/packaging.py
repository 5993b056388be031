"""Put the parts of a version together: what was trained, and where its run had it from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trivet.kernel.digests import canonical_json
from trivet.registry import golden as golden_rows
from trivet.registry import reference as references
from trivet.registry.golden import GoldenRows, write_golden
from trivet.registry.records import NewVersion, Signature
from trivet.storage.blobs import BlobStore
from trivet.tracking import RunHandle

DATA, FEATURES = "data", "features"
"""The roles of a run's inputs that a version cites."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionParts:
    """What a training gives to a version; the rest is known of the run that it ran in.

    Attributes:
        model: The ONNX content.
        signature: What the model takes and gives.
        golden: Rows with the answers they should get.
        reference: What `make_reference` returned.
        params: What the training was told.
        metrics: What it reached.
        seed: What its randomness was drawn from.
        evidence: Ids of the evidence it is admitted on.
        missing: Parts that are knowingly absent; a version that lacks others is refused.
        description: A sentence for people.
    """

    model: bytes
    signature: Signature
    golden: GoldenRows | None = None
    reference: Mapping[str, Any] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None
    evidence: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    description: str = ""


def pack_version(blobs: BlobStore, parts: VersionParts, run: RunHandle | None) -> NewVersion:
    """Store the artifacts as blobs, and return the content to register.

    Data commits, feature versions, code and environment come from `run`, or within a pipeline
    from the pipeline's run: whatever it read with the role `data` or `features` is cited. A model
    that comes from elsewhere has no run, and says in `missing` what is not known of it.
    """
    whole = (run.parent or run) if run else None
    artifacts = {"model.onnx": blobs.put(parts.model)}
    if parts.golden is not None:
        artifacts[golden_rows.FILE] = blobs.put(write_golden(parts.golden))
    if parts.reference is not None:
        artifacts[references.FILE] = blobs.put(canonical_json(dict(parts.reference)).encode())
    return NewVersion(
        run=whole.run.id if whole else "",
        format="onnx",
        artifacts=artifacts,
        signature=parts.signature,
        datasets=_cited(whole, DATA),
        features=_cited(whole, FEATURES),
        code=dict(whole.run.code) if whole else {},
        environment=whole.run.environment if whole else None,
        params=dict(parts.params),
        metrics=dict(parts.metrics),
        seed=parts.seed,
        evidence=parts.evidence,
        missing=parts.missing,
        description=parts.description,
    )


def _cited(run: RunHandle | None, role: str) -> tuple[str, ...]:
    links = run.links if run else {}
    return tuple(ref for side, ref, as_role in links if side == "inputs" and as_role == role)
