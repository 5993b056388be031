"""Admission in one call: what is good is registered whole, anything else not at all."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

import trivet
from trivet.current import use
from trivet.gates import GatePolicy, GatesFailed
from trivet.kernel.errors import InvalidInput
from trivet.registry import ModelVersion

LENIENT = GatePolicy(baseline_margin=-1.0)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[None]:
    """A home with one dataset and one feature service."""
    app = trivet.open(tmp_path)
    trivet.commit("orders", orders(), key="order", event_time="at")
    amount = trivet.RequestFeature(name="amount", column="amount")
    trivet.apply(trivet.FeatureService(name="returns", views=(), request=(amount,)))
    use(app)
    yield
    app.close()


def orders(rows: int = 2000) -> pa.Table:
    rng = np.random.default_rng(3)
    amount = rng.normal(50, 20, rows)
    returned = (rng.random(rows) < 1 / (1 + np.exp((50 - amount) / 10))).astype(np.int64)
    at = [START + dt.timedelta(minutes=30 * number) for number in range(rows)]
    return pa.table({"order": range(rows), "amount": amount, "returned": returned, "at": at})


def sound() -> Pipeline:
    return make_pipeline(SimpleImputer(), LogisticRegression())


def admit(
    classifier: LogisticRegression | Pipeline, rows: pa.Table, *, test_share: float = 0.2
) -> ModelVersion:
    with trivet.start_run("returns"):
        trivet.read("dataset:orders@main")
        joined = trivet.training_set("returns", rows, event_time="at")
        return trivet.admit(
            "returns",
            classifier,
            joined,
            service="returns",
            label="returned",
            event_time="at",
            policy=LENIENT,
            test_share=test_share,
        )


@pytest.mark.usefixtures("home")
def test_a_good_classifier_is_registered_with_all_it_is_made_of() -> None:
    version = admit(sound(), orders())

    content = version.content
    commit = trivet.current_app().datasets.resolve("orders")
    assert set(content.artifacts) == {"model.onnx", "golden.arrow", "reference.json"}
    assert content.datasets == (commit.ref,)
    assert content.signature.request == {"amount": "number"}
    assert content.metrics["auc"] > 0.8
    assert len(content.evidence) >= 6
    assert content.missing == ("features",)  # none of the inputs comes from a view


@pytest.mark.usefixtures("home")
def test_what_fails_a_gate_is_not_registered() -> None:
    noise = orders()
    shuffled = np.random.default_rng(0).permutation(noise.num_rows)
    noise = noise.set_column(2, "returned", noise["returned"].take(pa.array(shuffled)))

    with pytest.raises(GatesFailed, match="AUC"):
        admit(sound(), noise)

    assert trivet.current_app().models.list_models() == []


@pytest.mark.usefixtures("home")
def test_outcomes_other_than_0_and_1_are_refused() -> None:
    rows = orders()
    rows = rows.set_column(2, "returned", pa.array(np.arange(rows.num_rows) % 3))

    with pytest.raises(InvalidInput, match="expected 0 and 1"):
        admit(sound(), rows)


@pytest.mark.usefixtures("home")
def test_too_few_rows_are_refused() -> None:
    with pytest.raises(InvalidInput, match="fewer than 20"):
        admit(sound(), orders(60), test_share=0.1)


@pytest.mark.usefixtures("home")
def test_a_classifier_that_needs_every_feature_is_refused() -> None:
    with pytest.raises(InvalidInput, match="put an imputer before it"):
        admit(LogisticRegression(), orders())
