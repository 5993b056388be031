"""Champion against challenger on the same requests: the champion must lose. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from trivet.ledger import Verdict
from trivet.monitoring import Answer
from trivet.monitoring.intervals import confidence_sequence_radius
from trivet.monitoring.tallying import log_loss

_ALPHA = 0.1
_SMALLEST_SLICE = 100


@dataclass(frozen=True, slots=True)
class Duel:
    """What the comparison came to."""

    verdict: Verdict
    summary: str
    numbers: dict[str, Any] = field(default_factory=dict)


def judge_duel(pairs: Sequence[tuple[Answer, Answer]], *, min_pairs: int, max_pairs: int) -> Duel:
    r"""Say whether the challenger takes the champion's place.

    $d_i = \ell(\text{champion})_i - \ell(\text{challenger})_i$ is the champion's excess of log
    loss on request $i$, which both computed and whose outcome is known. PASSED needs the lower
    end of a confidence sequence for its mean above 0, so that a challenger which is no better
    passes with a chance of 0.1 at most however often one looks, and no slice of 100 pairs or more
    on which the challenger is worse by more than chance (the slices share 0.1). FAILED where it
    is worse by more than chance, over all or on a slice, or undecided after `max_pairs`.

    Args:
        pairs: The champion's answer and the challenger's for the same request, both labelled.
        min_pairs: Fewer are NO_DATA or LEARNING, never a pass (I12).
        max_pairs: From so many on, undecided means that the champion stays.
    """
    valid = [pair for pair in pairs if None not in (pair[0].output, pair[1].output)]
    if not valid:
        return Duel(Verdict.NO_DATA, "No request with a known outcome was computed by both.")
    slices: dict[str, list[float]] = {"": []}
    for champion, challenger in valid:
        lead = _loss(champion) - _loss(challenger)
        for name in ("", *champion.slices):
            slices.setdefault(name, []).append(lead)
    tested = {
        name: leads for name, leads in slices.items() if name and len(leads) >= _SMALLEST_SLICE
    }
    overall = _bounds(slices[""], _ALPHA)
    worse = sorted(
        name for name, leads in tested.items() if _bounds(leads, _ALPHA / len(tested))[2] < 0
    )
    numbers = {
        "pairs": len(valid),
        "mean_lead": overall[0],
        "low": overall[1],
        "high": overall[2],
        "slices_tested": len(tested),
        "slices_worse": worse,
    }
    if len(valid) < min_pairs:
        said = f"{len(valid)} of {min_pairs} requests needed were computed by both."
        return Duel(Verdict.LEARNING, said, numbers)
    verdict, said = _verdict(overall, worse, is_last=len(valid) >= max_pairs)
    summary = (
        f"Over {len(valid)} requests the challenger's log loss is {-overall[0]:+.4f}: {said}."
    )
    return Duel(verdict, summary, numbers)


def _verdict(
    overall: tuple[float, float, float], worse: Sequence[str], *, is_last: bool
) -> tuple[Verdict, str]:
    _, low, high = overall
    if worse:
        return Verdict.FAILED, f"it is worse on {', '.join(worse)}"
    if high < 0:
        return Verdict.FAILED, "it is worse by more than chance"
    if low > 0:
        return Verdict.PASSED, "the champion loses by more than chance"
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
