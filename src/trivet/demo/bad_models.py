"""Two models that should never have been released: real ones, trained and forced past the gates.

One learned from flipped labels. The other is sound but for one carrier, for whose flights it
answers NaN. Both are what they are in earnest: nothing at serving time pretends anything.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import trivet
from trivet.demo.flights import training
from trivet.demo.flights.features import CARRIERS
from trivet.demo.flights.pipeline import BASELINE, POLICY, SLICES, signature
from trivet.features import plan_from_json, plan_to_json
from trivet.gates import GateCandidate, GateReport, record_gates, run_gates
from trivet.kernel.extras import extra
from trivet.registry import ModelVersion
from trivet.registry.golden import GoldenRows, choose_golden_rows
from trivet.registry.onnx_export import export_onnx
from trivet.registry.onnx_session import OnnxModel
from trivet.registry.packaging import VersionParts, pack_version
from trivet.registry.reference import make_reference
from trivet.registry.scores import score_metrics

with extra("demo", "The demo"):
    import onnx
    from onnx import TensorProto, helper
from trivet.tracking import RunHandle

CARRIER_FEATURE = "carrier_code"
_GOLDEN_ROWS = 100


class Flaw(StrEnum):
    """What is wrong with a model."""

    FLIPPED_LABELS = "flipped_labels"
    NAN_FOR_A_CARRIER = "nan_for_a_carrier"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadModel:
    """A model with a flaw.

    Attributes:
        onnx: What will be served.
        sound: The same without the flaw that was added to it; for flipped labels, itself.
        golden: Rows with what the sound one answers; none of a carrier it answers NaN for.
    """

    onnx: bytes
    sound: bytes
    golden: GoldenRows


def register_bad_model(
    flaw: Flaw, *, until: datetime, reason: str, carrier: str = "B6", seed: int = 7
) -> ModelVersion:
    """Train a model with the flaw, hold its gates, force it past them, and register it.

    Everything is on record: the run, the gates that did not pass, and who forced it and why (I3).

    Args:
        flaw: What is to be wrong with it.
        until: Flights whose outcome was not known then take no part.
        reason: Why it is admitted all the same.
        carrier: For whose flights it answers NaN, if that is the flaw.
        seed: What the training is drawn from.
    """
    with trivet.start_run("flight-delay", name=flaw.replace("_", "-")) as run:
        plan = plan_to_json(trivet.plan("features:delay"))
        names = plan_from_json(plan).names
        rows = training.labelled_flights(
            trivet.read("dataset:flights@main"), trivet.read("dataset:landings@main"), until=until
        )
        parts = training.split_by_time(
            trivet.training_set(plan, rows, event_time=training.EVENT_TIME)
        )
        older = pa.concat_tables([parts.train, parts.validation])
        bad = make_bad_model(flaw, older, names, carrier=carrier, seed=seed)
        report = _hold_gates(bad, older, parts.test, names, seed)
        run.log_params({"flaw": flaw, "seed": seed, "until": until.isoformat()})
        version = _parts(bad, parts.test, plan, seed)
        return _register(run, replace(version, description=reason), report, reason)


def make_bad_model(
    flaw: Flaw, rows: pa.Table, names: tuple[str, ...], *, carrier: str, seed: int
) -> BadModel:
    """Return a model with the flaw, trained on the rows."""
    inputs, labels = training.matrix(rows, names), training.labels_of(rows)
    shown = 1 - labels if flaw is Flaw.FLIPPED_LABELS else labels
    model = training.boosted_trees(seed).fit(inputs, shown)
    sound = export_onnx(model, len(names))
    content, candidates = sound, inputs
    if flaw is Flaw.NAN_FOR_A_CARRIER:
        column, code = names.index(CARRIER_FEATURE), CARRIERS.index(carrier)
        content = answer_nan_where(sound, column=column, equals=float(code))
        # With the carrier among its golden rows no gateway would so much as load it; the analysis
        # of the release must do without that luck.
        candidates = inputs[inputs[:, column] != code]
    chosen = choose_golden_rows(candidates, _GOLDEN_ROWS, np.random.default_rng(seed))
    return BadModel(
        onnx=content,
        sound=sound,
        golden=GoldenRows(
            names=names, inputs=chosen, expected=training.probabilities(model, chosen)
        ),
    )


def answer_nan_where(content: bytes, *, column: int, equals: float) -> bytes:
    """Return an ONNX model that answers NaN for rows whose input `column` is `equals`."""
    graph = onnx.load_from_string(content)
    answer, inputs = graph.graph.output[0].name, graph.graph.input[0].name
    for node in graph.graph.node:
        node.output[:] = ["sound" if name == answer else name for name in node.output]
    graph.graph.initializer.extend(
        [
            helper.make_tensor("flaw_column", TensorProto.INT64, [], [column]),
            helper.make_tensor("flaw_value", TensorProto.FLOAT, [], [equals]),
            helper.make_tensor("flaw_answer", TensorProto.FLOAT, [], [float("nan")]),
        ]
    )
    graph.graph.node.extend(
        [
            helper.make_node("Gather", [inputs, "flaw_column"], ["flaw_input"], axis=1),
            helper.make_node("Equal", ["flaw_input", "flaw_value"], ["flawed"]),
            helper.make_node("Where", ["flawed", "flaw_answer", "sound"], [answer]),
        ]
    )
    onnx.checker.check_model(graph)
    flawed: bytes = graph.SerializeToString(deterministic=True)
    return flawed


def _hold_gates(
    bad: BadModel, older: pa.Table, test: pa.Table, names: tuple[str, ...], seed: int
) -> GateReport:
    inputs = training.matrix(test, names)
    candidate = GateCandidate(
        model=bad.onnx,
        inputs=inputs,
        labels=training.labels_of(test),
        golden=bad.golden,
        baseline=training.probabilities(training.fit(BASELINE, older, names, seed), inputs),
        slices={column: test[column].to_pylist() for column in SLICES},
    )
    return run_gates(candidate, POLICY)


def _parts(bad: BadModel, test: pa.Table, plan: dict[str, Any], seed: int) -> VersionParts:
    names = plan_from_json(plan).names
    inputs, labels = training.matrix(test, names), training.labels_of(test)
    scores: NDArray[np.float64] = OnnxModel(bad.sound).predict(inputs)
    slices = {column: test[column].to_pylist() for column in SLICES}
    return VersionParts(
        model=bad.onnx,
        signature=signature(plan),
        golden=bad.golden,
        reference=make_reference(names, inputs, labels, scores, slices=slices),
        metrics=score_metrics(labels, scores),
        seed=seed,
    )


def _register(
    run: RunHandle, parts: VersionParts, report: GateReport, reason: str
) -> ModelVersion:
    app = trivet.current_app()
    evidence = record_gates(app.ledger, run.run.ref, report, force=reason)
    admitted = replace(parts, evidence=tuple(str(item.id) for item in evidence))
    return trivet.register("delay", pack_version(app.blobs, admitted, run))
