"""Train a model of late flights: validate, join, split by time, choose, judge, gate, register."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

import trivet
from trivet.demo.flights import training
from trivet.features import plan_from_json, plan_to_json
from trivet.gates import GateCandidate, GatePolicy, record_gates, require_passed, run_gates
from trivet.registry import Signature
from trivet.registry.golden import GoldenRows, choose_golden_rows, read_golden, write_golden
from trivet.registry.onnx_export import export_onnx
from trivet.registry.onnx_session import OnnxModel
from trivet.registry.packaging import VersionParts, pack_version
from trivet.registry.reference import make_reference
from trivet.registry.scores import score_metrics
from trivet.tracking import TEST, current_run

BASELINE = "logistic"
SLICES = ("carrier", "origin")
REQUEST_TYPES = {
    "carrier": "string",
    "origin": "string",
    "dest": "string",
    "tailnum": "string",
    "distance": "number",
    "sched_dep_time": "number",
}
POLICY = GatePolicy(auc=0.65, slice_auc=0.55)
_GOLDEN_ROWS = 100


@trivet.pipeline(experiment="flight-delay")
def train(  # noqa: PLR0913 - each is a param of the pipeline
    until: str,
    service: str = "features:delay",
    days: int | None = None,
    seed: int = 7,
    model: str = "delay",
    flights: str = "dataset:flights@main",
    landings: str = "dataset:landings@main",
    weather: str = "dataset:weather@main",
    planes: str = "dataset:planes@main",
) -> Any:
    """Train on what was known at `until`, and register the best candidate if its gates pass.

    Args:
        until: ISO 8601 instant; flights whose outcome was not known then take no part.
        service: The feature service: `features:delay`, or `features:delay_simple` for a first
            model; a name without a version means the one that is current when the run starts.
        days: How many days before `until` to train on; None for all there are.
        seed: What every random choice is drawn from.
        model: The name to register under.
        flights: Which commit of the schedule; a branch means its head when the run starts.
        landings: Which commit of the outcomes.
        weather: Which commit of the weather reports.
        planes: Which commit of the fleet list.
    """
    commits = {"flights": flights, "landings": landings, "weather": weather, "planes": planes}
    plan = plan_to_json(trivet.plan(service))
    checked = validate(commits)
    rows = join_features(checked, commits, plan, until, days)
    older, newer, newest = split(rows)
    candidates = [fit_candidate(name, older, plan, seed) for name in training.CANDIDATES]
    chosen = choose(candidates, newer, plan)
    final = fit_final(chosen, older, newer, plan, seed)
    judged = evaluate(final, newest, plan, commits["flights"])
    evidence = hold_gates(final, newest, plan, until)
    return register(model, final, judged, evidence, plan, _settings(until, service, days, seed))


def _settings(until: str, service: str, days: int | None, seed: int) -> dict[str, Any]:
    return {"until": until, "service": service, "days": days, "seed": seed}


@trivet.step
def validate(commits: dict[str, str]) -> dict[str, int]:
    """Refuse to train on a commit whose contract is red; return the rows of each dataset."""
    rows = {name: trivet.read(ref).num_rows for name, ref in commits.items()}
    trivet.log_metrics({f"rows.{name}": count for name, count in rows.items()})
    return rows


@trivet.step
def join_features(
    checked: dict[str, int],
    commits: dict[str, str],
    plan: dict[str, Any],
    until: str,
    days: int | None,
) -> pa.Table:
    """Return every flight with its outcome and its features as known at scheduled departure."""
    rows = training.labelled_flights(
        trivet.read(commits["flights"]),
        trivet.read(commits["landings"]),
        until=_instant(until),
        days=days,
    )
    trivet.log_metrics({"rows.validated": checked["flights"], "rows.labelled": rows.num_rows})
    return trivet.training_set(plan, rows, event_time=training.EVENT_TIME, sources=commits)


@trivet.step
def split(rows: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the rows to train on, to choose by and to judge by, in the order of time."""
    parts = training.split_by_time(rows)
    return parts.train, parts.validation, parts.test


@trivet.step
def fit_candidate(name: str, rows: pa.Table, plan: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train one candidate and return it as ONNX, under its name."""
    names = plan_from_json(plan).names
    model = training.fit(name, rows, names, seed)
    trivet.log_params({"candidate": name, "rows": rows.num_rows, "features": len(names)})
    return {"name": name, "onnx": export_onnx(model, len(names))}


@trivet.step
def choose(candidates: list[dict[str, Any]], rows: pa.Table, plan: dict[str, Any]) -> str:
    """Return the name of the candidate with the least log loss on the validation rows."""
    losses = {}
    for candidate in candidates:
        metrics = _score(candidate["onnx"], rows, plan)
        losses[candidate["name"]] = metrics["log_loss"]
        trivet.log_metrics(
            {f"validation.{candidate['name']}.{key}": value for key, value in metrics.items()}
        )
    best: str = min(losses, key=lambda name: losses[name])
    trivet.log_params({"chosen": best})
    return best


@trivet.step
def fit_final(
    name: str, older: pa.Table, newer: pa.Table, plan: dict[str, Any], seed: int
) -> dict[str, Any]:
    """Train the chosen candidate, and the baseline, on all rows but those to judge by.

    The chosen one is trained twice, to see whether it gives the same metrics again.
    """
    names = plan_from_json(plan).names
    rows = pa.concat_tables([older, newer])
    inputs = training.matrix(rows, names)
    fitted = [training.fit(name, rows, names, seed) for _ in range(2)]
    baseline = training.fit(BASELINE, rows, names, seed)
    chosen = choose_golden_rows(inputs, _GOLDEN_ROWS, np.random.default_rng(seed))
    golden = GoldenRows(
        names=names, inputs=chosen, expected=training.probabilities(fitted[0], chosen)
    )
    first, again = (
        score_metrics(training.labels_of(rows), training.probabilities(model, inputs))
        for model in fitted
    )
    trivet.log_metrics({f"train.{key}": value for key, value in first.items()})
    return {
        "name": name,
        "onnx": export_onnx(fitted[0], len(names)),
        "baseline": export_onnx(baseline, len(names)),
        "golden": write_golden(golden),
        "metrics": first,
        "metrics_again": again,
    }


@trivet.step
def evaluate(
    final: dict[str, Any], rows: pa.Table, plan: dict[str, Any], flights: str
) -> dict[str, Any]:
    """Judge the final model on the test rows, once; return its metrics and its reference.

    That the test rows were read is kept as an input of the run, with the role `test` (I11).
    """
    run = current_run()
    if run is not None:
        run.link_input(flights, TEST)
    names = plan_from_json(plan).names
    inputs, labels = training.matrix(rows, names), training.labels_of(rows)
    scores = OnnxModel(final["onnx"]).predict(inputs)
    metrics = score_metrics(labels, scores)
    baseline = _score(final["baseline"], rows, plan)
    trivet.log_metrics(
        {f"test.{key}": value for key, value in metrics.items()}
        | {f"test.baseline.{key}": value for key, value in baseline.items()}
    )
    slices = {column: rows[column].to_pylist() for column in SLICES}
    return {
        "metrics": metrics,
        "reference": make_reference(names, inputs, labels, scores, slices=slices),
    }


@trivet.step(repeatable=False)
def hold_gates(
    final: dict[str, Any], rows: pa.Table, plan: dict[str, Any], until: str
) -> list[str]:
    """Hold every gate, keep the verdicts as evidence, and return their ids.

    Raises:
        GatesFailed: A gate did not pass; it says which number missed which bound.
    """
    names = plan_from_json(plan).names
    inputs = training.matrix(rows, names)
    candidate = GateCandidate(
        model=final["onnx"],
        inputs=inputs,
        labels=training.labels_of(rows),
        golden=read_golden(final["golden"]),
        baseline=OnnxModel(final["baseline"]).predict(inputs),
        slices={column: rows[column].to_pylist() for column in SLICES},
        metrics=final["metrics"],
        metrics_again=final["metrics_again"],
    )
    report = run_gates(candidate, POLICY)
    trivet.log_metrics(
        {f"gate.{item.name}": item.value for item in report.results if item.value is not None}
    )
    run = current_run()
    whole = (run.parent or run) if run else None
    subject = whole.run.ref if whole else f"pipeline:{train.name}"
    evidence = record_gates(trivet.current_app().ledger, subject, report)
    require_passed(f"The candidate {final['name']!r} of {until[:10]}", report, evidence)
    return [str(item.id) for item in evidence]


@trivet.step(effects=True)
def register(
    model: str,
    final: dict[str, Any],
    judged: dict[str, Any],
    evidence: list[str],
    plan: dict[str, Any],
    settings: dict[str, Any],
) -> str:
    """Register the model with everything it was made of; return its ref."""
    app = trivet.current_app()
    parts = VersionParts(
        model=final["onnx"],
        signature=signature(plan),
        golden=read_golden(final["golden"]),
        reference=judged["reference"],
        params={**settings, "candidate": final["name"]},
        metrics=judged["metrics"],
        seed=settings["seed"],
        evidence=tuple(evidence),
        description=f"{final['name']} on {settings['service']}, known until {settings['until']}",
    )
    version = trivet.register(model, pack_version(app.blobs, parts, current_run()))
    return version.ref


def signature(plan: dict[str, Any]) -> Signature:
    """Return what a model of this plan takes from its callers and gives to them."""
    return Signature(
        inputs=plan_from_json(plan).names, plan=plan, request=REQUEST_TYPES, slices=SLICES
    )


def _score(onnx: bytes, rows: pa.Table, plan: dict[str, Any]) -> dict[str, float]:
    inputs = training.matrix(rows, plan_from_json(plan).names)
    return score_metrics(training.labels_of(rows), OnnxModel(onnx).predict(inputs))


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
