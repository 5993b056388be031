"""The nouns of serving: what a gateway routes by, and what it writes down."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Role(StrEnum):
    """Whether an answer went to the caller, or was only computed beside it."""

    PRIMARY = "primary"
    SHADOW = "shadow"


class Status(StrEnum):
    """How computing an answer ended; INVALID is an answer outside what the signature allows."""

    OK = "ok"
    INVALID = "invalid"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionSpec:
    """All that a gateway needs to serve one revision; it never changes.

    Attributes:
        model: The ref of the model version.
        format: How the artifacts are to be read: `onnx`.
        artifacts: File names and blob digests.
        signature: `trivet.registry.Signature` as JSON.
    """

    deployment: str
    number: int
    model: str
    format: str
    artifacts: dict[str, str]
    signature: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """The revision's address."""
        return f"deployment:{self.deployment}#{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingTable:
    """Who answers: the only thing a gateway needs to know about a deployment.

    Attributes:
        generation: Grows with every change; an older table is never taken after a newer one.
        fence: The fence of the controller that wrote it (I6). A person writes 0, and the store
            keeps the fence that was there, so that it never falls.
        revisions: Every revision to keep warm, the fallback of a rollback among them (I5).
        stable: The number of the revision that answers whatever nobody else does.
        candidate: The number of the revision on trial, if any.
        weight: The share of units, 0 to 1, that the candidate answers.
        shadow: The share of requests that the candidate computes without answering.
        salt: Mixed into the units' hash; constant within a rollout, so raising the weight moves
            units in one direction only.
        unit: The request column that is hashed; the request's id where it is absent.
    """

    deployment: str
    generation: int
    fence: int
    revisions: tuple[RevisionSpec, ...]
    stable: int
    candidate: int | None = None
    weight: float = 0.0
    shadow: float = 0.0
    salt: str = ""
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """What a gateway last said: which generation of each deployment's table it serves.

    `problems` says, by deployment, why the newest table is not the one that is served.
    """

    id: str
    url: str
    seen_at: datetime
    generations: dict[str, int]
    problems: dict[str, str] = field(default_factory=dict)


class Prediction(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One answer, as the prediction log keeps it: the fields, in this order, are its form there.

    Fields may be added at the end, with a default; none may be removed or reordered.

    Attributes:
        at: When it was given.
        event_at: The instant it is about: the request's own event time, else `at`.
        unit: What the routing hashed.
        inputs: The request's columns.
        features: The numbers the model was given, in the signature's order; NaN as None.
        output: What it answered; None where it failed.
        label: `output` against the threshold.
        latency_ms: From the request's last byte to the answer's first.
        primary: For a shadow, the id of the prediction that was answered in its place.
        primary_label: For a shadow, the label that was answered in its place.
    """

    id: str
    at: datetime
    event_at: datetime
    deployment: str
    revision: int
    generation: int
    role: Role
    status: Status
    unit: str
    inputs: dict[str, Any]
    features: list[float | None]
    output: float | None
    label: int | None
    latency_ms: float
    error: str | None = None
    primary: str | None = None
    primary_label: int | None = None


class Feedback(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What really happened: the label of an earlier prediction, known at `event_at`.

    The log keeps the fields in this order; see `Prediction`.
    """

    prediction: str
    deployment: str
    at: datetime
    event_at: datetime
    outcome: float
