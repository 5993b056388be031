"""Pages of experiments and runs: what was tried, what it gave, and how runs differ."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from trivet.app import App
from trivet.server.ui.charts import Axis, Chart, line, thinned
from trivet.server.ui.graph import Drawing
from trivet.server.ui.lineage import draw_lineage
from trivet.server.ui.page import Page
from trivet.tracking import Experiment, Metric, Run, RunData, RunId, RunKind

_CURVES = 12
_COMPARED = 6
_COUNTED = ("rows", "base_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run in a list, with its newest metrics."""

    run: Run
    seconds: float | None
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRow:
    """An experiment in a list, with its newest runs."""

    experiment: Experiment
    latest: Run | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage:
    """Experiments, and the runs of all of them or of one.

    Attributes:
        metrics: The metrics that most of the runs have, for the table's columns.
    """

    experiments: tuple[ExperimentRow, ...]
    experiment: Experiment | None
    runs: tuple[RunRow, ...]
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A metric over steps."""

    key: str
    values: int
    chart: Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTable:
    """Metrics that share their last name, such as `train.auc` and `test.auc`, side by side.

    Attributes:
        columns: What stands before the last dot.
        rows: The last names, each with a value for each column, None where there is none.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """One run.

    Attributes:
        table: Of the metrics, those that were measured in several places.
        others: The other metrics.
    """

    run: Run
    seconds: float | None
    data: RunData
    table: MetricTable
    others: dict[str, float]
    curves: tuple[Curve, ...]
    children: tuple[RunRow, ...]
    lineage: Drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """A param or metric in every compared run; None where a run has none."""

    name: str
    values: tuple[str | float | None, ...]
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePage:
    """Several runs beside each other."""

    runs: tuple[RunRow, ...]
    params: tuple[ComparedRow, ...]
    metrics: tuple[ComparedRow, ...]
    curves: tuple[Curve, ...]


def load_runs(app: App, request: Request) -> RunsPage:
    """Read the newest runs, of one experiment where the path names it."""
    name = request.path_params.get("name")
    experiments = app.experiments.list_experiments()
    runs = app.runs.list_runs(experiment=name, limit=60)
    rows = tuple(_row(app, run) for run in runs if run.kind is not RunKind.STEP)
    return RunsPage(
        experiments=tuple(_experiment(app, one) for one in experiments),
        experiment=app.experiments.get_experiment(name) if name else None,
        runs=rows,
        metrics=_common(rows),
    )


def load_run(app: App, request: Request) -> RunPage:
    """Read one run."""
    run = app.runs.get_run(RunId(request.path_params["id"]))
    data = app.runs.get_data(run.id)
    table = tabulate(data.metrics)
    return RunPage(
        run=run,
        seconds=seconds_of(run),
        data=data,
        table=table,
        others={
            key: value
            for key, value in sorted(data.metrics.items())
            if key.rpartition(".")[0] not in table.columns
        },
        curves=_curves(app, [run], sorted(data.metrics)),
        children=tuple(_row(app, one) for one in reversed(app.runs.list_runs(parent=run.id))),
        lineage=draw_lineage(app, run.ref, depth=3),
    )


def load_compare(app: App, request: Request) -> ComparePage:
    """Read the runs that `?run=` names, six at most."""
    asked = request.query_params.getlist("run")[:_COMPARED]
    runs = [app.runs.get_run(RunId(one)) for one in asked]
    data = [app.runs.get_data(run.id) for run in runs]
    metrics = sorted({name for one in data for name in one.metrics})
    return ComparePage(
        runs=tuple(_row(app, run) for run in runs),
        params=_compared([one.params for one in data]),
        metrics=_compared([one.metrics for one in data]),
        curves=_curves(app, runs, metrics),
    )


def tabulate(metrics: Mapping[str, float]) -> MetricTable:
    """Return the metrics whose last names recur under several prefixes as one table."""
    places: dict[str, set[str]] = {}
    for key in metrics:
        prefix, _, name = key.rpartition(".")
        if prefix:
            places.setdefault(name, set()).add(prefix)
    counts = Counter(p for prefixes in places.values() if len(prefixes) > 1 for p in prefixes)
    columns = tuple(sorted((p for p, count in counts.items() if count > 1), key=_place))
    names = sorted(
        {key.rpartition(".")[2] for key in metrics if key.rpartition(".")[0] in columns}
    )
    return MetricTable(
        columns=columns,
        rows=tuple(
            (name, tuple(metrics.get(f"{column}.{name}") for column in columns)) for name in names
        ),
    )


def _place(prefix: str) -> tuple[int, str]:
    """Return where a column stands: what was judged last, which decides, comes first."""
    order = ("test", "validation", "train")
    head = prefix.partition(".")[0]
    return (order.index(head) if head in order else len(order), prefix)


def seconds_of(run: Run) -> float | None:
    """Return how long a run took, or None while it goes on."""
    return (run.ended_at - run.started_at).total_seconds() if run.ended_at else None


def _row(app: App, run: Run) -> RunRow:
    return RunRow(run=run, seconds=seconds_of(run), metrics=app.runs.get_data(run.id).metrics)


def _experiment(app: App, experiment: Experiment) -> ExperimentRow:
    runs = app.runs.list_runs(experiment=experiment.name, limit=1)
    return ExperimentRow(experiment=experiment, latest=runs[0] if runs else None)


def _common(rows: Sequence[RunRow], most: int = 4) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for row in rows:
        for name in row.metrics:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], *_rank(name)))[:most])


def _rank(name: str) -> tuple[bool, int, str]:
    """Return where a metric stands: what says how good a model is first, then what was counted."""
    prefix, _, last = name.rpartition(".")
    return (last in _COUNTED or prefix == "rows", _place(prefix)[0], name)


def _compared(
    columns: Sequence[dict[str, str]] | Sequence[dict[str, float]],
) -> tuple[ComparedRow, ...]:
    names = sorted({name for column in columns for name in column})
    rows = []
    for name in names:
        values = tuple(column.get(name) for column in columns)
        rows.append(ComparedRow(name=name, values=values, differs=len(set(values)) > 1))
    return tuple(sorted(rows, key=lambda row: (not row.differs, *_rank(row.name))))


def _curves(app: App, runs: Sequence[Run], keys: Sequence[str]) -> tuple[Curve, ...]:
    """Return a chart for each metric that has more than one value in some run."""
    curves = []
    for key in keys:
        histories = [(run, app.runs.metric_history(run.id, key)) for run in runs]
        most = max((len(history) for _, history in histories), default=0)
        if most > 1:
            chart = Chart(
                axis=Axis.NUMBER,
                x_name="step",
                series=tuple(
                    line(key if len(runs) == 1 else _name(run), thinned(_points(history)))
                    for run, history in histories
                ),
            )
            curves.append(Curve(key=key, values=most, chart=chart))
    return tuple(curves[:_CURVES])


def _points(history: Sequence[Metric]) -> list[tuple[datetime | float | str, float]]:
    return [(metric.step, metric.value) for metric in history]


def _name(run: Run) -> str:
    return f"{run.name or run.experiment} {run.id[-4:]}"


PAGES = (
    Page(address="/runs/compare", template="runs/compare.html", room="runs", load=load_compare),
    Page(address="/runs", template="runs/list.html", room="runs", load=load_runs),
    Page(
        address="/experiments/{name:path}", template="runs/list.html", room="runs", load=load_runs
    ),
    Page(address="/runs/{id}", template="runs/show.html", room="runs", load=load_run),
)
