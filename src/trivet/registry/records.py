"""The nouns of the registry, as plain frozen values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trivet.kernel.digests import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A name under which versions are registered."""

    name: str
    description: str
    owner: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a model takes and gives.

    Attributes:
        inputs: The names of the input columns, in order; all are float32, NaN for missing.
        outputs: The names of the numbers it answers for each row: `("probability",)`.
        plan: The feature plan as JSON, where the inputs come from the feature store.
        request: The JSON types of the columns a request must have: `{"carrier": "string"}`.
        output_range: The least and the greatest number it may answer.
        threshold: From which probability on the label is 1.
        slices: Request columns by which the model is watched: `("carrier", "origin")`.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ("probability",)
    plan: dict[str, Any] | None = None
    request: dict[str, str] = field(default_factory=dict)
    output_range: tuple[float, float] = (0.0, 1.0)
    threshold: float = 0.5
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """The tuple a model version is made of; none may be missing unless `missing` names it.

    Attributes:
        run: The id of the run that trained it.
        format: How the artifacts are to be read: `onnx`.
        artifacts: File names and blob digests: `model.onnx`, `golden.arrow`, `reference.json`.
        datasets: Refs of the commits it was trained on.
        features: Refs of the feature view versions it takes.
        code: Git commit, digest of the uncommitted diff, entry point.
        environment: The digest of the environment blob.
        evidence: Ids of the gate evidence it was admitted on.
        missing: Parts that are knowingly absent, such as `("features",)`.
    """

    run: str
    format: str
    artifacts: dict[str, Digest]
    signature: Signature
    datasets: tuple[str, ...]
    features: tuple[str, ...]
    code: dict[str, Any]
    environment: str | None
    params: dict[str, Any]
    metrics: dict[str, float]
    seed: int | None
    evidence: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """An immutable version of a model: `content` is what it was made of, `digest` covers it."""

    model: str
    version: int
    digest: Digest
    at: datetime
    author: str
    content: NewVersion

    @property
    def ref(self) -> str:
        """The version's address."""
        return f"model:{self.model}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A movable pointer to a version: `champion`, `challenger`."""

    model: str
    alias: str
    version: int
    generation: int
    evidence: str
    at: datetime
