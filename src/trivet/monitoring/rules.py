"""The rules that a deployment is watched by: numbers in, verdicts out. Pure.

Labelled harm has authority over drift, which only explains it; missing data is never a pass.
"""

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from trivet.kernel.digests import finite_or_none
from trivet.kernel.durations import parse_duration
from trivet.kernel.errors import InvalidInput
from trivet.ledger import Verdict
from trivet.monitoring.intervals import confidence_sequence_radius, wilson
from trivet.monitoring.records import Drift, Tally
from trivet.monitoring.references import Reference, binary_entropy

_Z99 = 2.5758293035489004


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a deployment is watched by; `deployment.settings["monitoring"]` overrides it.

    Attributes:
        harm_window: How much event time the harm rule looks back.
        harm_ceiling: The normalised log loss above which a model does harm.
        harm_alpha: The chance that a model no worse than its reference is called harmful.
        min_labels: Outcomes the harm rule needs before it judges.
        min_days: Days of event time that these must lie on: one day is not like another.
        error_window: How much event time the other rules look back.
        error_limit: The share of failed answers that is tolerated.
        invalid_limit: The share of answers out of range that is tolerated.
        min_requests: Requests a rule about answers needs before it judges.
        label_delay: The event time after which an outcome should be known.
        min_coverage: The share of answers whose outcome should be known by then.
        drift_limit: The PSI that counts as moved.
    """

    harm_window: timedelta = timedelta(days=7)
    harm_ceiling: float = 0.97
    harm_alpha: float = 0.01
    min_labels: int = 200
    min_days: int = 4
    error_window: timedelta = timedelta(days=1)
    error_limit: float = 0.01
    invalid_limit: float = 0.001
    min_requests: int = 100
    label_delay: timedelta = timedelta(days=2)
    min_coverage: float = 0.5
    drift_limit: float = 0.25

    @classmethod
    def read(cls, settings: dict[str, Any]) -> "Watch":
        """Return the watch that a deployment's settings ask for; durations are `7d`, `36h`.

        Raises:
            InvalidInput: A setting is unknown or is not of its type.
        """
        unknown = sorted(set(settings) - set(cls.__slots__))
        if unknown:
            raise InvalidInput(f"No monitoring setting {unknown[0]!r}; see {cls.__name__}.")
        values: dict[str, Any] = {}
        for name, value in settings.items():
            default = cls.__dataclass_fields__[name].default
            try:
                values[name] = _typed(value, default)
            except (TypeError, ValueError):
                raise InvalidInput(f"Monitoring setting {name!r} is {value!r}.") from None
        return cls(**values)


def _typed(value: object, default: object) -> object:
    if isinstance(default, timedelta):
        return parse_duration(str(value))
    return type(default)(value)  # type: ignore[call-arg]  # int or float of a JSON number


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule says."""

    rule: str
    verdict: Verdict
    summary: str
    numbers: dict[str, Any] = field(default_factory=dict)


def normalised_log_loss(tally: Tally) -> float | None:
    r"""Return the model's log loss over that of the best constant prediction.

    $\bar\ell / H(\bar y)$: the mean log loss over the labelled answers, divided by the binary
    entropy of the share of outcomes that were 1 among the very same answers, which is the log
    loss of the constant that knew that share in hindsight.

    Returns:
        0 for a perfect model; below 1 where the model tells more than the base rate; 1 or more
        where it tells nothing or misleads. None without outcomes, or where all are alike.

    Source:
        X. He et al., "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD 2014,
        equation 1, "normalized entropy".
    """
    if tally.labelled == 0:
        return None
    entropy = binary_entropy(tally.positives / tally.labelled)
    return tally.loss / tally.labelled / entropy if entropy > 0 else None


def judge_harm(tally: Tally, reference: Reference | None, watch: Watch, *, days: int) -> Finding:
    r"""Say whether the model does worse than it did, and badly.

    FAILED needs both: the normalised log loss of the window is above `harm_ceiling`; and it is
    above the reference's by more than chance. For the latter, with the reference's normalised log
    loss $\nu$ (the ceiling itself where there is no reference), the lower end of a confidence
    sequence for the mean of $d_i = \ell_i - \nu b_i$ is above 0, where $b_i$ is the log loss of
    the window's base rate on answer $i$.

    Args:
        tally: Of the newest `harm_window`, in which outcomes are known only for a part.
        reference: How the model was at training time.
        watch: The settings in force.
        days: On how many days of event time the outcomes lie.
    """
    measured = normalised_log_loss(tally)
    before = reference.normalised_log_loss if reference else None
    numbers: dict[str, Any] = {
        "normalised_log_loss": measured,
        "ceiling": watch.harm_ceiling,
        "reference_normalised_log_loss": before,
        "log_loss": tally.log_loss,
        "accuracy": tally.accuracy,
        "labelled": tally.labelled,
    }
    if tally.labelled == 0:
        return Finding(
            rule="harm", verdict=Verdict.NO_DATA, summary="No outcome is known.", numbers=numbers
        )
    if tally.labelled < watch.min_labels or measured is None:
        said = f"{tally.labelled} of {watch.min_labels} outcomes needed are known."
        return Finding(rule="harm", verdict=Verdict.LEARNING, summary=said, numbers=numbers)
    if days < watch.min_days:
        said = f"Outcomes of {days} of {watch.min_days} days needed are known."
        return Finding(rule="harm", verdict=Verdict.LEARNING, summary=said, numbers=numbers)
    bound = watch.harm_ceiling if before is None else min(before, watch.harm_ceiling)
    mean, radius = excess_loss(tally, bound, alpha=watch.harm_alpha)
    numbers |= {"excess_loss": mean, "excess_loss_low": finite_or_none(mean - radius)}
    verdict, said = Verdict.PASSED, "the model tells more than the base rate does"
    if measured > watch.harm_ceiling:
        if mean - radius > 0:
            verdict, said = Verdict.FAILED, "worse than at training time, by more than chance"
        else:
            verdict, said = Verdict.INCONCLUSIVE, "this may be chance"
    summary = (
        f"Normalised log loss {measured:.3f} over {tally.labelled} outcomes "
        f"(ceiling {watch.harm_ceiling:g}): {said}."
    )
    return Finding(rule="harm", verdict=verdict, summary=summary, numbers=numbers)


def excess_loss(tally: Tally, bound: float, *, alpha: float) -> tuple[float, float]:
    r"""Return the mean of $d_i = \ell_i - \text{bound} \cdot b_i$ and its confidence radius.

    Both follow from the sums of a tally: $b_i$ is $-\ln \bar y$ where the outcome was 1 and
    $-\ln(1 - \bar y)$ where it was 0, so $\sum \ell_i b_i$ needs the losses of the two kinds only.

    Args:
        tally: With outcomes of both kinds.
        bound: The normalised log loss that is still tolerated.
        alpha: The chance that the mean is called positive when it is not, however often asked.
    """
    positives, negatives = tally.positives, tally.labelled - tally.positives
    entropy = binary_entropy(positives / tally.labelled)
    if entropy == 0:
        return tally.loss / tally.labelled, float("inf")
    rate = positives / tally.labelled
    of_positive, of_negative = -math.log(rate), -math.log1p(-rate)
    base_squared = positives * of_positive**2 + negatives * of_negative**2
    crossed = tally.loss_positive * of_positive + (tally.loss - tally.loss_positive) * of_negative
    total = tally.loss - bound * entropy * tally.labelled
    squared = tally.loss_squared - 2 * bound * crossed + bound**2 * base_squared
    radius = confidence_sequence_radius(total, squared, tally.labelled, alpha=alpha)
    return total / tally.labelled, radius


def judge_share(
    rule: str, harmed: int, requests: int, *, limit: float, min_requests: int
) -> Finding:
    """Say whether more than `limit` of the answers failed (or were out of range).

    FAILED if the lower end of the 99 % Wilson interval is above the limit.
    """
    what = {"errors": "failed", "invalid": "were out of range"}[rule]
    interval = wilson(harmed, requests, _Z99)
    numbers = {"count": harmed, "requests": requests, "limit": limit}
    if interval is None:
        return Finding(
            rule=rule, verdict=Verdict.NO_DATA, summary="Nothing was asked.", numbers=numbers
        )
    numbers |= {"share": harmed / requests, "low": interval[0], "high": interval[1]}
    summary = f"{harmed} of {requests} answers {what}; {limit:.1%} is tolerated."
    if interval[0] > limit:
        verdict = Verdict.FAILED
    elif requests < min_requests:
        verdict = Verdict.LEARNING
    else:
        verdict = Verdict.PASSED
    return Finding(rule=rule, verdict=verdict, summary=summary, numbers=numbers)


def judge_coverage(tally: Tally, watch: Watch) -> Finding:
    """Say whether outcomes still come in.

    Args:
        tally: Of answers old enough that their outcome should be known.
        watch: The settings in force. FAILED if the upper end of the 99 % Wilson interval of the
            share of answers with an outcome is below `min_coverage`.
    """
    answered = tally.requests - tally.errors - tally.invalid
    numbers = {"answered": answered, "labelled": tally.labelled, "limit": watch.min_coverage}
    interval = wilson(min(tally.labelled, answered), answered, _Z99)
    if interval is None:
        said = "No answer is old enough for its outcome to be known."
        return Finding(rule="no_labels", verdict=Verdict.NO_DATA, summary=said, numbers=numbers)
    numbers |= {"coverage": tally.labelled / answered, "low": interval[0], "high": interval[1]}
    summary = f"The outcome of {tally.labelled} of {answered} matured answers is known."
    if answered < watch.min_requests:
        verdict = Verdict.LEARNING
    elif interval[1] < watch.min_coverage:
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.PASSED
    return Finding(rule="no_labels", verdict=verdict, summary=summary, numbers=numbers)


def judge_drift(moved: list[Drift], watch: Watch) -> Finding:
    """Say which features have moved. It explains harm and never raises an alert by itself."""
    comparable = [drift for drift in moved if drift.psi is not None]
    if not comparable:
        said = "No feature can be compared with a reference."
        return Finding(rule="drift", verdict=Verdict.NO_DATA, summary=said)
    rows = max(drift.rows for drift in comparable)
    far = [drift for drift in comparable if (drift.psi or 0.0) > watch.drift_limit]
    numbers = {
        "limit": watch.drift_limit,
        "rows": rows,
        "psi": {drift.feature: drift.psi for drift in comparable[:20]},
    }
    if rows < watch.min_labels:
        verdict, summary = Verdict.LEARNING, f"{rows} rows are too few to speak of drift."
    elif far:
        names = ", ".join(f"{drift.feature} ({drift.psi:.2f})" for drift in far[:5])
        verdict, summary = Verdict.FAILED, f"{len(far)} features have moved: {names}."
    else:
        verdict, summary = Verdict.PASSED, "No feature has moved far."
    return Finding(rule="drift", verdict=verdict, summary=summary, numbers=numbers)
