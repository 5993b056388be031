"""The nouns of monitoring, as plain frozen values."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from trivet.ledger import Verdict
from trivet.serving import Role, Status

LATENCY_EDGES_MS = (0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0, 50.0, 100.0, 250.0, 1000.0)
"""The inner edges of the latency buckets of a `Tally`; there is one bucket more than edges."""

SCORE_BINS = 20
"""How many equal bins of [0, 1] a `Tally` counts scores in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums that can be added up over any hours, revisions and slices.

    Attributes:
        requests: Answers asked for.
        errors: Answers that failed.
        invalid: Answers outside what the signature allows.
        latency: Answers by latency: counts of the buckets of `LATENCY_EDGES_MS`; empty in a slice.
        scores: Valid answers by score: counts of 20 equal bins of [0, 1]; empty in a slice.
        labelled: Answers whose outcome is known.
        correct: Of those, the ones whose label was right.
        positives: Of those, the ones whose outcome was 1.
        loss: Their summed log loss, in nats.
        loss_squared: The sum of the squares of their log losses, for its spread.
        loss_positive: The summed log loss of those whose outcome was 1.
        agreed: For a shadow, the answers whose label equals the one that was given.
        gained: For a shadow with a known outcome, those where it alone was right.
        lost: For a shadow with a known outcome, those where the one that was given alone was.
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
    gained: int = 0
    lost: int = 0
    loss_squared: float = 0.0
    loss_positive: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        """Return the tally of both together."""
        return Tally(
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            invalid=self.invalid + other.invalid,
            latency=_added(self.latency, other.latency),
            scores=_added(self.scores, other.scores),
            labelled=self.labelled + other.labelled,
            correct=self.correct + other.correct,
            positives=self.positives + other.positives,
            loss=self.loss + other.loss,
            agreed=self.agreed + other.agreed,
            gained=self.gained + other.gained,
            lost=self.lost + other.lost,
            loss_squared=self.loss_squared + other.loss_squared,
            loss_positive=self.loss_positive + other.loss_positive,
        )

    @property
    def accuracy(self) -> float | None:
        """The share of known outcomes that were foretold; None where none is known."""
        return self.correct / self.labelled if self.labelled else None

    @property
    def log_loss(self) -> float | None:
        """The mean log loss in nats; None where no outcome is known."""
        return self.loss / self.labelled if self.labelled else None

    @property
    def error_rate(self) -> float | None:
        """The share of requests that failed or were answered out of range; None without any."""
        return (self.errors + self.invalid) / self.requests if self.requests else None


def _added(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    """Return the sum bucket by bucket; an empty tuple stands for zeros."""
    if not left or not right:
        return left or right
    return tuple(a + b for a, b in zip(left, right, strict=True))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One day or week of a series: the tally from `start` and shares with their intervals.

    `accuracy_low` and `accuracy_high` are the 95 % Wilson interval; `log_loss_low` and
    `log_loss_high` the 95 % normal one. None where no outcome is known (I12).
    """

    start: datetime
    tally: Tally
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    log_loss: float | None
    log_loss_low: float | None
    log_loss_high: float | None
    error_rate: float | None


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A prediction as monitoring remembers it until its outcome can no longer come.

    Attributes:
        request: The id of the prediction that was answered; its own unless it is a shadow.
        primary_label: For a shadow, the label that was answered in its place.
        outcome: What really happened, once known.
        slices: The slices it counts in besides "", as `column=value`.
    """

    id: str
    request: str
    deployment: str
    revision: int
    role: Role
    status: Status
    at: datetime
    event_at: datetime
    output: float | None
    label: int | None
    latency_ms: float
    primary_label: int | None
    outcome: float | None
    slices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """What a rule last said of a deployment, and since when."""

    deployment: str
    rule: str
    verdict: Verdict
    summary: str
    numbers: dict[str, Any]
    evidence: str
    at: datetime
    event_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """What is said when an alert is raised.

    Attributes:
        subject: Tells apart alerts of one rule that may be open at once, such as a rollout's id.
    """

    deployment: str
    rule: str
    severity: str
    summary: str
    evidence: str
    harm_at: datetime
    playbook: str
    subject: str = ""
    samples: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How many of a rule's closed alerts were confirmed, with the 95 % Wilson interval."""

    rule: str
    confirmed: int
    dismissed: int
    share: float | None
    low: float | None
    high: float | None
