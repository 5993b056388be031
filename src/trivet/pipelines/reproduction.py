"""Run a run again from what was kept of it, compare to the last bit, and certify what came."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trivet.kernel.digests import Digest, canonical_json, digest_bytes
from trivet.ledger import Evidence, Ledger, Verdict
from trivet.pipelines.certificate import certify, word_certificate
from trivet.pipelines.codecs import load_value
from trivet.pipelines.drawing import nodes_with_effects
from trivet.pipelines.errors import NotReproducible
from trivet.pipelines.records import OnStep, StepResult, StoredValue
from trivet.pipelines.run import How, PipelineRun, run
from trivet.pipelines.source import load_pipeline, restore_sources
from trivet.pipelines.workspace import Workspace
from trivet.tracking import (
    Run,
    RunId,
    RunKind,
    RunStatus,
    capture,
    compare_environments,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """A run that was run again.

    Attributes:
        run: The run.
        again: The run that repeated it.
        evidence: The judgement, as it is in the ledger.
        certificate: What was compared, and what came of it, as JSON.
        text: The same for a person.
    """

    run: Run
    again: Run
    evidence: Evidence
    certificate: dict[str, Any]
    text: str

    @property
    def differences(self) -> tuple[str, ...]:
        """What was not the same, a sentence each."""
        return tuple(self.certificate["differences"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gave:
    """What one step of a run gave: its output, and its metrics to the bit."""

    output: StoredValue
    metrics: Mapping[str, float]


def reproduce(
    run_id: RunId, *, workspace: Workspace, ledger: Ledger, on_step: OnStep | None = None
) -> Reproduction:
    """Run a pipeline's run again, with no cache, and compare every metric and every output.

    The code is that of the run: the files in place where they have not changed, else those kept
    with the run. The data are the commits that the run read. Steps with effects are not run;
    what steps that are not repeatable gave is not compared.

    Raises:
        NotReproducible: The run is no finished run of a pipeline in a file.
        StepFailed: A step failed this time.
    """
    original = workspace.runs.get_run(run_id)
    _require_reproducible(original)
    environment = _environment_differences(original, workspace)
    with tempfile.TemporaryDirectory() as folder:
        file, code = _find_code(original, workspace, Path(folder))
        again = _run_again(original, file, workspace, on_step)
    certificate = certify(
        original,
        again.run,
        at=workspace.clock(),
        code=code,
        environment=environment,
        then=_gave(original, workspace),
        now=_gave(again.run, workspace),
        left_out=_left_out(original),
    )
    return _judge(original, again, certificate, workspace, ledger)


def _require_reproducible(original: Run) -> None:
    if original.kind is not RunKind.PIPELINE:
        raise NotReproducible(original.ref, "only runs of pipelines can be run again")
    if original.status is not RunStatus.FINISHED:
        raise NotReproducible(original.ref, f"it is {original.status}, not finished")
    if not original.code.get("sources"):
        raise NotReproducible(original.ref, "its pipeline was not written in a file")
    unknown = [
        name
        for name, value in original.detail["params"].items()
        if not StoredValue.from_json(value).is_stored
    ]
    if unknown:
        raise NotReproducible(original.ref, f"its param {unknown[0]!r} could not be kept")


def _environment_differences(original: Run, workspace: Workspace) -> list[str]:
    now = capture(workspace.blobs, ignored=workspace.home).environment
    if original.environment is None or now == original.environment:
        return []
    then_text = workspace.blobs.get(Digest(original.environment))
    return compare_environments(json.loads(then_text), json.loads(workspace.blobs.get(now)))


def _find_code(original: Run, workspace: Workspace, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the pipeline's file to run, and how its code stands to that of the run."""
    sources: dict[str, Digest] = original.code["sources"]
    package = original.code.get("package")
    in_place = _folder_in_place(original)
    name = Path(original.code["file"]).name
    changed = sorted(sources) if in_place is None else _changed(sources, in_place)
    if in_place is not None and (package or not changed):
        state = "installed, changed" if changed else "in place"
        return in_place / name, {"state": state, "changed": changed}
    if package:
        raise NotReproducible(original.ref, f"its package {package!r} is not installed")
    restore_sources(sources, workspace.blobs, folder)
    return folder / name, {"state": "restored", "changed": changed}


def _folder_in_place(original: Run) -> Path | None:
    package = original.code.get("package")
    if package:
        spec = find_spec(package)
        places = [] if spec is None else list(spec.submodule_search_locations or ())
        return Path(places[0]) if places else None
    file = Path.cwd() / original.code["file"]
    return file.parent if file.is_file() else None


def _changed(sources: Mapping[str, str], folder: Path) -> list[str]:
    """Return the files that are not, or not any more, what they were in the run."""
    return sorted(
        name
        for name, digest in sources.items()
        if not (folder / name).is_file() or digest_bytes((folder / name).read_bytes()) != digest
    )


def _run_again(
    original: Run, file: Path, workspace: Workspace, on_step: OnStep | None
) -> PipelineRun:
    pipeline = load_pipeline(f"{file}:{original.detail['pipeline']}")
    params = {
        name: load_value(StoredValue.from_json(value), workspace.blobs)
        for name, value in original.detail["params"].items()
    }
    how = How(
        experiment=original.experiment,
        name=f"reproduction of {original.name}",
        use_cache=False,
        skip_effects=True,
        on_step=on_step,
        tags={"reproduces": original.ref},
        pins=original.detail["pins"],
        arguments=_arguments(original, workspace),
    )
    return run(pipeline, params, workspace=replace(workspace, cache=_NoCache()), how=how)


def _arguments(original: Run, workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Return the arguments the steps had, so that nothing looked up meanwhile takes part."""
    values = {
        digest: StoredValue.from_json(value) for digest, value in original.detail["values"].items()
    }
    return {
        node: {
            name: load_value(values[digest], workspace.blobs)
            for name, digest in arguments.items()
            if values[digest].is_stored
        }
        for node, arguments in original.detail["arguments"].items()
    }


def _gave(parent: Run, workspace: Workspace) -> dict[str, Gave]:
    """Return what each step of the run gave; of a cached one, what it gave where it ran."""
    found = {}
    for step in workspace.runs.list_runs(parent=parent.id, limit=10_000):
        output = step.detail.get("output")
        if output is None:
            continue
        origin = RunId(str(step.detail.get("from", step.ref)).removeprefix("run:"))
        found[step.detail["node"]] = Gave(
            output=StoredValue.from_json(output),
            metrics=workspace.runs.get_data(origin).metrics,
        )
    return found


def _left_out(original: Run) -> dict[str, str]:
    graph = original.detail["graph"]
    effects = nodes_with_effects(graph)
    reasons = dict.fromkeys(effects, "has effects, or needs what has")
    for node in graph["nodes"]:
        if not node["repeatable"]:
            reasons.setdefault(node["id"], "is not repeatable to the bit")
    return reasons


def _judge(
    original: Run,
    again: PipelineRun,
    certificate: dict[str, Any],
    workspace: Workspace,
    ledger: Ledger,
) -> Reproduction:
    text = word_certificate(certificate)
    kept = workspace.blobs.put(canonical_json(certificate).encode())
    worded = workspace.blobs.put(text.encode())
    verdict = Verdict(certificate["verdict"])
    evidence = ledger.judge(
        "reproduction",
        original.ref,
        verdict,
        certificate["summary"],
        inputs={
            "again": again.run.ref,
            "certificate": f"blob:sha256:{kept}",
            "text": f"blob:sha256:{worded}",
        },
        numbers={
            "metrics": len(certificate["metrics"]),
            "outputs": len(certificate["outputs"]),
            "differences": len(certificate["differences"]),
        },
    )
    return Reproduction(
        run=original, again=again.run, evidence=evidence, certificate=certificate, text=text
    )


class _NoCache:
    """A cache that has nothing and keeps nothing: a repetition must not lean on its original."""

    def find(self, key: Digest) -> StepResult | None:
        return None

    def put(self, result: StepResult) -> None:
        return

    def forget(self, step: str | None = None) -> int:
        return 0
