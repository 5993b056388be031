"""`trivet run …`."""

import inspect
import json
import os
from collections.abc import Sequence
from typing import Any

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json
from trivet.current import open_workspace, use
from trivet.kernel.durations import format_duration
from trivet.kernel.errors import InvalidInput
from trivet.pipelines import (
    How,
    Pipeline,
    ProcessExecutor,
    StepEvent,
    StepFailed,
    StepStatus,
    load_pipeline,
)
from trivet.pipelines import run as run_pipeline
from trivet.tracking import mark_lost_runs

_MARKS = {
    StepStatus.FINISHED: ("✓", "green"),
    StepStatus.CACHED: ("=", "cyan"),
    StepStatus.FAILED: ("✗", "red"),
}


@click.command()
@click.argument("pipeline", metavar="FILE[:PIPELINE]")
@click.option("--param", "params", multiple=True, metavar="K=V", help="A param; repeatable.")
@click.option("--experiment", default="", help="The experiment; the pipeline's by default.")
@click.option("--name", default="", help="A word for people.")
@click.option("--no-cache", is_flag=True, help="Run every step, whatever is cached.")
@click.option("--processes", default=0, help="Run steps in so many processes; 0: in this one.")
@as_json
@with_app
def run(
    app: App,
    pipeline: str,
    params: Sequence[str],
    experiment: str,
    name: str,
    no_cache: bool,
    processes: int,
    as_json: bool,
) -> None:
    """Run a pipeline and show what it gave.

    Steps whose code, inputs, params and environment are as they once were are not run again.
    A run that was killed goes on, as a new run, from the step it died in.

    \b
    Example:
      trivet run pipeline.py --param rounds=200
    """
    use(app)
    report_lost(app)
    loaded = load_pipeline(pipeline)
    how = How(
        experiment=experiment,
        name=name,
        use_cache=not no_cache,
        executor=_processes(app, processes) if processes else None,
        on_step=show_step,
    )
    given = parse_params(loaded, params)
    try:
        done = run_pipeline(loaded, given, workspace=open_workspace(app), how=how)
    except StepFailed as error:
        if as_json:
            print_json({"run": error.run_ref, "status": "failed", "error": str(error)})
        raise
    outputs = done.describe_outputs()
    if as_json:
        print_json({"run": done.run.ref, "status": done.run.status, "outputs": outputs})
        return
    said = outputs if isinstance(outputs, str | int | float) else json.dumps(outputs)
    print_facts({"run": done.run.ref, "status": done.run.status, **done.metrics, "outputs": said})


def _processes(app: App, count: int) -> ProcessExecutor:
    return ProcessExecutor(count, _enter_home, str(app.settings.home))


def _enter_home(home: str) -> None:
    """Let what steps call through `import trivet` act on this home, in their process too."""
    os.environ["TRIVET_HOME"] = home


def report_lost(app: App) -> None:
    """Mark runs whose process is gone, and say so on stderr."""
    for lost in mark_lost_runs(app.runs, app.settings.home / "spill", app.recorder.clock):
        if lost.parent is None:
            click.echo(f"{lost.ref} is lost: its process ended without a word.", err=True)


def parse_params(pipeline: Pipeline, given: Sequence[str]) -> dict[str, Any]:
    """Return params from `k=v` texts: as JSON, unless the pipeline says it takes a text."""
    annotations = inspect.get_annotations(pipeline.function, eval_str=True)
    params = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidInput(f"{text!r} is no param; write name=value.")
        params[name] = value if annotations.get(name) is str else _parsed(value)
    return params


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def show_step(event: StepEvent) -> None:
    """Show on stderr what became of a step."""
    if event.status not in _MARKS:
        return
    mark, color = _MARKS[event.status]
    seconds = "cached" if event.status is StepStatus.CACHED else format_duration(event.seconds)
    width = len(str(event.of))
    place = click.style(f"[{event.number:>{width}}/{event.of}]", dim=True)
    took = click.style(seconds, dim=True)
    click.echo(f"{place} {click.style(mark, fg=color)} {event.node}  {took}", err=True)
