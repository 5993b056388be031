"""Windows, answers and outcomes in the database."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from trivet.ledger import Recorder
from trivet.monitoring import sql_folding as folding
from trivet.monitoring.errors import AnswerNotFound, FoldOvertaken
from trivet.monitoring.records import Answer, Tally, Window
from trivet.monitoring.sql_rows import (
    SUMMED,
    to_answer,
    to_summed_window,
    to_sums,
    to_tally,
    to_window,
)
from trivet.monitoring.store import Added, Batch, FeatureCounts
from trivet.monitoring.tallying import hour_of, tallies
from trivet.serving import Role, Status
from trivet.storage.sql.database import Database
from trivet.storage.sql.schema import monitoring as schema

_POSITION = "journal"
_KEEP_ANSWERS = timedelta(days=90)


class SqlWindowStore:
    """Keeps a row for each window, and one for each answer whose outcome may still come.

    Answers and outcomes are forgotten 90 days of wall-clock time after they were given; the
    windows they were added to stay.
    """

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def position(self) -> tuple[dict[str, Any], int]:
        with self._database.read() as connection:
            row = connection.execute(
                select(schema.fold_positions).where(schema.fold_positions.c.name == _POSITION)
            ).one_or_none()
        return (row.position, row.version) if row else ({}, 0)

    def add(self, batch: Batch) -> Added:
        with self._database.write() as connection:
            self._move_position(connection, batch)
            new = folding.add_outcomes(connection, batch.outcomes)
            # Joined before the batch's own answers are stored, which get theirs on insertion.
            joined = folding.join_outcomes(connection, new)
            answers = folding.add_answers(connection, batch.answers, new)
            labelled = [answer for answer in answers if answer.outcome is not None] + joined
            added = tallies(answers, labelled)
            folding.add_to_windows(connection, added)
            folding.add_to_totals(connection, added)
            folding.move_latest(connection, answers)
            folding.add_feature_hours(connection, batch.features)
            self._forget(connection)
        return Added(
            answers=len(answers), outcomes=len(new), labelled=len(labelled), windows=len(added)
        )

    def _move_position(self, connection: Connection, batch: Batch) -> None:
        positions = schema.fold_positions
        values = {"position": batch.position, "version": batch.expected + 1}
        moved = connection.execute(
            update(positions)
            .where((positions.c.name == _POSITION) & (positions.c.version == batch.expected))
            .values(values)
        )
        if moved.rowcount == 1:
            return
        if batch.expected != 0:
            raise FoldOvertaken(batch.expected)
        try:
            connection.execute(insert(positions), {"name": _POSITION, **values})
        except IntegrityError:  # Another process folded for the first time just before.
            raise FoldOvertaken(batch.expected) from None

    def _forget(self, connection: Connection) -> None:
        cutoff = self._recorder.clock() - _KEEP_ANSWERS
        for table in (schema.answers, schema.outcomes):
            connection.execute(delete(table).where(table.c.at < cutoff))

    def query(
        self,
        deployment: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        revision: int | None = None,
        role: Role | None = Role.PRIMARY,
        slice: str | None = "",  # noqa: A002 - the domain's word
        histograms: bool = True,
    ) -> list[Window]:
        windows = schema.windows
        wanted: list[ColumnElement[bool]] = [windows.c.deployment == deployment]
        if since is not None:
            wanted.append(windows.c.hour >= hour_of(since))
        if until is not None:
            wanted.append(windows.c.hour < until)
        if revision is not None:
            wanted.append(windows.c.revision == revision)
        if role is not None:
            wanted.append(windows.c.role == role)
        if slice is not None:
            wanted.append(windows.c.slice == slice)
        columns = [
            column
            for column in windows.c
            if histograms or column.name not in ("latency", "scores")
        ]
        query = select(*columns).where(*wanted)
        query = query.order_by(windows.c.hour, windows.c.slice, windows.c.revision)
        to_found = to_window if histograms else to_summed_window
        with self._database.read() as connection:
            return [to_found(row) for row in connection.execute(query)]

    def slice_totals(
        self,
        deployment: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        revision: int | None = None,
    ) -> dict[str, Tally]:
        """Return what callers were answered in each slice, `""` for all; added up by the database.

        Histograms are left out.
        """
        windows = schema.windows
        wanted = [windows.c.deployment == deployment, windows.c.role == Role.PRIMARY]
        if since is not None:
            wanted.append(windows.c.hour >= hour_of(since))
        if until is not None:
            wanted.append(windows.c.hour < until)
        if revision is not None:
            wanted.append(windows.c.revision == revision)
        sums = [func.sum(windows.c[name]).label(name) for name in SUMMED]
        query = select(windows.c.slice, *sums).where(*wanted).group_by(windows.c.slice)
        with self._database.read() as connection:
            return {row.slice: to_sums(row) for row in connection.execute(query)}

    def tallies(self, deployment: str) -> dict[tuple[int, Role], Tally]:
        totals = schema.window_totals
        with self._database.read() as connection:
            rows = connection.execute(select(totals).where(totals.c.deployment == deployment))
            return {(row.revision, Role(row.role)): to_tally(row) for row in rows}

    def latest_event(self, deployment: str) -> datetime | None:
        totals = schema.window_totals
        return self._event(deployment, func.max(totals.c.latest_event_at))

    def first_event(self, deployment: str) -> datetime | None:
        """Return the hour of the oldest event time the deployment was asked about."""
        return self._event(deployment, func.min(schema.window_totals.c.first_event_at))

    def _event(self, deployment: str, chosen: ColumnElement[datetime]) -> datetime | None:
        mine = schema.window_totals.c.deployment == deployment
        with self._database.read() as connection:
            found: datetime | None = connection.execute(select(chosen).where(mine)).scalar()
        return found

    def list_deployments(self) -> list[str]:
        """Return the deployments that have answered, by name."""
        totals = schema.window_totals
        with self._database.read() as connection:
            query = select(totals.c.deployment).distinct().order_by(totals.c.deployment)
            return list(connection.execute(query).scalars())

    def feature_counts(
        self,
        deployment: str,
        revision: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> FeatureCounts:
        hours = schema.feature_hours
        wanted = [hours.c.deployment == deployment, hours.c.revision == revision]
        if since is not None:
            wanted.append(hours.c.hour >= hour_of(since))
        if until is not None:
            wanted.append(hours.c.hour < until)
        sums: dict[str, list[int]] = {}
        with self._database.read() as connection:
            for counts in connection.execute(select(hours.c.counts).where(*wanted)).scalars():
                for name, bins in counts.items():
                    before = sums.get(name)
                    sums[name] = (
                        bins
                        if before is None
                        else [a + b for a, b in zip(before, bins, strict=True)]
                    )
        return {name: tuple(bins) for name, bins in sums.items()}

    def list_answers(
        self,
        deployment: str,
        *,
        revision: int | None = None,
        role: Role | None = Role.PRIMARY,
        harmful: bool = False,
        since: datetime | None = None,
        event_since: datetime | None = None,
        limit: int = 10,
        oldest_first: bool = False,
    ) -> list[Answer]:
        answers = schema.answers
        wanted: list[ColumnElement[bool]] = [answers.c.deployment == deployment]
        if revision is not None:
            wanted.append(answers.c.revision == revision)
        if role is not None:
            wanted.append(answers.c.role == role)
        if since is not None:
            wanted.append(answers.c.at >= since)
        if event_since is not None:
            wanted.append(answers.c.event_at >= event_since)
        if harmful:
            failed = answers.c.status != Status.OK
            wanted.append(or_(failed, answers.c.label != answers.c.outcome))
        order = (
            (answers.c.at, answers.c.id)
            if oldest_first
            else (
                answers.c.at.desc(),
                answers.c.id.desc(),
            )
        )
        query = select(answers).where(*wanted).order_by(*order).limit(limit)
        with self._database.read() as connection:
            return [to_answer(row) for row in connection.execute(query)]

    def count_answers(
        self, deployment: str, revision: int, since: datetime, until: datetime
    ) -> tuple[int, int]:
        """Return how many callers a revision answered on the wall clock, and how many got any."""
        answers = schema.answers
        query = select(func.count().filter(answers.c.revision == revision), func.count()).where(
            answers.c.deployment == deployment,
            answers.c.role == Role.PRIMARY,
            answers.c.at.between(since, until),
        )
        with self._database.read() as connection:
            mine, everyone = connection.execute(query).one()
        return mine, everyone

    def get_answer(self, prediction: str) -> Answer:
        """Return what monitoring remembers of a prediction."""
        with self._database.read() as connection:
            row = connection.execute(
                select(schema.answers).where(schema.answers.c.id == prediction)
            ).one_or_none()
        if row is None:
            raise AnswerNotFound(prediction)
        return to_answer(row)

    def pairs(
        self, deployment: str, champion: int, challenger: int, *, limit: int = 10_000
    ) -> list[tuple[Answer, Answer]]:
        answers = schema.answers
        query = (
            select(answers)
            .where(
                answers.c.deployment == deployment,
                answers.c.revision.in_((champion, challenger)),
                answers.c.outcome.is_not(None),
                answers.c.request.in_(
                    select(answers.c.request).where(
                        answers.c.deployment == deployment,
                        answers.c.revision == challenger,
                        answers.c.role == Role.SHADOW,
                    )
                ),
            )
            .order_by(answers.c.at.desc())
            .limit(2 * limit)
        )
        found: dict[str, dict[int, Answer]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.request, {})[row.revision] = to_answer(row)
        return [
            (pair[champion], pair[challenger])
            for pair in found.values()
            if champion in pair and challenger in pair
        ]
