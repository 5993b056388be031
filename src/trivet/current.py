"""The current app: what `import trivet` and the steps of a pipeline act on.

It is the one that `open` opened, or else the home that `TRIVET_HOME` or `trivet.yaml` names,
`.trivet` by default. This module loads little, so that a pipeline may start at once.
"""

import atexit
import os
from functools import partial
from pathlib import Path

from trivet.app import App
from trivet.lookup import resolve
from trivet.pipelines import Workspace
from trivet.settings import Settings

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


@atexit.register
def _close() -> None:
    while _opened:
        _opened.pop().close()
