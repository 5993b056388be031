"""What adding a batch writes: answers, outcomes, windows, totals, feature counts, in this order.

Every function works on the connection of the one transaction that also moves the position.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np
from sqlalchemy import Column, Connection, Table, bindparam, insert, select, update

from trivet.monitoring.records import Answer, Tally
from trivet.monitoring.sql_rows import answer_values, tally_values, to_answer, to_tally
from trivet.monitoring.store import FeatureHour, Outcome
from trivet.monitoring.tallying import Key
from trivet.serving import Role
from trivet.storage.sql.schema import monitoring as schema

T = TypeVar("T")
_AT_ONCE = 1_000  # values in one IN list


def add_outcomes(connection: Connection, outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    """Store the outcomes that are new and return them by request; the first one counts."""
    new: dict[str, Outcome] = {}
    for outcome in outcomes:
        new.setdefault(outcome.request, outcome)
    for request in _known(connection, schema.outcomes.c.request, new):
        del new[request]
    if new:
        connection.execute(
            insert(schema.outcomes),
            [msgspec.structs.asdict(outcome) for outcome in new.values()],
        )
    return new


def add_answers(
    connection: Connection, answers: Sequence[Answer], new: Mapping[str, Outcome]
) -> list[Answer]:
    """Store new answers, with the outcomes that came before them, and return them so."""
    ids = {answer.id: answer for answer in answers}
    for known in _known(connection, schema.answers.c.id, ids):
        del ids[known]
    answers = list(ids.values())
    outcome_of = {request: outcome.outcome for request, outcome in new.items()}
    missing = {answer.request for answer in answers} - outcome_of.keys()
    for chunk in _chunks(missing):
        rows = connection.execute(
            select(schema.outcomes.c.request, schema.outcomes.c.outcome).where(
                schema.outcomes.c.request.in_(chunk)
            )
        )
        outcome_of.update((row.request, row.outcome) for row in rows)
    stored = [
        msgspec.structs.replace(answer, outcome=outcome_of[answer.request])
        if answer.request in outcome_of
        else answer
        for answer in answers
    ]
    if stored:
        connection.execute(insert(schema.answers), [answer_values(answer) for answer in stored])
    return stored


def join_outcomes(connection: Connection, new: Mapping[str, Outcome]) -> list[Answer]:
    """Give earlier answers their new outcomes and return those answers."""
    answers = schema.answers
    joined: list[Answer] = []
    for chunk in _chunks(new):
        waiting = answers.c.request.in_(chunk) & answers.c.outcome.is_(None)
        joined += [
            msgspec.structs.replace(to_answer(row), outcome=new[row.request].outcome)
            for row in connection.execute(select(answers).where(waiting))
        ]
    if joined:
        connection.execute(
            update(answers)
            .where(answers.c.id == bindparam("answer"))
            .values(outcome=bindparam("known")),
            [{"answer": answer.id, "known": answer.outcome} for answer in joined],
        )
    return joined


def add_to_windows(connection: Connection, added: Mapping[Key, Tally]) -> None:
    """Add tallies to the windows of their hours."""
    windows = schema.windows
    found: dict[Key, Tally] = {}
    for deployment in {key.deployment for key in added}:
        hours = {key.hour for key in added if key.deployment == deployment}
        for chunk in _chunks(hours):
            there = (windows.c.deployment == deployment) & windows.c.hour.in_(chunk)
            for row in connection.execute(select(windows).where(there)):
                key = Key(row.deployment, row.hour, row.slice, row.revision, Role(row.role))
                if key in added:
                    found[key] = to_tally(row)
    _put(
        connection,
        windows,
        [
            ({**key._asdict(), **tally_values(found.get(key, Tally()) + tally)}, key in found)
            for key, tally in added.items()
        ],
    )


def add_to_totals(connection: Connection, added: Mapping[Key, Tally]) -> None:
    """Add the tallies of all requests to the totals of their revisions."""
    totals = schema.window_totals
    sums: dict[tuple[str, int, Role], dict[str, Any]] = {}
    for row in connection.execute(select(totals)):
        values = dict(row._mapping)
        sums[row.deployment, row.revision, Role(row.role)] = {**values, "tally": to_tally(row)}
    stored = set(sums)
    touched = set()
    for key, tally in added.items():
        if key.slice:
            continue
        at = (key.deployment, key.revision, key.role)
        touched.add(at)
        total = sums.setdefault(
            at, {"first_event_at": key.hour, "latest_event_at": key.hour, "tally": Tally()}
        )
        total["tally"] += tally
        total["first_event_at"] = min(total["first_event_at"], key.hour)
    rows = []
    for at in touched:
        deployment, revision, role = at
        total = sums[at]
        values = {
            "deployment": deployment,
            "revision": revision,
            "role": role,
            "first_event_at": total["first_event_at"],
            "latest_event_at": total["latest_event_at"],
            **tally_values(total["tally"]),
        }
        rows.append((values, at in stored))
    _put(connection, totals, rows)


def move_latest(connection: Connection, answers: Iterable[Answer]) -> None:
    """Note the newest event time of each revision that answered."""
    totals = schema.window_totals
    newest: dict[tuple[str, int, Role], Any] = {}
    for answer in answers:
        at = (answer.deployment, answer.revision, answer.role)
        newest[at] = max(newest.get(at, answer.event_at), answer.event_at)
    for (deployment, revision, role), event_at in newest.items():
        connection.execute(
            update(totals)
            .where(
                (totals.c.deployment == deployment)
                & (totals.c.revision == revision)
                & (totals.c.role == role)
                & (totals.c.latest_event_at < event_at)
            )
            .values(latest_event_at=event_at)
        )


def add_feature_hours(connection: Connection, added: Sequence[FeatureHour]) -> None:
    """Add feature counts to those of their hours."""
    table = schema.feature_hours
    found: dict[tuple[str, int, Any], dict[str, list[int]]] = {}
    for deployment, revision in {(hour.deployment, hour.revision) for hour in added}:
        hours = [h.hour for h in added if (h.deployment, h.revision) == (deployment, revision)]
        for chunk in _chunks(hours):
            there = (table.c.deployment == deployment) & (table.c.revision == revision)
            for row in connection.execute(select(table).where(there & table.c.hour.in_(chunk))):
                found[deployment, revision, row.hour] = row.counts
    rows = []
    for hour in added:
        at = (hour.deployment, hour.revision, hour.hour)
        before = found.get(at, {})
        counts = {
            name: (np.asarray(before[name]) + new if name in before else new).tolist()
            for name, new in hour.counts.items()
        }
        values = {"deployment": at[0], "revision": at[1], "hour": at[2], "counts": counts}
        rows.append((values, at in found))
    _put(connection, table, rows)


def _put(
    connection: Connection, table: Table, rows: Sequence[tuple[dict[str, Any], bool]]
) -> None:
    """Insert rows that are new and overwrite the others, told apart by the flag."""
    new = [values for values, exists in rows if not exists]
    old = [values for values, exists in rows if exists]
    if new:
        connection.execute(insert(table), new)
    if old:
        keys = [column.name for column in table.primary_key]
        statement = update(table).values(
            {name: bindparam(name) for name in old[0] if name not in keys}
        )
        for name in keys:
            statement = statement.where(table.c[name] == bindparam(f"old_{name}"))
        connection.execute(
            statement,
            [
                {f"old_{name}" if name in keys else name: value for name, value in row.items()}
                for row in old
            ],
        )


def _known(connection: Connection, column: "Column[str]", values: Iterable[str]) -> list[str]:
    """Return those of `values` that the column holds."""
    known: list[str] = []
    for chunk in _chunks(values):
        known += connection.execute(select(column).where(column.in_(chunk))).scalars()
    return known


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    everything = list(values)
    for start in range(0, len(everything), _AT_ONCE):
        yield everything[start : start + _AT_ONCE]
