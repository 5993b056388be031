"""The nouns of monitoring, as plain frozen values."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from trivet.serving import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums that can be added up over any hours, revisions and slices.

    Attributes:
        requests: Answers asked for.
        errors: Answers that failed.
        invalid: Answers outside what the signature allows.
        latency: Answers by latency: counts of the buckets of `LATENCY_EDGES_MS`.
        scores: Valid answers by score: counts of 20 equal bins of [0, 1].
        labelled: Answers whose outcome is known.
        correct: Of those, the ones whose label was right.
        positives: Of those, the ones whose outcome was 1.
        loss: Their summed log loss, in nats.
        agreed: For a shadow, the answers whose label equals the one that was given.
    """

    requests: int = 0
    errors: int = 0
    invalid: int = 0
    latency: tuple[int, ...] = ()
    scores: tuple[int, ...] = ()
    labelled: int = 0
    correct: int = 0
    positives: int = 0
    loss: float = 0.0
    agreed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The tally of one hour of event time, one revision, one role and one slice.

    `slice` is `""` for all requests, otherwise `column=value`.
    """

    deployment: str
    revision: int
    role: Role
    slice: str
    hour: datetime
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far one feature has moved from its reference; PSI in nats, see `drift.py`."""

    feature: str
    psi: float | None
    rows: int
    missing_share: float
    reference_missing_share: float


class AlertStatus(StrEnum):
    """Where an alert is: OPEN, TRIAGED once looked at, then CONFIRMED or DISMISSED."""

    OPEN = "open"
    TRIAGED = "triaged"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A call for action, with what is needed to act.

    Attributes:
        rule: What raised it: `harm`, `errors`, `invalid`, `drift`, `no_labels`, `rollout`.
        summary: One sentence: what, since when, how bad.
        evidence: The id of the evidence it rests on.
        samples: Ids of predictions that show it.
        harm_at: When the first of what it is about happened, on the wall clock.
        triage_due_at: Ten minutes after it was raised.
        resolve_due_at: Thirty minutes after it was raised.
        playbook: What to do, as Markdown.
        action: What was done about it, if anything: a sentence, with refs.
    """

    id: str
    deployment: str
    rule: str
    severity: str
    summary: str
    evidence: str
    samples: tuple[str, ...]
    harm_at: datetime
    opened_at: datetime
    triage_due_at: datetime
    resolve_due_at: datetime
    playbook: str
    status: AlertStatus
    triaged_at: datetime | None = None
    closed_at: datetime | None = None
    action: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """The alert's address."""
        return f"alert:{self.id}"
