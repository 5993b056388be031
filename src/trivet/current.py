"""The current app, and the verbs that run and log in it.

The app is the one that `open` opened, or else the home that `TRIVET_HOME` or `trivet.yaml` names,
`.trivet` by default. This module loads little, so that a pipeline may start at once.
"""

import atexit
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from trivet.app import App
from trivet.kernel.errors import InvalidInput
from trivet.lookup import resolve
from trivet.pipelines import Pipeline, PipelineRun, Workspace
from trivet.pipelines import run as run_pipeline
from trivet.settings import Settings
from trivet.tracking import RunHandle, capture, current_run
from trivet.tracking import start_run as start_tracked_run

_opened: list[App] = []


def open(home: str | Path | None = None) -> App:  # noqa: A001 - `trivet.open` reads as it should
    """Open a home and make it the current one; the one before is closed."""
    while _opened:
        _opened.pop().close()
    app = App.open(Settings.read(os.environ, home=home))
    use(app)
    return app


def use(app: App) -> None:
    """Make an app that is open already the current one."""
    _opened[:] = [app]


def current_app() -> App:
    """Return the current app, opened now if need be."""
    return _opened[0] if _opened else open()


def open_workspace(app: App) -> Workspace:
    """Return what pipelines run on, of the app's stores."""
    return Workspace(
        runs=app.runs,
        blobs=app.blobs,
        cache=app.steps,
        spill=app.settings.home / "spill",
        home=app.settings.home,
        resolve=partial(resolve, app),
        clock=app.recorder.clock,
        new_id=app.recorder.new_id,
    )


@contextmanager
def start_run(experiment: str, name: str = "") -> Iterator[RunHandle]:
    """Track what the block logs as one run; an error in it ends the run as failed."""
    app = current_app()
    app.experiments.create_experiment(experiment)
    with start_tracked_run(
        app.runs,
        app.blobs,
        experiment,
        spill=app.settings.home / "spill",
        name=name,
        captured=capture(app.blobs, ignored=app.settings.home),
    ) as handle:
        yield handle


def run(pipeline: Pipeline, **params: Any) -> PipelineRun:
    """Run a pipeline; steps that were run before on the same inputs come from the cache.

    Raises:
        StepFailed: A step raised an error; the run has its traceback.
    """
    return run_pipeline(pipeline, params, workspace=open_workspace(current_app()))


def _run() -> RunHandle:
    run = current_run()
    if run is None:
        raise InvalidInput("There is no run to log to; log inside 'with trivet.start_run(…):'.")
    return run


def log_params(params: Mapping[str, Any]) -> None:
    """Log input values of the current run."""
    _run().log_params(params)


def log_metric(key: str, value: float, step: int | None = None) -> None:
    """Log a number of the current run; costs some microseconds and never waits."""
    _run().log_metric(key, value, step)


def log_metrics(metrics: Mapping[str, float], step: int | None = None) -> None:
    """Log several numbers of one step of the current run."""
    _run().log_metrics(metrics, step)


def set_tags(tags: Mapping[str, Any]) -> None:
    """Label the current run."""
    _run().set_tags(tags)


def log_artifact(content: Path | str | bytes, path: str | None = None) -> None:
    """Keep a file, or bytes under a path, with the current run."""
    _run().log_artifact(content, path)


@atexit.register
def _close() -> None:
    while _opened:
        _opened.pop().close()
