"""Champion against challenger on the same requests: the champion must lose. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from trivet.ledger import Verdict
from trivet.monitoring import Answer
from trivet.monitoring.intervals import confidence_sequence_radius
from trivet.monitoring.tallying import log_loss

_ALPHA = 0.1
_MARGIN = 0.02  # nats
_HOUR = timedelta(hours=1)
_SMALLEST_SLICE = 100


@dataclass(frozen=True, slots=True)
class Duel:
    """What the comparison came to."""

    verdict: Verdict
    summary: str
    numbers: dict[str, Any] = field(default_factory=dict)


def judge_duel(
    pairs: Sequence[tuple[Answer, Answer]],
    *,
    min_pairs: int,
    max_pairs: int,
    min_span: timedelta = timedelta(days=2),
) -> Duel:
    r"""Say whether the challenger takes the champion's place.

    $d_i = \ell(\text{champion})_i - \ell(\text{challenger})_i$ is the champion's excess of log
    loss on request $i$, which both computed and whose outcome is known. PASSED needs a positive
    mean, and no slice of 100 pairs or more on which the challenger is worse by more than 0.02
    nats and chance (a confidence sequence; the slices share alpha 0.1). FAILED where it is that
    much worse on a slice or over all, or has not come out better after `max_pairs`.

    Requests of one day are alike, in weather for one, so that a confidence sequence over requests
    is too narrow for how a model does in the long run: no verdict rests on less than `min_span`.
    A challenger that is just as good may pass; one that is worse by the margin should not.

    Args:
        pairs: The champion's answer and the challenger's for the same request, both labelled.
        min_pairs: Fewer are NO_DATA or LEARNING, never a pass (I12).
        max_pairs: From so many on, undecided means that the champion stays.
        min_span: The least event time between the first and the last request.
    """
    valid = [pair for pair in pairs if None not in (pair[0].output, pair[1].output)]
    if not valid:
        return Duel(Verdict.NO_DATA, "No request with a known outcome was computed by both.")
    numbers = _measure(valid)
    events = [champion.event_at for champion, _ in valid]
    if max(events) - min(events) < min_span:
        said = f"{len(valid)} requests span less than {min_span / _HOUR:g} h of event time."
        return Duel(Verdict.LEARNING, said, numbers)
    if len(valid) < min_pairs:
        said = f"{len(valid)} of {min_pairs} requests needed were computed by both."
        return Duel(Verdict.LEARNING, said, numbers)
    verdict, said = _verdict(numbers, is_last=len(valid) >= max_pairs)
    change = f"the challenger's log loss differs by {-numbers['mean_lead']:+.4f}"
    summary = f"Over {len(valid)} requests {change}: {said}."
    return Duel(verdict, summary, numbers)


def _measure(pairs: Sequence[tuple[Answer, Answer]]) -> dict[str, Any]:
    """Return the challenger's lead over all, and the slices on which it is clearly behind."""
    slices: dict[str, list[float]] = {"": []}
    for champion, challenger in pairs:
        lead = _loss(champion) - _loss(challenger)
        for name in ("", *champion.slices):
            slices.setdefault(name, []).append(lead)
    tested = {
        name: leads for name, leads in slices.items() if name and len(leads) >= _SMALLEST_SLICE
    }
    overall = _bounds(slices[""], _ALPHA)
    worse = sorted(
        name
        for name, leads in tested.items()
        if _bounds(leads, _ALPHA / len(tested))[2] < -_MARGIN
    )
    return {
        "pairs": len(pairs),
        "mean_lead": overall[0],
        "low": overall[1],
        "high": overall[2],
        "slices_tested": len(tested),
        "slices_worse": worse,
        "margin": _MARGIN,
    }


def _verdict(numbers: Mapping[str, Any], *, is_last: bool) -> tuple[Verdict, str]:
    if numbers["slices_worse"]:
        return Verdict.FAILED, f"it is worse on {', '.join(numbers['slices_worse'])}"
    if numbers["high"] < -_MARGIN:
        return Verdict.FAILED, "it is worse by more than chance"
    if numbers["mean_lead"] > 0:
        return Verdict.PASSED, "the champion loses"
    if is_last:
        return Verdict.FAILED, "it has not come out better"
    return Verdict.INCONCLUSIVE, "it has not come out better yet"


def _bounds(leads: Sequence[float], alpha: float) -> tuple[float, float, float]:
    """Return the mean, and how far below and above it the truth may lie."""
    total, squared = sum(leads), sum(lead * lead for lead in leads)
    radius = confidence_sequence_radius(total, squared, len(leads), alpha=alpha, best_at=300)
    mean = total / len(leads)
    return mean, mean - radius, mean + radius


def _loss(answer: Answer) -> float:
    if answer.output is None or answer.outcome is None:
        raise ValueError(f"prediction {answer.id} has no answer or no outcome")
    return log_loss(answer.output, answer.outcome)
