import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from trivet.gates import (
    GateCandidate,
    GatePolicy,
    GateResult,
    GatesFailed,
    record_gates,
    require_passed,
    run_gates,
)
from trivet.kernel.errors import InvalidInput
from trivet.ledger import Recorder, SqlLedger, Verdict
from trivet.registry.golden import GoldenRows
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate

RNG = np.random.default_rng(5)
ROWS = 2000
INPUTS = RNG.random((ROWS, 2)).astype(np.float32)
LABELS = (RNG.random(ROWS) < INPUTS[:, 0]).astype(np.int64)
CARRIERS = ["UA" if row % 10 < 6 else "B6" if row % 10 < 9 else "HA" for row in range(ROWS)]


def steep(factor: float, *, missing: float = 0.5) -> bytes:
    """Return a model that answers clip(0.5 + factor * (x0 - 0.5)), `missing` where x0 is NaN."""
    nodes = [
        helper.make_node("Gather", ["input", "first"], ["x"], axis=1),
        helper.make_node("Sub", ["x", "half"], ["centred"]),
        helper.make_node("Mul", ["centred", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "half"], ["shifted"]),
        helper.make_node("Clip", ["shifted", "zero", "one"], ["clipped"]),
        helper.make_node("IsNaN", ["x"], ["gone"]),
        helper.make_node("Where", ["gone", "missing", "clipped"], ["probability"]),
    ]
    numbers = {"half": 0.5, "factor": factor, "zero": 0.0, "one": 1.0, "missing": missing}
    constants = [
        helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in numbers.items()
    ]
    constants.append(helper.make_tensor("first", TensorProto.INT64, [], [0]))
    graph = helper.make_graph(
        nodes,
        "steep",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n"])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def candidate(**changes: object) -> GateCandidate:
    golden = GoldenRows(
        names=("a", "b"), inputs=INPUTS[:10], expected=INPUTS[:10, 0].astype(np.float64)
    )
    whole = GateCandidate(
        model=steep(1.0),
        inputs=INPUTS,
        labels=LABELS,
        golden=golden,
        baseline=np.full(ROWS, 0.5),
        slices={"carrier": CARRIERS},
        metrics={"auc": 0.8},
        metrics_again={"auc": 0.8},
    )
    return replace(whole, **changes)  # type: ignore[arg-type]  # fields by name


def ticking(seconds: float) -> Callable[[], float]:
    ticks = itertools.count()
    return lambda: next(ticks) * seconds


def result(name: str, made: GateCandidate, policy: GatePolicy | None = None) -> GateResult:
    report = run_gates(made, policy, stopwatch=ticking(0.0001))
    return next(item for item in report.results if item.name == name)


def test_a_good_candidate_passes_every_gate() -> None:
    report = run_gates(candidate(), stopwatch=ticking(0.0001))
    assert {item.name: item.verdict for item in report.results} == dict.fromkeys(
        (
            "output_range",
            "beats_baseline",
            "auc",
            "slices:carrier",
            "smoothness",
            "latency",
            "repeatable",
            "onnx_parity",
        ),
        Verdict.PASSED,
    )
    assert report.passed


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("beats_baseline", {"baseline": INPUTS[:, 0].astype(np.float64)}),
        ("auc", {"labels": 1 - LABELS}),
        ("slices:carrier", {"labels": 1 - LABELS}),
        ("smoothness", {"model": steep(60.0)}),
        ("repeatable", {"metrics_again": {"auc": 0.8000001}}),
        ("onnx_parity", {"model": steep(0.99)}),
        ("output_range", {"model": steep(1.0, missing=float("nan"))}),
        ("output_range", {"output_range": (0.0, 0.9)}),
    ],
)
def test_a_gate_fails_and_names_number_and_bound(name: str, changes: dict[str, object]) -> None:
    found = result(name, candidate(**changes))
    assert found.verdict is Verdict.FAILED
    assert found.value is not None
    assert any(char.isdigit() for char in found.sentence)


def test_a_slow_model_fails_the_latency_budget() -> None:
    report = run_gates(candidate(), stopwatch=ticking(0.0025))
    (slow,) = report.refusals
    assert (slow.name, slow.verdict) == ("latency", Verdict.FAILED)
    assert slow.value == pytest.approx(2.5)
    assert "2.500 ms" in slow.sentence
    assert "1.000 ms" in slow.sentence


def test_a_small_slice_has_no_data_and_is_no_pass() -> None:
    found = result("slices:carrier", candidate())
    slices = found.detail["slices"]
    assert slices["carrier=HA"] == {"rows": 200, "auc": None, "verdict": Verdict.NO_DATA}
    assert slices["carrier=UA"]["verdict"] == Verdict.PASSED
    assert found.detail["covered"] == pytest.approx(0.9)


def test_a_slice_of_exactly_the_least_rows_is_judged() -> None:
    found = result("slices:carrier", candidate(), GatePolicy(slice_rows=200))
    assert found.detail["slices"]["carrier=HA"]["verdict"] == Verdict.PASSED


def test_slices_too_small_to_cover_the_rows_are_no_pass() -> None:
    found = result("slices:carrier", candidate(), GatePolicy(slice_rows=700))
    assert found.verdict is Verdict.NO_DATA
    assert "60%" in found.sentence


def test_one_bad_slice_fails_however_good_the_rest_is() -> None:
    labels = np.where(np.array(CARRIERS) == "B6", 1 - LABELS, LABELS)
    found = result("slices:carrier", candidate(labels=labels))
    assert found.verdict is Verdict.FAILED
    assert "carrier=B6" in found.sentence


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("beats_baseline", {"baseline": None}),
        ("auc", {"labels": np.ones(ROWS, dtype=np.int64)}),
        ("repeatable", {"metrics_again": None}),
        ("repeatable", {"metrics_again": {"loss": 0.8}}),
        (
            "onnx_parity",
            {
                "golden": GoldenRows(
                    names=("a", "b"), inputs=np.empty((0, 2), np.float32), expected=np.empty(0)
                )
            },
        ),
    ],
)
def test_missing_data_is_a_verdict_of_its_own(name: str, changes: dict[str, object]) -> None:
    made = candidate(**changes)
    assert result(name, made).verdict is Verdict.NO_DATA
    assert not run_gates(made).passed


def test_answers_that_are_no_numbers_leave_quality_unjudged() -> None:
    inputs = INPUTS.copy()
    inputs[7, 0] = np.nan
    report = run_gates(candidate(inputs=inputs, model=steep(1.0, missing=float("nan"))))
    verdicts = {item.name: item.verdict for item in report.results}
    assert verdicts["output_range"] is Verdict.FAILED
    assert verdicts["auc"] is Verdict.NO_DATA


def test_the_gain_over_the_baseline_is_the_difference_of_the_aucs() -> None:
    found = result("beats_baseline", candidate())
    assert found.detail["baseline_auc"] == 0.5
    assert found.value == pytest.approx(found.detail["auc"] - 0.5)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(InvalidInput, match="2 columns"):
        run_gates(candidate(inputs=np.zeros((10, 3), np.float32), labels=np.zeros(10, int)))


@pytest.fixture
def ledger(tmp_path: Path) -> SqlLedger:
    database = Database(f"sqlite:///{tmp_path}/trivet.db")
    migrate(database)
    return SqlLedger(database, Recorder("user:test"))


def test_every_gate_becomes_evidence(ledger: SqlLedger) -> None:
    report = run_gates(candidate(), stopwatch=ticking(0.0001))
    evidence = record_gates(ledger, "run:abc", report)
    assert [item.inputs["gate"] for item in evidence] == [item.name for item in report.results]
    assert {item.verdict for item in evidence} == {Verdict.PASSED}
    assert ledger.list_evidence(subject="run:abc", kind="gate") == evidence[::-1]
    require_passed("run:abc", report, evidence)


def test_a_refusal_names_which_number_missed_which_bound(ledger: SqlLedger) -> None:
    report = run_gates(candidate(labels=1 - LABELS), stopwatch=ticking(0.0001))
    evidence = record_gates(ledger, "run:abc", report)
    with pytest.raises(GatesFailed, match=r"AUC 0\.\d+ on 2000 test rows; at least 0\.6500") as no:
        require_passed("run:abc", report, evidence)
    assert len(no.value.sentences) == 3


def test_a_force_is_evidence_with_its_reason(ledger: SqlLedger) -> None:
    report = run_gates(candidate(labels=1 - LABELS), stopwatch=ticking(0.0001))
    evidence = record_gates(ledger, "run:abc", report, force="to see it caught")
    assert evidence[-1].verdict is Verdict.FORCED
    assert evidence[-1].inputs["reason"] == "to see it caught"
    assert evidence[-1].inputs["gates"] == ["beats_baseline", "auc", "slices:carrier"]
    require_passed("run:abc", report, evidence)


def test_a_force_without_a_reason_is_refused(ledger: SqlLedger) -> None:
    report = run_gates(candidate(labels=1 - LABELS))
    with pytest.raises(InvalidInput, match="reason"):
        record_gates(ledger, "run:abc", report, force=" ")
    assert ledger.list_evidence() == []


def test_a_force_that_was_not_needed_leaves_no_trace(ledger: SqlLedger) -> None:
    report = run_gates(candidate(), stopwatch=ticking(0.0001))
    evidence = record_gates(ledger, "run:abc", report, force="just in case")
    assert Verdict.FORCED not in {item.verdict for item in evidence}
