"""Add answers and outcomes up into tallies. Pure: what a fold counts is decided here."""

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from trivet.monitoring.records import LATENCY_EDGES_MS, SCORE_BINS, Answer, Tally
from trivet.serving import Role, Status

_LEAST_PROBABILITY = 1e-15  # as scikit-learn's log_loss clips, so that the numbers compare


class Key(NamedTuple):
    """What tallies are kept apart by."""

    deployment: str
    hour: datetime
    slice: str
    revision: int
    role: Role


@dataclass(slots=True)
class _Sums:
    """A tally while it grows."""

    requests: int = 0
    errors: int = 0
    invalid: int = 0
    labelled: int = 0
    correct: int = 0
    positives: int = 0
    agreed: int = 0
    gained: int = 0
    lost: int = 0
    loss: float = 0.0
    loss_squared: float = 0.0
    loss_positive: float = 0.0
    latency: list[int] = field(default_factory=list)
    scores: list[int] = field(default_factory=list)

    def answer(self, answer: Answer) -> None:
        """Count an answer."""
        self.requests += 1
        if self.latency:
            self.latency[bisect_right(LATENCY_EDGES_MS, answer.latency_ms)] += 1
        if answer.status is Status.ERROR:
            self.errors += 1
        elif answer.status is Status.INVALID:
            self.invalid += 1
        elif self.scores and answer.output is not None:
            self.scores[min(max(int(answer.output * SCORE_BINS), 0), SCORE_BINS - 1)] += 1
        if answer.label is not None and answer.label == answer.primary_label:
            self.agreed += 1

    def outcome(self, answer: Answer, loss: float) -> None:
        """Count the outcome of an answer that has one."""
        self.labelled += 1
        self.correct += answer.label == answer.outcome
        if answer.primary_label is not None and answer.label != answer.primary_label:
            self.gained += answer.label == answer.outcome
            self.lost += answer.primary_label == answer.outcome
        self.loss += loss
        self.loss_squared += loss * loss
        if answer.outcome == 1:
            self.positives += 1
            self.loss_positive += loss

    def tally(self) -> Tally:
        """Return what has been counted."""
        return Tally(
            requests=self.requests,
            errors=self.errors,
            invalid=self.invalid,
            latency=tuple(self.latency),
            scores=tuple(self.scores),
            labelled=self.labelled,
            correct=self.correct,
            positives=self.positives,
            loss=self.loss,
            agreed=self.agreed,
            gained=self.gained,
            lost=self.lost,
            loss_squared=self.loss_squared,
            loss_positive=self.loss_positive,
        )


def log_loss(probability: float, outcome: float) -> float:
    r"""Return the log loss of one answer, in nats: 0 for certainty that was right.

    $-y \ln p - (1 - y) \ln(1 - p)$ with $p$ clipped to $[10^{-15}, 1 - 10^{-15}]$, so that a
    certain error costs 34.5 and not infinity.

    Source:
        I. J. Good, "Rational Decisions", JRSS B 14 (1952), section 4: the logarithmic score.
    """
    p = min(max(probability, _LEAST_PROBABILITY), 1 - _LEAST_PROBABILITY)
    return -outcome * math.log(p) - (1 - outcome) * math.log1p(-p)


def tallies(answers: Iterable[Answer], labelled: Iterable[Answer]) -> dict[Key, Tally]:
    """Return what to add to each window.

    Args:
        answers: Answers that no window counts yet.
        labelled: Answers whose outcome no window counts yet; one may be in both.
    """
    sums: dict[Key, _Sums] = {}
    for answer in answers:
        for key in _keys(answer):
            _of(sums, key).answer(answer)
    for answer in labelled:
        if answer.outcome is None or answer.label is None or answer.output is None:
            continue
        loss = log_loss(answer.output, answer.outcome)
        for key in _keys(answer):
            _of(sums, key).outcome(answer, loss)
    return {key: summed.tally() for key, summed in sums.items()}


def _of(sums: dict[Key, _Sums], key: Key) -> _Sums:
    found = sums.get(key)
    if found is None:
        found = sums[key] = _Sums() if key.slice else _whole()
    return found


def _whole() -> _Sums:
    """Return the sums of all requests of an hour; slices keep no histograms."""
    return _Sums(latency=[0] * (len(LATENCY_EDGES_MS) + 1), scores=[0] * SCORE_BINS)


def _keys(answer: Answer) -> list[Key]:
    hour, deployment = hour_of(answer.event_at), answer.deployment
    revision, role = answer.revision, answer.role
    return [Key(deployment, hour, name, revision, role) for name in ("", *answer.slices)]


def hour_of(instant: datetime) -> datetime:
    """Return the full hour before or at `instant`."""
    return instant.replace(minute=0, second=0, microsecond=0)
