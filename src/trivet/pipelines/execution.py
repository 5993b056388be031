"""Run the nodes of one graph: reuse what is cached, run the rest, record both."""

from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivet.kernel.digests import Digest
from trivet.kernel.errors import NotFound
from trivet.pipelines.code_digest import digest_code
from trivet.pipelines.codecs import blobs_of, load_value, part_of, store_value
from trivet.pipelines.errors import StepFailed
from trivet.pipelines.executors import Executor, Result, Task
from trivet.pipelines.graph import Graph, Node, Output, outputs_in, replace_outputs
from trivet.pipelines.records import OnStep, StepEvent, StepResult, StepStatus, StoredValue
from trivet.pipelines.step_key import step_key
from trivet.pipelines.workspace import Workspace
from trivet.tracking import Run, RunHandle, RunId, RunKind, RunStatus, this_process


@dataclass(frozen=True, slots=True, kw_only=True)
class _Active:
    """A step that runs."""

    node: Node
    key: Digest
    handle: RunHandle
    since: float


class Execution:
    """One run of a graph.

    Values are handed on by reference and let go after their last reader; what another run gave
    is read only when a step that does run needs it.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        parent: RunHandle,
        workspace: Workspace,
        executor: Executor,
        use_cache: bool,
        kept: Any,
        file: Path | None,
        on_step: OnStep,
    ) -> None:
        self._graph = graph
        self._parent = parent
        self._workspace = workspace
        self._executor = executor
        self._use_cache = use_cache
        self._file = file
        self._on_step = on_step
        self._values: dict[Node, Any] = {}
        self._stored: dict[Node, StoredValue] = {}
        self._cached_runs: list[Run] = []
        self._active: dict[Future[Result], _Active] = {}
        self._readers = Counter(need for node in graph.nodes for need in node.needs)
        self._readers.update({output.node for output in outputs_in(kept)})
        self.metrics: dict[str, dict[str, float]] = {}
        # Once, before any step runs: what a step does to its module's globals is not its code.
        project = None if file is None else file.parent
        self._code = {
            node.step: digest_code(node.step.function, project)
            for node in {node.step: node for node in graph.nodes}.values()
        }

    def run(self, skip: frozenset[str] = frozenset()) -> None:
        """Run every node but those in `skip`.

        Raises:
            StepFailed: A step raised an error; no step was started after that.
        """
        waiting = [node for node in self._graph.nodes if node.id not in skip]
        try:
            while waiting or self._active:
                self._start_ready(waiting)
                if self._active:
                    done, _ = wait(self._active, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._complete(future)
            self._record_cached()
        except BaseException as error:
            self._abandon(error)
            raise

    def value(self, output: Output) -> Any:
        """Return what an output came to, read back if it is not at hand."""
        if output.node in self._values:
            return _taken(self._values[output.node], output.path)
        whole = self._stored[output.node]
        part = part_of(whole, output.path)
        if part is not None:
            return load_value(part, self._workspace.blobs)
        return _taken(load_value(whole, self._workspace.blobs), output.path)

    def stored(self, output: Output) -> StoredValue:
        """Return the record of an output, or of the whole it is a part of."""
        whole = self._stored[output.node]
        return part_of(whole, output.path) or whole

    def _start_ready(self, waiting: list[Node]) -> None:
        """Start what can run, as long as there is room; what is cached takes none."""
        for node in list(waiting):
            if len(self._active) >= self._executor.width:
                return
            if all(need in self._stored for need in node.needs):
                waiting.remove(node)
                self._start(node)

    def _start(self, node: Node) -> None:
        key = step_key(
            node,
            self._stored.__getitem__,
            blobs=self._workspace.blobs,
            environment=str(self._parent.run.environment),
            code=self._code[node.step],
        )
        found = self._find(node, key)
        if found is not None:
            self._reuse(node, found)
            return
        self._record_cached()
        since = self._workspace.stopwatch()
        run = self._workspace.runs.create_run(
            self._parent.run.experiment,
            name=node.id,
            kind=RunKind.STEP,
            parent=self._parent.run.id,
            environment=self._parent.run.environment,
            detail={"node": node.id, "step": node.step.name, "key": key},
            process=this_process(),
        )
        handle = RunHandle(run, self._parent.log, self._parent.blobs, self._parent)
        self._parent.log.follow(run.id)
        self._say(node, StepStatus.RUNNING)
        task = Task(
            function=node.step.function,
            arguments=replace_outputs(node.arguments, self.value),
            retries=node.step.retries,
            handle=handle,
            file=self._file,
        )
        active = _Active(node=node, key=key, handle=handle, since=since)
        try:
            self._active[self._executor.submit(task)] = active
        except BaseException as error:
            self._interrupt(active, error)
            raise

    def _find(self, node: Node, key: Digest) -> StepResult | None:
        """Return an earlier result, if it may be used and all of it is still there."""
        if not (self._use_cache and node.step.cached):
            return None
        found = self._workspace.cache.find(key)
        if found is None:
            return None
        try:
            for blob in blobs_of(found.output):
                self._workspace.blobs.size(blob.digest)
        except NotFound:
            return None
        return found

    def _reuse(self, node: Node, found: StepResult) -> None:
        self._stored[node] = found.output
        now = self._workspace.clock()
        self._cached_runs.append(
            Run(
                id=RunId(self._workspace.new_id()),
                experiment=self._parent.run.experiment,
                name=node.id,
                kind=RunKind.STEP,
                status=RunStatus.CACHED,
                actor=self._parent.run.actor,
                started_at=now,
                ended_at=now,
                parent=self._parent.run.id,
                environment=self._parent.run.environment,
                detail={
                    "node": node.id,
                    "step": node.step.name,
                    "key": found.key,
                    "output": found.output.to_json(),
                    "from": f"run:{found.run_id}",
                },
            )
        )
        self.metrics[node.id] = found.metrics
        for side, ref, role in found.links:
            self._parent.link(side, ref, role)
        self._let_go(node)
        self._say(node, StepStatus.CACHED)

    def _record_cached(self) -> None:
        self._workspace.runs.record_runs(self._cached_runs)
        self._cached_runs.clear()

    def _complete(self, future: "Future[Result]") -> None:
        active = self._active.pop(future)
        result = future.result()
        if result.attempts > 1:
            active.handle.set_tags({"attempts": result.attempts})
        if result.error is not None:
            self._fail(active, result)
            raise StepFailed(active.node.id, self._parent.run.ref, result.error)
        self._keep(active, result.value)

    def _keep(self, active: _Active, value: Any) -> None:
        """Store what a step gave: first its blobs, then the cache, then the end of its run."""
        node, handle = active.node, active.handle
        output = self._handed_on(node, value) or store_value(value, self._workspace.blobs)
        self._let_go(node)
        if self._readers[node]:
            self._values[node] = value
        self._stored[node] = output
        self.metrics[node.id] = dict(handle.metrics)
        if node.step.cached and output.is_stored:
            self._workspace.cache.put(
                StepResult(
                    key=active.key,
                    step=node.step.name,
                    run_id=handle.run.id,
                    at=self._workspace.clock(),
                    output=output,
                    metrics=dict(handle.metrics),
                    links=tuple(handle.links),
                )
            )
        seconds = self._workspace.stopwatch() - active.since
        detail = {"output": output.to_json(), "seconds": round(seconds, 6)}
        self._parent.log.finish(handle.run, RunStatus.FINISHED, detail=detail)
        self._say(node, StepStatus.FINISHED, seconds)

    def _handed_on(self, node: Node, value: Any) -> StoredValue | None:
        """Return the record of a table that the step was given and gave on as it is.

        Arrow tables never change, so the same object has the same content.
        """
        for need in node.needs:
            if self._values.get(need) is value and self._stored[need].codec == "arrow":
                return self._stored[need]
        return None

    def _fail(self, active: _Active, result: Result) -> None:
        seconds = self._workspace.stopwatch() - active.since
        self._parent.log.finish(active.handle.run, RunStatus.FAILED, result.traceback)
        self._say(active.node, StepStatus.FAILED, seconds)

    def _abandon(self, error: BaseException) -> None:
        """End what still runs after an error, so that no step is left RUNNING."""
        self._record_cached()
        for future, active in list(self._active.items()):
            del self._active[future]
            if isinstance(error, StepFailed) and not future.cancel():
                result = future.result()
                if result.error is None:
                    self._keep(active, result.value)
                else:
                    self._fail(active, result)
                continue
            self._interrupt(active, error)

    def _interrupt(self, active: _Active, error: BaseException) -> None:
        reason = f"{type(error).__name__} came while the step ran."
        self._parent.log.finish(active.handle.run, RunStatus.FAILED, reason)

    def _let_go(self, node: Node) -> None:
        for need in node.needs:
            self._readers[need] -= 1
            if self._readers[need] == 0:
                self._values.pop(need, None)

    def _say(self, node: Node, status: StepStatus, seconds: float = 0.0) -> None:
        number = self._graph.nodes.index(node) + 1
        of = len(self._graph.nodes)
        self._on_step(
            StepEvent(node=node.id, status=status, number=number, of=of, seconds=seconds)
        )


def _taken(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value
