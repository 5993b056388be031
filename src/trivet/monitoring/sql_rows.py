"""Turn rows of monitoring's tables into records and back."""

from dataclasses import fields
from typing import Any

from trivet.monitoring.records import Answer, Tally, Window
from trivet.serving import Role, Status
from trivet.storage.sql.database import Row

_TALLY = tuple(field.name for field in fields(Tally))
_ANSWER = tuple(field.name for field in fields(Answer))


def tally_values(tally: Tally) -> dict[str, Any]:
    """Return the columns that hold a tally."""
    return {name: getattr(tally, name) for name in _TALLY}


def to_tally(row: Row) -> Tally:
    """Return the tally a row holds."""
    values = {name: getattr(row, name) for name in _TALLY}
    values["latency"] = tuple(values["latency"])
    values["scores"] = tuple(values["scores"])
    return Tally(**values)


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


def answer_values(answer: Answer) -> dict[str, Any]:
    """Return the columns that hold an answer."""
    return {name: getattr(answer, name) for name in _ANSWER}


def to_answer(row: Row) -> Answer:
    """Return the answer a row holds."""
    values = dict(row._mapping)
    values["role"] = Role(values["role"])
    values["status"] = Status(values["status"])
    values["slices"] = tuple(values["slices"])
    return Answer(**values)
