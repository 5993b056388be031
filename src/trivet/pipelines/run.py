"""Run a pipeline: what is captured before, recorded meanwhile, and returned after."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from trivet.pipelines.codecs import plain_json, store_value
from trivet.pipelines.drawing import describe_value, nodes_with_effects
from trivet.pipelines.execution import Execution
from trivet.pipelines.executors import Executor, InProcessExecutor
from trivet.pipelines.graph import Graph, Output, outputs_in, replace_outputs
from trivet.pipelines.pipeline import Pipeline
from trivet.pipelines.records import OnStep, StepEvent, StoredValue
from trivet.pipelines.source import keep_sources, package_of
from trivet.pipelines.workspace import Workspace, fix_refs
from trivet.tracking import Captured, RunHandle, RunKind, RunLog, RunStatus, capture, this_process
from trivet.tracking import Run as RunRecord


@dataclass(frozen=True)
class PipelineRun:
    """A pipeline that ran.

    Attributes:
        run: Its run.
        metrics: The newest metrics its steps logged.
    """

    run: RunRecord
    metrics: dict[str, float]
    _returned: Any
    _execution: Execution

    @cached_property
    def outputs(self) -> Any:
        """What the pipeline function returned, with values in place of the steps' outputs."""
        return replace_outputs(self._returned, self._execution.value)

    def describe_outputs(self) -> Any:
        """Return the outputs as JSON; of what is no JSON, its kind, its size and its digest."""
        return _described(self._returned, self._execution)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a pipeline is to be run.

    Attributes:
        experiment: What the run belongs to; the pipeline's own experiment by default.
        name: A word for people; the pipeline's name by default.
        use_cache: Whether earlier results may be used.
        skip_effects: Whether steps with effects, and what needs them, are left out.
        executor: Where steps run; in this process by default.
        on_step: Is told of every step that comes to a status.
        tags: Labels of the run.
        pins: Versions of pointers that are not to be resolved again.
        arguments: Arguments by node that are not to be what the pipeline function now gives.
    """

    experiment: str = ""
    name: str = ""
    use_cache: bool = True
    skip_effects: bool = False
    executor: Executor | None = None
    on_step: OnStep | None = None
    tags: Mapping[str, str] | None = None
    pins: Mapping[str, str] | None = None
    arguments: Mapping[str, Mapping[str, Any]] | None = None


def run(
    pipeline: Pipeline,
    params: Mapping[str, Any] | None = None,
    *,
    workspace: Workspace,
    how: How | None = None,
) -> PipelineRun:
    """Run the pipeline and return its run and outputs.

    Refs with a pointer among the params and arguments, such as `dataset:flights@main`, are
    resolved once at the start: the run and the cache know the commit.

    Raises:
        StepFailed: A step raised an error. The run has its traceback, and no later step ran.
        InvalidInput: A param is unknown or missing.
    """
    how = how or How()
    pins: dict[str, str] = dict(how.pins or {})
    fixed = fix_refs(pipeline.bind(params or {}), workspace.resolve, pins)
    graph, returned = pipeline.build(fixed)
    for node in graph.nodes:
        node.arguments.update(fix_refs(node.arguments, workspace.resolve, pins))
        node.arguments.update((how.arguments or {}).get(node.id, {}))
    given = {name: store_value(value, workspace.blobs) for name, value in fixed.items()}
    record = _start(pipeline, graph, given, pins=pins, workspace=workspace, how=how)
    log = RunLog(
        workspace.runs, workspace.spill, clock=workspace.clock, stopwatch=workspace.stopwatch
    )
    log.follow(record.id)
    handle = RunHandle(record, log, workspace.blobs)
    handle.log_params({name: _as_text(value) for name, value in fixed.items()})
    if how.tags:
        handle.set_tags(how.tags)
    try:
        return _execute(pipeline, graph, returned, handle=handle, workspace=workspace, how=how)
    finally:
        log.close()


def _start(
    pipeline: Pipeline,
    graph: Graph,
    given: dict[str, StoredValue],
    *,
    pins: dict[str, str],
    workspace: Workspace,
    how: How,
) -> RunRecord:
    captured = _capture(pipeline, workspace)
    return workspace.runs.create_run(
        how.experiment or pipeline.experiment or pipeline.name,
        name=how.name or pipeline.name,
        kind=RunKind.PIPELINE,
        code=captured.code,
        environment=captured.environment,
        detail={
            "pipeline": pipeline.name,
            "graph": graph.describe(),
            "params": {name: value.to_json() for name, value in given.items()},
            "pins": pins,
            **_constants(graph, workspace),
        },
        inputs=[(ref, "input") for ref in dict.fromkeys(pins.values())],
        process=this_process(),
    )


def _constants(graph: Graph, workspace: Workspace) -> dict[str, Any]:
    """Return the arguments that are no outputs: digests by node, and the values by digest."""
    arguments: dict[str, dict[str, str]] = {}
    values: dict[str, Any] = {}
    for node in graph.nodes:
        for name, value in node.arguments.items():
            if next(outputs_in(value), None) is None:
                stored = store_value(value, workspace.blobs)
                arguments.setdefault(node.id, {})[name] = stored.digest
                values[stored.digest] = stored.to_json()
    return {"arguments": arguments, "values": values}


def _capture(pipeline: Pipeline, workspace: Workspace) -> Captured:
    file = pipeline.file
    captured = capture(
        workspace.blobs,
        entry_point=pipeline.name if file is None else f"{file.name}:{pipeline.name}",
        folder=None if file is None else file.parent,
        ignored=workspace.home,
    )
    if file is None:
        return captured
    return captured.with_code(
        file=_relative(file),
        package=package_of(file),
        sources=keep_sources(file, workspace.blobs),
    )


def _execute(
    pipeline: Pipeline,
    graph: Graph,
    returned: Any,
    *,
    handle: RunHandle,
    workspace: Workspace,
    how: How,
) -> PipelineRun:
    executor = how.executor or InProcessExecutor()
    skipped = nodes_with_effects(graph.describe()) if how.skip_effects else frozenset()
    kept = _without(returned, skipped)
    execution = Execution(
        graph,
        parent=handle,
        workspace=workspace,
        executor=executor,
        use_cache=how.use_cache,
        kept=kept,
        file=pipeline.file,
        on_step=how.on_step or _say_nothing,
    )
    try:
        execution.run(skipped)
    except BaseException as error:
        handle.log.finish(handle.run, RunStatus.FAILED, f"{error}\n\n{traceback.format_exc()}")
        raise
    finally:
        executor.close()
    metrics = _merged(execution.metrics)
    handle.log_metrics(metrics)
    detail = {"outputs": _described(kept, execution)}
    record = handle.log.finish(handle.run, RunStatus.FINISHED, detail=detail)
    return PipelineRun(record, metrics, kept, execution)


def _without(returned: Any, skipped: frozenset[str]) -> Any:
    """Return what the pipeline returns, with None for outputs of skipped steps."""
    return replace_outputs(returned, lambda output: None if output.node.id in skipped else output)


def _merged(by_node: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return metrics by key; a key that several steps logged comes under `<step>/<key>`."""
    logged = [key for metrics in by_node.values() for key in metrics]
    return {
        key if logged.count(key) == 1 else f"{node}/{key}": value
        for node, metrics in by_node.items()
        for key, value in metrics.items()
    }


def _described(returned: Any, execution: Execution) -> Any:
    def describe(output: Output) -> Any:
        stored = execution.stored(output)
        if stored.codec == "json":
            # Small, and no code: read back also where the value is a part of a larger one.
            return plain_json(execution.value(output))
        return describe_value(stored)

    if next(outputs_in(returned), None) is None and returned is not None:
        return _as_text(returned)
    described = replace_outputs(returned, describe)
    return list(described) if isinstance(described, tuple) else described


def _as_text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 500 else f"{text[:500]}…"


def _relative(file: Path) -> str:
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.name


def _say_nothing(_: StepEvent) -> None:
    """Show no progress."""
