"""What a rollout has seen, and what the sequential tests make of it. Pure.

Tallies only grow, so what is new at a look is the tally less the one of the look before. A tally
that is smaller than before (a fold that is being run again) is waited out.
"""

import math
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self

from trivet.monitoring.records import Tally
from trivet.rollout.intervals import difference_interval, share_interval
from trivet.rollout.records import RolloutSpec
from trivet.rollout.sequential import AccuracyDrop, PairedDrop, RateRatio, log_e_of_split

_SPLIT_ALPHA = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the tests need of a `Tally`; `failures` are errors and invalid answers."""

    requests: int = 0
    failures: int = 0
    invalid: int = 0
    labelled: int = 0
    correct: int = 0
    agreed: int = 0
    gained: int = 0
    lost: int = 0

    @classmethod
    def of(cls, tally: Tally) -> Self:
        """Return the tally's counts."""
        names = ("requests", "invalid", "labelled", "correct", "agreed", "gained", "lost")
        counts = {name: getattr(tally, name) for name in names}
        return cls(failures=tally.errors + tally.invalid, **counts)

    def __sub__(self, before: "Counts") -> "Counts":
        """Return what came since `before`; a count that went back makes it all zero."""
        news = [getattr(self, f.name) - getattr(before, f.name) for f in fields(Counts)]
        if min(news) < 0:
            return Counts()
        return Counts(**{f.name: new for f, new in zip(fields(Counts), news, strict=True)})

    def __add__(self, other: "Counts") -> "Counts":
        """Return both together."""
        return Counts(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Counts of the stable revision's answers, the candidate's, and its shadow computations."""

    stable: Counts = field(default_factory=Counts)
    candidate: Counts = field(default_factory=Counts)
    shadow: Counts = field(default_factory=Counts)

    def __sub__(self, before: "Arms") -> "Arms":
        """Return what came since `before`."""
        return Arms(
            stable=self.stable - before.stable,
            candidate=self.candidate - before.candidate,
            shadow=self.shadow - before.shadow,
        )

    @property
    def trial(self) -> Counts:
        """All that the candidate computed, answered or not."""
        return self.candidate + self.shadow

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the arms that `asdict` wrote."""
        return cls(**{name: Counts(**counts) for name, counts in values.items()})


class Opening(StrEnum):
    """How far a step is: its clock and its counts begin when it is OPEN.

    CONFIRMED, every gateway has reported the step's table, but answers given just before may
    still be on their way through the log; at the next look they are through.
    """

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The state of a rollout between two looks; JSON in `Rollout.analysis`.

    Attributes:
        generation: The routing table that the rollout last put in place.
        paused: Whether a person stopped it.
        looks: How many looks found something new.
        start: The arms when the rollout began.
        step: The arms when the present step opened.
        split: The arms when the check of the split last began.
        split_doubted: Whether that check failed, and has not been good since.
        rates: The arms at the last look of the errors test.
        labels: The arms at the last look of the accuracy tests.
        now: The arms at the last look.
    """

    generation: int = 0
    paused: bool = False
    opening: Opening = Opening.WAITING
    looks: int = 0
    start: Arms | None = None
    step: Arms = field(default_factory=Arms)
    split: Arms = field(default_factory=Arms)
    split_doubted: bool = False
    rates: Arms = field(default_factory=Arms)
    labels: Arms = field(default_factory=Arms)
    now: Arms = field(default_factory=Arms)
    errors: RateRatio = field(default_factory=RateRatio)
    accuracy: AccuracyDrop = field(default_factory=AccuracyDrop)
    paired: PairedDrop = field(default_factory=PairedDrop)

    @classmethod
    def begin(cls, spec: RolloutSpec) -> Self:
        """Return the state before the first look."""
        return cls(
            errors=RateRatio(margin=spec.error_ratio),
            accuracy=AccuracyDrop(margin=spec.accuracy_margin),
            paired=PairedDrop(margin=spec.accuracy_margin),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON."""
        values = asdict(self)
        for name in ("errors", "accuracy", "paired"):
            values[name]["logs"] = list(values[name]["logs"])
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the state that `to_json` wrote."""
        read = dict(values)
        for name in ("start", "step", "split", "rates", "labels", "now"):
            read[name] = None if read[name] is None else Arms.from_json(read[name])
        for name, kind in (
            ("errors", RateRatio),
            ("accuracy", AccuracyDrop),
            ("paired", PairedDrop),
        ):
            read[name] = kind(**{**read[name], "logs": tuple(read[name]["logs"])})
        return cls(**{**read, "opening": Opening(read["opening"])})

    def look(self, arms: Arms, *, exposed: bool) -> "Analysis":
        """Return the state after a look at the arms as they now stand.

        Args:
            arms: Everything counted so far.
            exposed: Whether the candidate computes anything at present. While it does not, the
                stable revision's answers have nothing to be compared with, and are passed over.
        """
        if self.start is None:
            # The candidate's revision is of this rollout alone, so all its answers count.
            zero = Arms(stable=arms.stable)
            began = replace(self, start=zero, step=zero, split=zero)
            return replace(began, rates=zero, labels=zero, now=arms)
        if arms == self.now and exposed:
            return self
        looked = replace(self, now=arms, looks=self.looks + 1)
        if not exposed:
            waiting = Arms(stable=arms.stable, candidate=self.rates.candidate)
            return replace(looked, rates=replace(waiting, shadow=self.rates.shadow))
        return looked._look_at_errors()._look_at_labels()

    def _look_at_errors(self) -> "Analysis":
        new = self.now - self.rates
        trial, stable = new.trial, new.stable
        if not trial.requests or not stable.requests:
            return self  # Nothing to compare yet; both go into a later look.
        errors = self.errors.look(trial.requests, trial.failures, stable.requests, stable.failures)
        return replace(self, errors=errors, rates=self.now)

    def _look_at_labels(self) -> "Analysis":
        new = self.now - self.labels
        seen, paired, accuracy = self.labels, self.paired, self.accuracy
        if new.shadow.labelled:
            paired = paired.look(new.shadow.labelled, new.shadow.gained, new.shadow.lost)
            seen = replace(seen, shadow=self.now.shadow)
        if new.candidate.labelled and new.stable.labelled:
            accuracy = accuracy.look(
                new.candidate.labelled,
                new.candidate.correct,
                new.stable.labelled,
                new.stable.correct,
            )
            seen = replace(seen, candidate=self.now.candidate, stable=self.now.stable)
        return replace(self, paired=paired, accuracy=accuracy, labels=seen)

    @property
    def in_all(self) -> Arms:
        """What came since the rollout began."""
        return self.now - (self.start or self.now)

    @property
    def in_step(self) -> Arms:
        """What came since the present step opened."""
        return self.now - self.step

    def harm(self, spec: RolloutSpec) -> str | None:
        """Return in a sentence why the candidate must go, or None where nothing shows that."""
        found = self.in_all
        if found.trial.invalid > spec.max_invalid and found.stable.invalid == 0:
            return (
                f"The candidate gave {found.trial.invalid} invalid answers in "
                f"{found.trial.requests}; the stable revision gave none."
            )
        if self.errors.log_e >= _bound(spec.alpha / 2):
            return (
                f"The candidate failed {found.trial.failures} times in {found.trial.requests}, "
                f"the stable revision {found.stable.failures} times in {found.stable.requests}: "
                f"more than {spec.error_ratio:g} times as often (e-value {self._e('errors')})."
            )
        return self._harm_by_labels(spec)

    def _harm_by_labels(self, spec: RolloutSpec) -> str | None:
        found = self.in_all
        if self.paired.log_e >= _bound(spec.alpha / 4):
            return (
                f"Of {found.shadow.labelled} requests that both computed, the candidate alone was "
                f"wrong in {found.shadow.lost} and alone right in {found.shadow.gained}: less "
                f"accurate by more than {spec.accuracy_margin:g} (e-value {self._e('paired')})."
            )
        if self.accuracy.log_e >= _bound(spec.alpha / 4):
            return (
                f"The candidate was right in {found.candidate.correct} of "
                f"{found.candidate.labelled}, the stable revision in {found.stable.correct} of "
                f"{found.stable.labelled}: less accurate by more than {spec.accuracy_margin:g} "
                f"(e-value {self._e('accuracy')})."
            )
        return None

    def open_step(self) -> "Analysis":
        """Return the state as a step's counts begin."""
        return replace(
            self, opening=Opening.OPEN, step=self.now, split=self.now, split_doubted=False
        )

    def check_split(self, weight: float) -> "Analysis":
        """Return the state after a check of whether requests are split by the step's weight.

        A failed check begins anew, and the split is in doubt until a check that expects ten
        answers of either arm speaks for it. So answers that were given before the step, and
        reach the log late, hold a rollout for a moment; a split that is wrong holds it for good.
        """
        if not 0 < weight < 1:
            return self
        arms = self.now - self.split
        counts = (arms.stable.requests, arms.candidate.requests)
        log_e = log_e_of_split(counts, (1 - weight, weight))
        if log_e >= _bound(_SPLIT_ALPHA):
            return replace(self, split=self.now, split_doubted=True)
        if self.split_doubted and log_e < 0 and sum(counts) * min(weight, 1 - weight) >= 10:
            return replace(self, split_doubted=False)
        return self

    def numbers(self, spec: RolloutSpec) -> dict[str, Any]:
        """Return what the tests say, by test, with bounds: the numbers of an evidence."""
        found = self.in_all
        trial, stable = found.trial, found.stable
        return {
            "looks": self.looks,
            "requests": {"candidate": trial.requests, "stable": stable.requests},
            "answered": found.candidate.requests,
            "errors": {
                "candidate": trial.failures,
                "stable": stable.failures,
                "e_value": self._e("errors"),
                "abort_at": 2 / spec.alpha,
                "candidate_interval": share_interval(
                    trial.failures, trial.requests, spec.alpha / 2
                ),
            },
            "invalid": {
                "candidate": trial.invalid,
                "stable": stable.invalid,
                "most": spec.max_invalid,
            },
            "accuracy": {
                "candidate": _share(found.candidate.correct, found.candidate.labelled),
                "stable": _share(stable.correct, stable.labelled),
                "candidate_labels": found.candidate.labelled,
                "stable_labels": stable.labelled,
                "difference_interval": difference_interval(
                    (found.candidate.correct, found.candidate.labelled),
                    (stable.correct, stable.labelled),
                    spec.alpha,
                ),
                "margin": spec.accuracy_margin,
                "e_value": self._e("accuracy"),
                "abort_at": 4 / spec.alpha,
            },
            "shadow": {
                "requests": found.shadow.requests,
                "labels": found.shadow.labelled,
                "accuracy": _share(found.shadow.correct, found.shadow.labelled),
                "alone_right": found.shadow.gained,
                "alone_wrong": found.shadow.lost,
                "agreement": _share(found.shadow.agreed, found.shadow.requests),
                "e_value": self._e("paired"),
                "abort_at": 4 / spec.alpha,
            },
        }

    def _e(self, test: str) -> float:
        """Return a test's e-value to four digits; what is beyond a float's range is its end."""
        return float(f"{math.exp(min(getattr(self, test).log_e, 700.0)):.4g}")


def _bound(alpha: float) -> float:
    return -math.log(alpha)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
