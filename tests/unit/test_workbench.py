import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import trivet
from trivet.app import App
from trivet.current import open_workspace
from trivet.features import FeatureServiceNotFound, FeatureView
from trivet.kernel.errors import InvalidInput
from trivet.ledger import Verdict
from trivet.pipelines import load_pipeline, reproduce
from trivet.tracking import TEST, count_test_reads

PIPELINE = """
from typing import Any

import pyarrow.compute as pc
import trivet
from trivet.features import plan_to_json


@trivet.pipeline
def learn(orders: str = "dataset:orders@main", service: str = "features:spending") -> Any:
    return total(orders, plan_to_json(trivet.plan(service)))


@trivet.step
def total(orders: str, plan: dict[str, Any]) -> float:
    rows = trivet.training_set(plan, trivet.read(orders), event_time="at")
    return pc.sum(rows["worth"]).as_py()
"""

JUDGED = """

from trivet.tracking import TEST, current_run


@trivet.pipeline
def judged(orders: str = "dataset:orders@main", seed: int = 1) -> Any:
    return judge(orders, seed)


@trivet.step
def judge(orders: str, seed: int) -> int:
    current_run().link_input(orders, TEST)
    return trivet.read(orders).num_rows
"""


def worth(factor: int) -> FeatureView:
    return FeatureView(
        name="customer",
        entity=("customer",),
        source="orders",
        event_time="at",
        sql=f'SELECT customer, "at", {factor} * amount AS worth FROM source',
        columns=("worth",),
    )


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    orders = pd.DataFrame({"order": range(6), "customer": list("ababab")})
    orders["at"] = pd.date_range("2026-01-01", periods=6, freq="h", tz="UTC")
    orders["amount"] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    with trivet.open(tmp_path / "home") as opened:
        trivet.commit("orders", orders, key="order", event_time="at")
        trivet.apply(worth(1))
        trivet.apply(trivet.FeatureService(name="spending", views=(("customer", ()),)))
        yield opened


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    file = tmp_path / "spending_of_test.py"
    file.write_text(PIPELINE)
    yield file
    sys.modules.pop(file.stem, None)


def test_a_run_is_reproduced_on_the_views_it_had(app: App, file: Path) -> None:
    learn = load_pipeline(f"{file}:learn")
    before = trivet.run(learn)
    trivet.apply(worth(10))

    done = reproduce(before.run.id, workspace=open_workspace(app), ledger=app.ledger)

    assert done.evidence.verdict is Verdict.PASSED, done.text
    assert trivet.run(learn).outputs == 10 * before.outputs, "a change of a view is a change"


def test_a_bare_name_of_a_service_is_resolved_when_the_run_starts(app: App, file: Path) -> None:
    run = trivet.run(load_pipeline(f"{file}:learn")).run
    assert run.detail["pins"]["features:spending"] == "features:spending@1"
    assert app.runs.get_data(run.id).params["service"] == "features:spending@1"


def test_a_plan_is_taken_of_any_version_of_a_service(app: App) -> None:
    other = trivet.FeatureService(
        name="spending",
        views=(("customer", ()),),
        request=(trivet.RequestFeature(name="amount", column="amount"),),
    )
    trivet.apply(other)
    assert trivet.plan("spending").names == ("worth", "amount")
    for first in ("spending@1", "features:spending@1"):
        assert trivet.plan(first).names == ("worth",)
    assert trivet.plan(trivet.plan("spending@1")) == trivet.plan("spending@1")


def test_what_is_no_service_has_no_plan(app: App) -> None:
    with pytest.raises(FeatureServiceNotFound, match="customer"):
        trivet.plan("features:customer")
    with pytest.raises(InvalidInput, match="'latest' is no number"):
        trivet.plan("spending@latest")


def test_each_run_that_reads_a_test_split_is_counted(app: App, file: Path) -> None:
    head = app.datasets.resolve("orders").ref
    file.write_text(PIPELINE + JUDGED)
    judged = load_pipeline(f"{file}:judged")
    first = trivet.run(judged).run
    assert count_test_reads(app.ledger, app.runs, first) == {head: 1}

    cached = trivet.run(judged).run
    assert count_test_reads(app.ledger, app.runs, cached) == {head: 1}, "nothing was read again"

    trivet.run(judged, seed=2)
    with trivet.start_run("judged") as free, trivet.start_run("another") as other:
        for handle in (free, other):
            handle.link_input(head, TEST)
    assert count_test_reads(app.ledger, app.runs, first) == {head: 3}
    assert count_test_reads(app.ledger, app.runs, other.run) == {head: 1}


def test_a_run_that_judged_nothing_has_read_no_test_split(app: App, file: Path) -> None:
    run = trivet.run(load_pipeline(f"{file}:learn")).run
    assert count_test_reads(app.ledger, app.runs, run) == {}
