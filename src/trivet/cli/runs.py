"""`trivet runs …`."""

import json
from collections.abc import Sequence
from typing import Any

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, print_table
from trivet.cli.run import report_lost
from trivet.kernel.digests import Digest
from trivet.kernel.durations import format_duration
from trivet.kernel.errors import InvalidInput
from trivet.pipelines import pipeline_graph
from trivet.tracking import Run, RunId, RunKind, RunStatus, count_test_reads
from trivet.tracking.comparison import Compared, compare_runs

_SHORT = 12


@click.group()
def runs() -> None:
    """Look at runs and compare them."""


@runs.command(name="list")
@click.option("--experiment", help="Only runs of this experiment.")
@click.option("--kind", type=click.Choice([str(kind) for kind in RunKind]), help="Only these.")
@click.option("--status", type=click.Choice([str(s) for s in RunStatus]), help="Only these.")
@click.option("--steps", is_flag=True, help="Show the runs of steps too.")
@click.option("--limit", default=50, show_default=True)
@as_json
@with_app
def list_(
    app: App,
    experiment: str | None,
    kind: str | None,
    status: str | None,
    steps: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List runs, newest first.

    \b
    Example:
      trivet runs list --experiment delay
    """
    report_lost(app)
    wanted = None if status is None else RunStatus(status)
    kinds = [RunKind(kind)] if kind else [RunKind.RUN, RunKind.PIPELINE]
    kinds += [RunKind.STEP] if steps and RunKind.STEP not in kinds else []
    found = [
        run
        for one in kinds
        for run in app.runs.list_runs(experiment=experiment, kind=one, status=wanted, limit=limit)
    ]
    found.sort(key=lambda run: (run.started_at, run.id), reverse=True)
    if as_json:
        print_json(found[:limit])
        return
    print_table(
        ["run", "experiment", "name", "kind", "status", "started", "took"],
        [
            (run.id, run.experiment, run.name, run.kind, run.status, run.started_at, _took(run))
            for run in found[:limit]
        ],
        empty="No runs yet. 'trivet run pipeline.py' makes one.",
    )


@runs.command()
@click.argument("run")
@as_json
@with_app
def show(app: App, run: str, as_json: bool) -> None:
    """Show one run: what it logged, what it ran on, and its error.

    \b
    Example:
      trivet runs show run:0199a0b2c3d4
    """
    report_lost(app)
    found = _get(app, run)
    logged = app.runs.get_data(found.id)
    test_reads = count_test_reads(app.ledger, app.runs, found)
    if as_json:
        print_json({"run": found, "data": logged, "test_reads": test_reads})
        return
    print_facts(
        {
            "run": found.ref,
            "experiment": found.experiment,
            "name": found.name,
            "kind": found.kind,
            "status": found.status,
            "actor": found.actor,
            "started": found.started_at,
            "took": _took(found),
            "parent": None if found.parent is None else f"run:{found.parent}",
            "commit": found.code.get("commit"),
            "uncommitted": found.code.get("diff"),
            "environment": found.environment,
        }
    )
    rows: list[tuple[str, str, Any]] = [("param", *pair) for pair in logged.params.items()]
    rows += [("metric", *pair) for pair in logged.metrics.items()]
    rows += [("tag", *pair) for pair in logged.tags.items()]
    rows += [("artifact", file.path, f"blob:sha256:{file.digest}") for file in logged.artifacts]
    if rows:
        print_table(["what", "name", "value"], rows, empty="")
    for ref, count in test_reads.items():
        click.echo(f"Runs of the experiment that have read the test split of {ref}: {count}")
    if found.error:
        click.echo(f"\n{found.error}")


@runs.command()
@click.argument("run")
@click.argument("key")
@as_json
@with_app
def metrics(app: App, run: str, key: str, as_json: bool) -> None:
    """Show every value of a metric, by step.

    \b
    Example:
      trivet runs metrics run:0199a0b2c3d4 loss
    """
    found = _get(app, run)
    history = app.runs.metric_history(found.id, key)
    if as_json:
        print_json(history)
        return
    print_table(
        ["step", "value", "at"],
        [(metric.step, metric.value, metric.at) for metric in history],
        empty=f"{found.ref} has no metric {key!r}; 'trivet runs show' lists those it has.",
    )


@runs.command()
@click.argument("run_ids", metavar="RUN RUN…", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Also what is the same.")
@as_json
@with_app
def compare(app: App, run_ids: Sequence[str], everything: bool, as_json: bool) -> None:
    """Show what differs between runs: params, metrics, data, code and environment.

    \b
    Example:
      trivet runs compare run:0199a0b2c3d4 run:0199a0b2c3e5
    """
    if len(run_ids) < 2:
        raise InvalidInput("One run cannot be compared; name two or more.")
    compared = [_read(app, _get(app, run)) for run in run_ids]
    rows = [row for row in compare_runs(compared) if everything or row.differs]
    if as_json:
        print_json({"runs": [one.run.ref for one in compared], "rows": rows})
        return
    print_table(
        ["what", "name", *(one.run.id for one in compared)],
        [(row.part, row.name, *map(_cell, row.values)) for row in rows],
        empty="The runs agree in all that was logged and captured.",
    )


@runs.command()
@click.argument("run")
@as_json
@with_app
def graph(app: App, run: str, as_json: bool) -> None:
    """Show the steps of a pipeline run and how they hang together.

    \b
    Example:
      trivet runs graph run:0199a0b2c3d4 --json
    """
    report_lost(app)
    found = _get(app, run)
    if found.kind is not RunKind.PIPELINE:
        raise InvalidInput(f"{found.ref} is no pipeline's run, so it has no graph.")
    drawn = pipeline_graph(found, app.runs.list_runs(parent=found.id, limit=10_000))
    if as_json:
        print_json(drawn)
        return
    needs: dict[str, list[str]] = {}
    for edge in drawn["edges"]:
        needs.setdefault(edge["to"], []).append(edge["from"])
    print_table(
        ["step", "status", "took", "after"],
        [
            (
                node["id"],
                node["status"],
                "" if node["seconds"] is None else format_duration(node["seconds"]),
                ", ".join(dict.fromkeys(needs.get(node["id"], []))),
            )
            for node in drawn["nodes"]
        ],
        empty="The pipeline has no steps.",
    )


def _get(app: App, run: str) -> Run:
    return app.runs.get_run(RunId(run.removeprefix("run:")))


def _read(app: App, run: Run) -> Compared:
    edges = app.ledger.list_edges(run.ref, upstream=True, depth=1)
    environment = b"{}" if run.environment is None else app.blobs.get(Digest(run.environment))
    return Compared(
        run=run,
        logged=app.runs.get_data(run.id),
        inputs=tuple(edge.from_ref for edge in edges),
        environment=json.loads(environment),
    )


def _took(run: Run) -> str:
    if run.ended_at is None:
        return ""
    return format_duration((run.ended_at - run.started_at).total_seconds())


def _cell(value: Any) -> Any:
    if isinstance(value, str) and len(value) > 2 * _SHORT and value.isalnum():
        return f"{value[:_SHORT]}…"
    return "" if value is None else value
