"""How each slice of a deployment's requests did, against the weeks before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from trivet.app import App
from trivet.monitoring import Tally
from trivet.monitoring.series import to_point

RECENT = timedelta(days=7)
_BEFORE = timedelta(days=28)
_FEW_LABELS = 30
_WORSE = 0.03
_MUCH_LOSS = 0.05
_SLICES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """How one slice did in the newest seven days, and in the four weeks before.

    Attributes:
        points: Its accuracy less that of before, in points.
        tone: `bad` where its accuracy is lower than before by more than chance, `warn` where it
            is lower by three points, `good` otherwise, "" where too few outcomes are known.
        loss_tone: The same of its log loss, where 0.05 more is a warning.
    """

    slice: str
    requests: int
    labelled: int
    error_rate: float | None
    accuracy: float | None
    low: float | None
    high: float | None
    before: float | None
    points: float | None
    log_loss: float | None
    loss_before: float | None
    positive_rate: float | None
    tone: str
    loss_tone: str


def read_slices(
    app: App, name: str, latest: datetime | None, limit: int = _SLICES
) -> tuple[SliceRow, ...]:
    """Return the whole first, then the slices, worst first."""
    if latest is None:
        return ()
    edge = latest - RECENT
    old = app.windows.slice_totals(name, since=edge - _BEFORE, until=edge)
    new = app.windows.slice_totals(name, since=edge)
    rows = [
        _row(slice_name, edge, old.get(slice_name, Tally()), new[slice_name]) for slice_name in new
    ]
    worst_first = sorted(rows, key=lambda row: (row.slice != "", _rank(row), -row.requests))
    return tuple(worst_first[:limit])


def _rank(row: SliceRow) -> int:
    return {"bad": 0, "warn": 1, "good": 2}.get(row.tone, 3)


def _row(name: str, edge: datetime, old: Tally, new: Tally) -> SliceRow:
    point = to_point(edge, new)
    enough = new.labelled >= _FEW_LABELS
    return SliceRow(
        slice=name,
        requests=new.requests,
        labelled=new.labelled,
        error_rate=new.error_rate,
        accuracy=point.accuracy,
        low=point.accuracy_low,
        high=point.accuracy_high,
        before=old.accuracy,
        points=_points(point.accuracy, old.accuracy),
        log_loss=new.log_loss,
        loss_before=old.log_loss,
        positive_rate=new.positives / new.labelled if new.labelled else None,
        tone=_tone(point.accuracy, point.accuracy_high, old.accuracy) if enough else "",
        loss_tone=_loss_tone(point.log_loss, point.log_loss_low, old.log_loss) if enough else "",
    )


def _points(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else (now - before) * 100


def _tone(accuracy: float | None, high: float | None, before: float | None) -> str:
    if accuracy is None:
        return ""
    if before is None:
        return "good"
    if high is not None and high < before:
        return "bad"
    return "warn" if accuracy < before - _WORSE else "good"


def _loss_tone(loss: float | None, low: float | None, before: float | None) -> str:
    if loss is None:
        return ""
    if before is None:
        return "good"
    if low is not None and low > before:
        return "bad"
    return "warn" if loss > before + _MUCH_LOSS else "good"
