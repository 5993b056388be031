"""Turn rows of monitoring's tables into records and back."""

from dataclasses import fields
from typing import Any

import msgspec

from trivet.monitoring.records import Answer, Tally, Window
from trivet.serving import Role, Status
from trivet.storage.sql.database import Row

_TALLY = tuple(field.name for field in fields(Tally))
_COUNTS = ("requests", "errors", "invalid", "labelled", "correct", "positives", "agreed")
SUMMED = (*_COUNTS, "loss", "loss_squared", "loss_positive")
"""The columns of a tally that a database can add up."""

_BETWEEN = "\x1f"  # ASCII's unit separator; twenty thousand JSON texts cost a third of a second


def tally_values(tally: Tally) -> dict[str, Any]:
    """Return the columns that hold a tally."""
    values = {name: getattr(tally, name) for name in _TALLY}
    values["latency"] = values["latency"] or None
    values["scores"] = values["scores"] or None
    return values


def to_tally(row: Row) -> Tally:
    """Return the tally a row holds."""
    values = {name: getattr(row, name) for name in _TALLY}
    values["latency"] = tuple(values["latency"] or ())
    values["scores"] = tuple(values["scores"] or ())
    return Tally(**values)


def to_sums(row: Row) -> Tally:
    """Return the tally of a row of sums, without histograms."""
    # PostgreSQL adds up whole numbers to a Decimal.
    sums: dict[str, Any] = {name: int(getattr(row, name)) for name in _COUNTS}
    sums |= {name: float(getattr(row, name)) for name in SUMMED[len(_COUNTS) :]}
    return Tally(**sums)


def to_window(row: Row) -> Window:
    """Return the window a row holds."""
    return Window(
        deployment=row.deployment,
        revision=row.revision,
        role=Role(row.role),
        slice=row.slice,
        hour=row.hour,
        tally=to_tally(row),
    )


def to_summed_window(row: Row) -> Window:
    """Return the window a row without histograms holds."""
    values = {name: getattr(row, name) for name in _TALLY if name not in ("latency", "scores")}
    return Window(
        deployment=row.deployment,
        revision=row.revision,
        role=Role(row.role),
        slice=row.slice,
        hour=row.hour,
        tally=Tally(**values),
    )


def answer_values(answer: Answer) -> dict[str, Any]:
    """Return the columns that hold an answer."""
    values = msgspec.structs.asdict(answer)
    values["slices"] = _BETWEEN.join(values["slices"])
    return values


def to_answer(row: Row) -> Answer:
    """Return the answer a row holds."""
    values = dict(row._mapping)
    values["role"] = Role(values["role"])
    values["status"] = Status(values["status"])
    values["slices"] = tuple(filter(None, values["slices"].split(_BETWEEN)))
    return Answer(**values)
