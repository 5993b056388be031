"""What a page needs to draw a pipeline run: nodes with their states, and edges."""

import json
from collections.abc import Sequence
from typing import Any

from trivet.pipelines.codecs import plain_json
from trivet.pipelines.records import StepStatus, StoredValue
from trivet.tracking import Run, RunStatus


def pipeline_graph(run: Run, steps: Sequence[Run]) -> dict[str, Any]:
    """Return the graph of a pipeline run as JSON.

    Args:
        run: The pipeline's run.
        steps: Its steps' runs: `list_runs(parent=run.id)`.

    Returns:
        `nodes`, each with `id`, `step`, `status`, `cached`, `seconds`, `run`, `output`, `error`
        and its `level` (the longest way from a node without needs); and `edges` with `from`,
        `to` and `argument`.
    """
    graph = run.detail.get("graph", {"nodes": [], "edges": []})
    of = {step.detail.get("node"): step for step in steps}
    levels = _levels(graph)
    waits = StepStatus.WAITING if run.status is RunStatus.RUNNING else StepStatus.SKIPPED
    nodes = [
        {
            "id": node["id"],
            "step": node["step"],
            "level": levels[node["id"]],
            **_state(of.get(node["id"]), waits),
        }
        for node in graph["nodes"]
    ]
    return {
        "run": run.ref,
        "pipeline": run.detail.get("pipeline", run.name),
        "status": str(run.status),
        "nodes": nodes,
        "edges": graph["edges"],
    }


def describe_value(stored: StoredValue) -> Any:
    """Return a stored value as JSON without reading a blob: small JSON as it is."""
    if stored.inline is not None:
        return plain_json(json.loads(stored.inline))
    if stored.parts:
        described = {name: describe_value(part) for name, part in stored.parts}
        return described if stored.codec == "dict" else list(described.values())
    return {"type": stored.type, "codec": stored.codec, "size": stored.size, "blob": stored.digest}


def nodes_with_effects(graph: dict[str, Any]) -> frozenset[str]:
    """Return the ids of nodes whose steps have effects, and of those that need one of these."""
    found: set[str] = set()
    for node in graph["nodes"]:
        needs = {edge["from"] for edge in graph["edges"] if edge["to"] == node["id"]}
        if node["effects"] or needs & found:
            found.add(node["id"])
    return frozenset(found)


def _state(step: Run | None, otherwise: StepStatus) -> dict[str, Any]:
    if step is None:
        return {"status": str(otherwise), "cached": False, "seconds": None, "run": None}
    seconds = step.detail.get("seconds")
    if seconds is None and step.ended_at is not None:
        seconds = (step.ended_at - step.started_at).total_seconds()
    output = step.detail.get("output")
    return {
        "status": str(step.status),
        "cached": step.status is RunStatus.CACHED,
        "seconds": seconds,
        "run": step.ref,
        "output": None if output is None else describe_value(StoredValue.from_json(output)),
        "error": step.error.strip().splitlines()[-1] if step.error else None,
    }


def _levels(graph: dict[str, Any]) -> dict[str, int]:
    """Return for each node the longest way to it; nodes are in an order they can run in."""
    levels: dict[str, int] = {}
    for node in graph["nodes"]:
        needs = [edge["from"] for edge in graph["edges"] if edge["to"] == node["id"]]
        levels[node["id"]] = 1 + max((levels[need] for need in needs), default=-1)
    return levels
