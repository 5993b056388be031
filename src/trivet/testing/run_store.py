"""What every `RunStore` and every `ExperimentStore` must do."""

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from trivet.kernel.errors import InvalidInput
from trivet.ledger import Ledger
from trivet.tracking import (
    AmbiguousRun,
    Artifact,
    ExperimentConcluded,
    ExperimentNotFound,
    ExperimentStore,
    Metric,
    Outcome,
    ParamChanged,
    RunFinished,
    RunId,
    RunKind,
    RunNotFound,
    RunStatus,
    RunStore,
)

UNKNOWN = RunId("no-such-run")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class RunStoreContract:
    """Subclass, and provide fixtures `store`, empty, and `ledger` over the same database."""

    def test_a_new_run_is_running(self, store: RunStore) -> None:
        run = store.create_run("churn", name="first", code={"commit": "c"}, detail={"n": 1})
        assert store.get_run(run.id) == run
        assert (run.status, run.kind, run.name) == (RunStatus.RUNNING, RunKind.RUN, "first")

    def test_a_run_is_found_by_a_unique_start_of_its_id(self, store: RunStore) -> None:
        run = store.create_run("churn")
        assert store.get_run(RunId(run.id[:30])) == run
        store.create_run("churn")
        with pytest.raises(AmbiguousRun):
            store.get_run(RunId(run.id[:2]))

    def test_metrics_have_a_history_by_step_and_a_newest_value(self, store: RunStore) -> None:
        run = store.create_run("churn")
        store.log(run.id, metrics=[loss(0.5, step=2), loss(0.9, step=1)])
        store.log(run.id, metrics=[loss(0.7, step=0), loss(0.4, step=2)])
        assert [m.value for m in store.metric_history(run.id, "loss")] == [0.7, 0.9, 0.5, 0.4]
        assert store.get_data(run.id).metrics == {"loss": 0.4}

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 5e-324, 0.1, -1e300])
    def test_metrics_are_kept_to_the_bit(self, store: RunStore, value: float) -> None:
        run = store.create_run("churn")
        store.log(run.id, metrics=[loss(value)])
        assert store.metric_history(run.id, "loss")[0].value.hex() == value.hex()
        assert store.get_data(run.id).metrics["loss"].hex() == value.hex()

    def test_what_a_run_logs_is_returned(self, store: RunStore) -> None:
        run = store.create_run("churn")
        file = Artifact(path="a/b.txt", digest="d" * 64, size=3, media_type="text/plain")
        store.log(run.id, params={"rate": "0.1"}, tags={"by": "x"}, artifacts=[file])
        store.log(run.id, tags={"by": "y", "at": "z"})
        data = store.get_data(run.id)
        assert (data.params, data.artifacts) == ({"rate": "0.1"}, (file,))
        assert data.tags == {"at": "z", "by": "y"}

    def test_a_param_keeps_its_value(self, store: RunStore) -> None:
        run = store.create_run("churn")
        store.log(run.id, params={"rate": "0.1"})
        store.log(run.id, params={"rate": "0.1", "depth": "3"})
        with pytest.raises(ParamChanged, match=r"0\.2"):
            store.log(run.id, params={"rate": "0.2"}, metrics=[loss(1.0)])
        assert store.get_data(run.id).params == {"depth": "3", "rate": "0.1"}
        assert store.metric_history(run.id, "loss") == []

    def test_a_write_of_a_number_takes_effect_once(self, store: RunStore) -> None:
        run = store.create_run("churn")
        store.log(run.id, metrics=[loss(0.5)], sequence=1)
        store.log(run.id, metrics=[loss(0.5)], sequence=1)
        store.link(run.id, inputs=[("dataset:d@1", "data")], sequence=2)
        store.log(run.id, metrics=[loss(0.4)], sequence=3)
        store.log(run.id, metrics=[loss(0.9)], sequence=2)
        assert [m.value for m in store.metric_history(run.id, "loss")] == [0.5, 0.4]

    def test_a_repeated_write_to_a_run_that_ended_since_is_no_error(self, store: RunStore) -> None:
        run = store.create_run("churn")
        store.log(run.id, metrics=[loss(0.5)], sequence=1)
        store.finish_run(run.id, RunStatus.FINISHED)
        store.log(run.id, metrics=[loss(0.5)], sequence=1)
        with pytest.raises(RunFinished):
            store.log(run.id, metrics=[loss(0.5)], sequence=2)

    def test_a_finished_run_accepts_no_write(self, store: RunStore) -> None:
        run = store.create_run("churn")
        store.finish_run(run.id, RunStatus.FAILED, "Traceback: boom")
        with pytest.raises(RunFinished, match="failed"):
            store.log(run.id, metrics=[loss(0.5)])
        with pytest.raises(RunFinished):
            store.link(run.id, inputs=[("dataset:d@1", "data")])
        with pytest.raises(RunFinished):
            store.beat(run.id)
        assert store.metric_history(run.id, "loss") == []
        assert store.get_run(run.id).error == "Traceback: boom"

    def test_a_run_finishes_once_and_keeps_its_detail(self, store: RunStore) -> None:
        run = store.create_run("churn", detail={"a": 1})
        done = store.finish_run(run.id, RunStatus.FINISHED, detail={"b": 2})
        with pytest.raises(RunFinished):
            store.finish_run(run.id, RunStatus.FAILED)
        assert store.get_run(run.id) == done
        assert (done.status, done.detail) == (RunStatus.FINISHED, {"a": 1, "b": 2})

    def test_of_many_who_finish_a_run_one_succeeds(self, store: RunStore) -> None:
        run = store.create_run("churn")

        def finishes(_: int) -> bool:
            try:
                store.finish_run(run.id, RunStatus.FINISHED)
            except RunFinished:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(finishes, range(4))) == 1

    def test_many_may_start_the_first_run_of_an_experiment(self, store: RunStore) -> None:
        with ThreadPoolExecutor(4) as pool:
            runs = list(pool.map(lambda _: store.create_run("new"), range(4)))
        assert len({run.id for run in runs}) == 4

    def test_an_unknown_run_is_an_error(self, store: RunStore) -> None:
        with pytest.raises(RunNotFound, match="no-such-run"):
            store.get_run(UNKNOWN)
        with pytest.raises(RunNotFound):
            store.log(UNKNOWN, metrics=[loss(0.5)])
        with pytest.raises(RunNotFound):
            store.log(UNKNOWN, metrics=[loss(0.5)], sequence=1)
        with pytest.raises(RunNotFound):
            store.metric_history(UNKNOWN, "loss")
        with pytest.raises(RunNotFound):
            store.finish_run(UNKNOWN, RunStatus.FAILED)

    def test_silent_runs_and_dead_ones_are_marked_lost(self, store: RunStore) -> None:
        silent, dead, alive = (store.create_run("churn") for _ in range(3))
        ended = store.create_run("churn")
        store.finish_run(ended.id, RunStatus.FINISHED)
        assert store.mark_lost(LONG_AGO) == []
        lost = store.mark_lost(LONG_AGO, dead=[dead.id, ended.id])
        assert [run.id for run in lost] == [dead.id]
        assert lost[0].status is RunStatus.LOST
        store.beat(alive.id)
        heard = store.get_run(alive.id).heartbeat_at
        assert heard is not None
        assert [run.id for run in store.mark_lost(heard)] == [silent.id]
        assert store.get_run(alive.id).status is RunStatus.RUNNING

    def test_runs_are_listed_newest_first(self, store: RunStore) -> None:
        parent = store.create_run("churn", kind=RunKind.PIPELINE)
        step = store.create_run("churn", kind=RunKind.STEP, parent=parent.id)
        other = store.create_run("delay")
        assert [run.id for run in store.list_runs()] == [other.id, step.id, parent.id]
        assert store.list_runs(experiment="churn", limit=1) == [step]
        assert store.list_runs(parent=parent.id) == [step]
        assert store.list_runs(kind=RunKind.PIPELINE, status=RunStatus.RUNNING) == [parent]

    def test_lineage_and_facts_are_recorded(self, store: RunStore, ledger: Ledger) -> None:
        run = store.create_run("churn", inputs=[("dataset:d@1", "train")])
        store.link(run.id, inputs=[("features:f@2", "input")], outputs=[("model:m@1", "model")])
        store.finish_run(run.id, RunStatus.FAILED, "Traceback\nValueError: no rows")
        up = {(edge.from_ref, edge.role) for edge in ledger.list_edges(run.ref, upstream=True)}
        assert up == {("dataset:d@1", "train"), ("features:f@2", "input")}
        down = ledger.list_edges(run.ref, upstream=False)
        assert [(edge.to_ref, edge.role) for edge in down] == [("model:m@1", "model")]
        facts = ledger.list_facts(subject=run.ref)
        assert [fact.kind for fact in facts] == ["run.started", "run.linked", "run.finished"]
        assert facts[-1].payload["error"] == "ValueError: no rows"

    def test_metrics_are_no_facts(self, store: RunStore, ledger: Ledger) -> None:
        run = store.create_run("churn")
        before = len(ledger.list_facts())
        store.log(run.id, params={"a": "1"}, metrics=[loss(0.5)], tags={"t": "1"})
        store.beat(run.id)
        assert len(ledger.list_facts()) == before


class ExperimentStoreContract:
    """Subclass, and provide fixtures `experiments`, empty, and `ledger`."""

    def test_an_experiment_says_what_is_sought(self, experiments: ExperimentStore) -> None:
        made = experiments.create_experiment(
            "delay", objective="AUC", hypothesis="weather", kill_criteria=["below 0.6"]
        )
        assert experiments.get_experiment("delay") == made
        assert (made.outcome, made.kill_criteria) == (Outcome.OPEN, ("below 0.6",))

    def test_one_that_exists_is_left_as_it_is(
        self, experiments: ExperimentStore, ledger: Ledger
    ) -> None:
        first = experiments.create_experiment("delay", objective="AUC")
        assert experiments.create_experiment("delay", objective="other") == first
        assert len(ledger.list_facts(kind="experiment.created")) == 1

    def test_experiments_are_listed_by_name(self, experiments: ExperimentStore) -> None:
        for name in ("b", "a"):
            experiments.create_experiment(name)
        assert [one.name for one in experiments.list_experiments()] == ["a", "b"]

    def test_a_conclusion_is_final_and_has_a_reason(
        self, experiments: ExperimentStore, ledger: Ledger
    ) -> None:
        experiments.create_experiment("delay")
        with pytest.raises(InvalidInput):
            experiments.conclude("delay", Outcome.SUPPORTED, " ")
        done = experiments.conclude("delay", Outcome.SUPPORTED, "AUC 0.8")
        assert (done.outcome, done.outcome_reason) == (Outcome.SUPPORTED, "AUC 0.8")
        with pytest.raises(ExperimentConcluded, match="supported"):
            experiments.conclude("delay", Outcome.REFUTED, "no")
        assert len(ledger.list_facts(kind="experiment.concluded")) == 1

    def test_an_unknown_experiment_is_an_error(self, experiments: ExperimentStore) -> None:
        with pytest.raises(ExperimentNotFound):
            experiments.get_experiment("nothing")
        with pytest.raises(ExperimentNotFound):
            experiments.conclude("nothing", Outcome.REFUTED, "why")

    def test_a_name_must_be_a_name(self, experiments: ExperimentStore) -> None:
        with pytest.raises(InvalidInput, match="is no name"):
            experiments.create_experiment("a b")


def loss(value: float, step: int = 0) -> Metric:
    """Return a metric named `loss`."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=step)
    return Metric(key="loss", value=value, step=step, at=at)
