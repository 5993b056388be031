"""Pages of pipelines: the runs there were, and one as a graph with the state of each step."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from trivet.app import App
from trivet.kernel.errors import NotFound
from trivet.pipelines import pipeline_graph
from trivet.server.ui.formatting import number, short, size
from trivet.server.ui.graph import Drawing, Node, draw
from trivet.server.ui.page import Page
from trivet.server.ui.runs import seconds_of
from trivet.tracking import Run, RunId, RunKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRow:
    """A pipeline run in a list: steps by how they ended."""

    run: Run
    pipeline: str
    seconds: float | None
    steps: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelinesPage:
    """The newest pipeline runs."""

    runs: tuple[PipelineRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelinePage:
    """One pipeline run."""

    run: Run
    pipeline: str
    seconds: float | None
    drawing: Drawing
    nodes: tuple[dict[str, Any], ...]
    is_running: bool


class NotAPipeline(NotFound):
    """A run is no pipeline's."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id

    def __str__(self) -> str:
        return f"Run {self.run_id!r} is no pipeline run; its page is /runs/{self.run_id}."


def load_pipelines(app: App, _request: Request) -> PipelinesPage:
    """Read the newest pipeline runs."""
    runs = app.runs.list_runs(kind=RunKind.PIPELINE, limit=40)
    return PipelinesPage(runs=tuple(_row(app, run) for run in runs))


def load_pipeline(app: App, request: Request) -> PipelinePage:
    """Read one pipeline run."""
    run = app.runs.get_run(RunId(request.path_params["id"]))
    if run.kind is not RunKind.PIPELINE:
        raise NotAPipeline(run.id)
    found = pipeline_graph(run, app.runs.list_runs(parent=run.id, limit=1_000))
    return PipelinePage(
        run=run,
        pipeline=found["pipeline"],
        seconds=seconds_of(run),
        drawing=draw(
            [_node(node) for node in found["nodes"]],
            [(edge["from"], edge["to"], str(edge.get("argument", ""))) for edge in found["edges"]],
        ),
        nodes=tuple(node | {"words": _words(node)} for node in found["nodes"]),
        is_running=found["status"] == "running",
    )


def describe(output: Any) -> str:
    """Return what a step handed on, in a few words."""
    if isinstance(output, dict):
        if "codec" in output:
            stored = output.get("size")
            return f"{output.get('type', '')}" + (f" · {size(stored)}" if stored else "")
        parts = [f"{name} {describe(value)}" for name, value in list(output.items())[:_SHOWN]]
    elif isinstance(output, list):
        parts = [describe(value) for value in output[:_SHOWN]]
    elif isinstance(output, float | int) and not isinstance(output, bool):
        return number(output)
    else:
        return short(str(output), 40)
    rest = len(output) - len(parts)
    return ", ".join(parts) + (f" + {rest}" if rest > 0 else "")


def _row(app: App, run: Run) -> PipelineRow:
    found = pipeline_graph(run, app.runs.list_runs(parent=run.id, limit=1_000))
    steps: dict[str, int] = {}
    for node in found["nodes"]:
        steps[node["status"]] = steps.get(node["status"], 0) + 1
    return PipelineRow(run=run, pipeline=found["pipeline"], seconds=seconds_of(run), steps=steps)


_SHOWN = 4
_TONES = {"finished": "good", "cached": "good", "running": "live", "failed": "bad", "lost": "bad"}


def _words(node: dict[str, Any]) -> str:
    return "" if node.get("output") is None else describe(node["output"])


def _node(node: dict[str, Any]) -> Node:
    seconds = node["seconds"]
    took = "" if seconds is None else f" · {seconds:.2f} s"
    return Node(
        id=node["id"],
        title=node["step"],
        text=f"{node['status']}{took}",
        address=f"/runs/{node['run'].partition(':')[2]}" if node["run"] else "",
        tone=_TONES.get(node["status"], "unknown"),
    )


PAGES = (
    Page(
        address="/pipelines", template="pipelines/list.html", room="pipelines", load=load_pipelines
    ),
    Page(
        address="/pipelines/{id}",
        template="pipelines/show.html",
        room="pipelines",
        load=load_pipeline,
    ),
)
