"""The flights project on two months of real flights: trained, cached, gated, forced."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import trivet
from trivet.app import App
from trivet.data import ContractViolated
from trivet.demo import flights as project
from trivet.demo.bad_models import Flaw, register_bad_model
from trivet.demo.flights.features import SERVICES, VIEWS
from trivet.demo.flights.pipeline import train
from trivet.demo.source import load_tables
from trivet.ledger import Verdict
from trivet.pipelines import PipelineRun, StepFailed
from trivet.registry.golden import read_golden
from trivet.registry.onnx_session import OnnxModel

UNTIL = datetime(2013, 3, 1, 5, tzinfo=UTC)
KEYS = {"flights": "flight_id", "landings": "flight_id", "planes": "tailnum"}
TIMES = {"flights": "scheduled_at", "landings": "known_at", "weather": "observed_at"}


def committed(name: str) -> pa.Table:
    table = getattr(load_tables(), name)
    if name == "planes":
        return table
    return table.filter(pc.less(table[TIMES[name]], pa.scalar(UNTIL)))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    opened = trivet.open(tmp_path_factory.mktemp("flights"))
    contracts = Path(project.__file__).parent / "contracts"
    for name in ("flights", "landings", "weather", "planes"):
        opened.datasets.create(
            name,
            key=(KEYS[name],) if name in KEYS else ("origin", "observed_at"),
            event_time=TIMES.get(name, "listed_at"),
        )
        opened.datasets.set_contract(name, (contracts / f"{name}.yaml").read_text())
        commit = trivet.commit(name, committed(name))
        assert commit.contract is Verdict.PASSED
    trivet.apply(*VIEWS)
    trivet.apply(*SERVICES)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def trained(app: App) -> PipelineRun:
    return trivet.run(train, until=UNTIL.isoformat())


def test_the_pipeline_registers_a_whole_version(app: App, trained: PipelineRun) -> None:
    version = app.models.get_version("delay", 1)
    assert trained.outputs == version.ref
    assert version.content.run == trained.run.id
    assert {ref.split("@")[0] for ref in version.content.datasets} == {
        "dataset:flights",
        "dataset:landings",
        "dataset:weather",
        "dataset:planes",
    }
    assert len(version.content.features) == len(VIEWS)
    assert version.content.missing == ()
    assert trained.metrics["test.auc"] > trained.metrics["test.baseline.auc"]


def test_its_artifacts_agree_with_each_other(app: App, trained: PipelineRun) -> None:
    artifacts = app.models.get_version("delay", 1).content.artifacts
    golden = read_golden(app.blobs.get(artifacts["golden.arrow"]))
    answers = OnnxModel(app.blobs.get(artifacts["model.onnx"])).predict(golden.inputs)
    assert answers == pytest.approx(golden.expected, abs=1e-5)


def test_the_read_of_the_test_rows_is_on_record(app: App, trained: PipelineRun) -> None:
    edges = app.ledger.list_edges(trained.run.ref, upstream=True, depth=1)
    assert [edge.role for edge in edges].count("test") == 1


def test_a_second_run_is_a_cache_hit(app: App, trained: PipelineRun) -> None:
    again = trivet.run(train, until=UNTIL.isoformat())
    assert again.outputs == trained.outputs
    steps = app.runs.list_runs(parent=again.run.id)
    assert {step.status for step in steps} == {"cached"}
    assert again.metrics == trained.metrics


def test_bad_models_are_forced_on_record(app: App, trained: PipelineRun) -> None:
    for flaw, gate in {
        Flaw.FLIPPED_LABELS: "auc",
        Flaw.NAN_FOR_A_CARRIER: "output_range",
    }.items():
        version = register_bad_model(flaw, until=UNTIL, reason="A test of the release")
        evidence = [app.ledger.get_evidence(one) for one in version.content.evidence]
        failed = {item.inputs["gate"] for item in evidence if item.verdict is Verdict.FAILED}
        assert gate in failed
        assert evidence[-1].verdict is Verdict.FORCED
        assert "A test of the release" in evidence[-1].summary


def test_a_week_in_another_unit_with_gaps_is_refused(app: App) -> None:
    flights = load_tables().flights
    at = flights["scheduled_at"]
    week = flights.filter(
        pc.and_(
            pc.greater_equal(at, pa.scalar(UNTIL)),
            pc.less(at, pa.scalar(datetime(2013, 3, 8, 5, tzinfo=UTC))),
        )
    )
    for name in ("sched_dep_time", "dep_time"):
        clock = week[name]
        minutes = pc.add(
            pc.multiply(pc.divide(clock, 100), 60),
            pc.subtract(clock, pc.multiply(pc.divide(clock, 100), 100)),
        )
        seconds = pc.multiply(minutes, 60).cast(pa.int32())
        week = week.set_column(week.schema.get_field_index(name), name, seconds)
    gaps = pa.array([row % 10 < 3 for row in range(week.num_rows)])
    position = week.schema.get_field_index("tailnum")
    week = week.set_column(position, "tailnum", pc.if_else(gaps, None, week["tailnum"]))
    head = app.datasets.resolve("flights").id
    with pytest.raises(ContractViolated, match=r"dep_time"):
        trivet.commit("flights", week)
    assert app.datasets.resolve("flights").id == head


def test_a_gate_that_did_not_pass_stops_registration(app: App, trained: PipelineRun) -> None:
    before = len(app.models.list_versions("delay"))
    # After three weeks no carrier has enough flights among the test rows to be judged by.
    with pytest.raises(StepFailed, match="Slices of 500 rows or more cover"):
        trivet.run(train, until="2013-01-23T00:00:00+00:00")
    assert len(app.models.list_versions("delay")) == before
