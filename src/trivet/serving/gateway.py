"""The gateway: from checked rows to answers that are journalled before they are given.

It knows nothing of HTTP, and nothing of where routing tables come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from trivet.kernel.clock import Clock, Stopwatch
from trivet.kernel.ids import NewId
from trivet.serving.assignment import assign, is_shadowed
from trivet.serving.errors import DeploymentNotServed, JournalFailed
from trivet.serving.journal import JournalWriter
from trivet.serving.metrics import Metrics
from trivet.serving.records import Prediction, Role, RoutingTable, Status
from trivet.serving.requests import Row, check_rows, event_times, unit_of
from trivet.serving.revisions import Outcome, Revision, Timing
from trivet.serving.shadows import ShadowJob, ShadowWorker, candidate_outcomes


@dataclass(frozen=True, slots=True)
class Route:
    """A routing table with its revisions loaded; swapped whole between two requests."""

    table: RoutingTable
    revisions: Mapping[int, Revision]


class Answer(msgspec.Struct, omit_defaults=True, gc=False):
    """The answer to one row.

    Where the candidate failed or answered what its signature forbids, the stable revision has
    answered instead and `fallback` is true. Where that fails too there is no probability and no
    label but an `error`.
    """

    id: str
    probability: float | None
    label: int | None
    revision: int
    model: str
    fallback: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to a request, and the generation of the table that chose who gave them.

    `is_journalled` is false where the disk refused the prediction log: callers are answered all
    the same, and the gateway says so in its health, its metrics and a header.
    """

    answers: list[Answer]
    generation: int
    is_journalled: bool


@dataclass(slots=True)
class _Request:
    """A request on its way through the gateway."""

    route: Route
    rows: Sequence[Row]
    now: datetime
    at: list[datetime]
    ids: list[str]
    units: list[str]
    began: float
    timing: Timing


@dataclass(slots=True)
class _Computed:
    """Who answered a row, and what; `failed` is the candidate's outcome that was replaced."""

    revision: Revision
    outcome: Outcome
    failed: tuple[Revision, Outcome] | None = None


class Gateway:
    """Answers requests by the routes it was given last; safe to call from several threads."""

    def __init__(
        self,
        journal: JournalWriter,
        metrics: Metrics,
        shadows: ShadowWorker,
        *,
        clock: Clock,
        new_id: NewId,
        stopwatch: Stopwatch,
    ) -> None:
        self.routes: dict[str, Route] = {}
        self.journal = journal
        self.metrics = metrics
        self.shadows = shadows
        self.clock = clock
        self.stopwatch = stopwatch
        self._new_id = new_id

    def route(self, deployment: str) -> Route:
        """Return the deployment's route, or raise `DeploymentNotServed`."""
        route = self.routes.get(deployment)
        if route is None:
            raise DeploymentNotServed(deployment)
        return route

    def take(self, route: Route) -> bool:
        """Serve by this route from the next request on, unless the one in force is newer."""
        table = route.table
        current = self.routes.get(table.deployment)
        if current is not None and (
            table.generation <= current.table.generation or table.fence < current.table.fence
        ):
            return False
        self.routes = {**self.routes, table.deployment: route}
        return True

    def infer(self, route: Route, rows: Sequence[Row], began: float) -> Answers:
        """Answer the rows, and write down what was answered before returning it.

        Args:
            route: Whose table decides; looked up once, so that a request sees one generation.
            rows: The request's columns; checked here against the stable revision's signature.
            began: The stopwatch's reading when the request was complete.

        Raises:
            BadRequest: A row lacks a column or has a value of another type.
            Unavailable: The features cannot be looked up.
        """
        check_rows(rows)
        route.revisions[route.table.stable].schema.check(rows)
        now = self.clock()
        ids = [self._new_id() for _ in rows]
        at = event_times(rows, now)
        units = _units(route.table, rows, ids)
        request = _Request(route, rows, now, at, ids, units, began, Timing())
        computed = _compute(request)
        is_journalled = self._journal(request, computed)
        self._offer_shadow(request, computed)
        self._measure(request, computed)
        answers = [
            _to_answer(prediction_id, row)
            for prediction_id, row in zip(ids, computed, strict=True)
        ]
        return Answers(answers, route.table.generation, is_journalled)

    def _journal(self, request: _Request, computed: list[_Computed]) -> bool:
        began = self.stopwatch()
        latency_ms = (began - request.began) * 1000
        predictions = []
        for position, row in enumerate(computed):
            if row.failed is not None:
                revision, outcome = row.failed
                predictions.append(
                    _to_prediction(
                        request, position, revision, outcome, self._new_id(), latency_ms
                    )
                )
            predictions.append(
                _to_prediction(
                    request, position, row.revision, row.outcome, request.ids[position], latency_ms
                )
            )
        try:
            self.journal.append(predictions)
        except JournalFailed:
            self.metrics.counted("journal_failed")
            return False
        finally:
            request.timing.journal = self.stopwatch() - began
        return True

    def _offer_shadow(self, request: _Request, computed: list[_Computed]) -> None:
        table = request.route.table
        if table.shadow <= 0 or table.candidate is None:
            return
        chosen = [
            position
            for position, row in enumerate(computed)
            if row.revision.number == table.stable
            and row.failed is None
            and is_shadowed(table, request.units[position])
        ]
        if chosen:
            self.shadows.offer(
                ShadowJob(
                    deployment=table.deployment,
                    generation=table.generation,
                    candidate=request.route.revisions[table.candidate],
                    rows=[request.rows[position] for position in chosen],
                    at=[request.at[position] for position in chosen],
                    units=[request.units[position] for position in chosen],
                    answered=[
                        (request.ids[position], computed[position].outcome.label)
                        for position in chosen
                    ],
                )
            )

    def _measure(self, request: _Request, computed: list[_Computed]) -> None:
        deployment = request.route.table.deployment
        answers = [(row.revision.number, row.outcome.status) for row in computed]
        answers += [(row.failed[0].number, row.failed[1].status) for row in computed if row.failed]
        self.metrics.answered(deployment, answers)
        timing = request.timing
        self.metrics.took(
            deployment,
            self.stopwatch() - request.began,
            {"features": timing.features, "predict": timing.predict, "journal": timing.journal},
        )


def _units(table: RoutingTable, rows: Sequence[Row], ids: list[str]) -> list[str]:
    column = table.unit
    if column is None:
        return ids
    return [
        prediction_id
        if row.get(column) is None
        else unit_of(f"rows[{position}].{column}", row[column])
        for position, (row, prediction_id) in enumerate(zip(rows, ids, strict=True))
    ]


def _compute(request: _Request) -> list[_Computed]:
    table, revisions = request.route.table, request.route.revisions
    stable = revisions[table.stable]
    if table.candidate is None or table.weight <= 0:
        outcomes = stable.answer(request.rows, request.at, request.timing)
        return [_Computed(stable, outcome) for outcome in outcomes]
    tried = [
        position
        for position, unit in enumerate(request.units)
        if assign(table, unit) == table.candidate
    ]
    candidate = revisions[table.candidate]
    by_candidate = dict(zip(tried, _answer_some(candidate, request, tried), strict=True))
    rest = [
        position
        for position in range(len(request.rows))
        if position not in by_candidate or by_candidate[position].status is not Status.OK
    ]
    by_stable = dict(zip(rest, _answer_some(stable, request, rest), strict=True))
    computed = []
    for position in range(len(request.rows)):
        tried_outcome = by_candidate.get(position)
        if position not in by_stable and tried_outcome is not None:
            computed.append(_Computed(candidate, tried_outcome))
        else:
            failed = None if tried_outcome is None else (candidate, tried_outcome)
            computed.append(_Computed(stable, by_stable[position], failed))
    return computed


def _answer_some(revision: Revision, request: _Request, positions: list[int]) -> list[Outcome]:
    if not positions:
        return []
    rows = [request.rows[position] for position in positions]
    at = [request.at[position] for position in positions]
    if revision.number == request.route.table.stable:
        return revision.answer(rows, at, request.timing)
    return candidate_outcomes(revision, rows, at, request.timing)


def _to_prediction(
    request: _Request,
    position: int,
    revision: Revision,
    outcome: Outcome,
    prediction_id: str,
    latency_ms: float,
) -> Prediction:
    return Prediction(
        id=prediction_id,
        at=request.now,
        event_at=request.at[position],
        deployment=request.route.table.deployment,
        revision=revision.number,
        generation=request.route.table.generation,
        role=Role.PRIMARY,
        status=outcome.status,
        unit=request.units[position],
        inputs=revision.schema.inputs(request.rows[position]),
        features=outcome.features,
        output=outcome.output,
        label=outcome.label,
        latency_ms=latency_ms,
        error=outcome.error,
    )


def _to_answer(prediction_id: str, row: _Computed) -> Answer:
    return Answer(
        id=prediction_id,
        probability=row.outcome.output,
        label=row.outcome.label,
        revision=row.revision.number,
        model=row.revision.spec.model,
        fallback=row.failed is not None,
        error=row.outcome.error,
    )
