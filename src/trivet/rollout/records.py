"""The nouns of rollout: deployments, revisions, rollout specs and where a rollout stands."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A name that clients call.

    Attributes:
        unit: The request column whose values stick to a revision; None for each request apart.
        settings: What holds for every revision: guardrails, monitoring, repair policy.
    """

    name: str
    model: str
    unit: str | None
    owner: str
    created_at: datetime
    settings: dict[str, Any] = field(default_factory=dict)


CONTROLLER_LEASE = "controller"
"""The name of the lease whose fence every write of the controller carries (I6)."""


class Verb(StrEnum):
    """What a person, or control on a person's behalf, may ask of a rollout."""

    PROMOTE = "promote"
    ABORT = "abort"
    PAUSE = "pause"
    RESUME = "resume"
    SUPERSEDE = "supersede"


class Strategy(StrEnum):
    """How a revision comes to answer. Those the program cannot do yet are refused by name."""

    DIRECT = "direct"
    CANARY = "canary"
    SHADOW = "shadow"


class Phase(StrEnum):
    """Where a rollout is. SUCCEEDED, ROLLED_BACK and SUPERSEDED are for ever."""

    PENDING = "pending"
    PREPARING = "preparing"
    STEPPING = "stepping"
    HOLDING = "holding"
    PROMOTING = "promoting"
    ABORTING = "aborting"
    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return self in (Phase.SUCCEEDED, Phase.ROLLED_BACK, Phase.SUPERSEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStep:
    """One step: how much the candidate computes or answers, and what must be seen to go on.

    Attributes:
        name: `shadow`, `canary 1 %`, …, `full`.
        shadow: The share of requests it computes without answering.
        weight: The share of units it answers.
        min_requests: Candidate answers needed before the step may end.
        min_labels: Candidate answers with a known outcome needed before the step may end.
        min_seconds: Wall-clock seconds the step lasts at least.
    """

    name: str
    shadow: float = 0.0
    weight: float = 0.0
    min_requests: int = 0
    min_labels: int = 0
    min_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSpec:
    """What a rollout was asked to do; it never changes.

    Attributes:
        alpha: The chance, over the whole rollout and however often one looks, that a candidate
            no worse than the stable revision is aborted; the tests share it.
        error_ratio: The candidate's error rate may be this many times the stable one's.
        accuracy_margin: The candidate's accuracy may be this much lower than the stable one's.
        max_invalid: So many invalid answers are borne from a candidate while the stable revision
            gives none; one more aborts.
        min_agreement: In shadow, the least share of labels equal to the stable revision's.
        prepare_seconds: How long gateways may take to load the candidate.
        quiet_seconds: After so long without an answer, a step counts as held for want of data.
        force_reason: Why a version whose gates are not green is released all the same.
    """

    strategy: Strategy
    steps: tuple[RolloutStep, ...]
    alpha: float = 0.05
    error_ratio: float = 1.25
    accuracy_margin: float = 0.02
    max_invalid: int = 0
    min_agreement: float = 0.0
    prepare_seconds: float = 120.0
    quiet_seconds: float = 10.0
    force_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """An attempt to make `candidate` the stable revision of a deployment.

    Attributes:
        stable: The revision number it started from; None for a first release.
        step: The position of the present step in the spec.
        reason: Why it is in this phase, as a sentence.
        analysis: The state of the sequential tests, JSON.
        evidence: Ids of what was judged on the way, oldest first.
        version: Counts the writes; a write expects the one before.
    """

    id: str
    deployment: str
    stable: int | None
    candidate: int
    spec: RolloutSpec
    phase: Phase
    step: int
    reason: str
    started_at: datetime
    step_at: datetime
    ended_at: datetime | None = None
    actor: str = ""
    analysis: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    version: int = 0

    @property
    def ref(self) -> str:
        """The rollout's address."""
        return f"rollout:{self.id}"
