import math
from datetime import UTC, datetime
from typing import Any

from trivet.tracking import Run, RunData, RunId, RunKind, RunStatus
from trivet.tracking.comparison import Compared, compare_runs


def compared(number: int, *, auc: float, data: str, numpy: str) -> Compared:
    run = Run(
        id=RunId(str(number)),
        experiment="e",
        name="",
        kind=RunKind.RUN,
        status=RunStatus.FINISHED,
        actor="user:test",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        code={"commit": "c"},
    )
    logged = RunData(
        params={"rate": "0.1"}, metrics={"auc": auc, "loss": math.nan}, tags={}, artifacts=()
    )
    environment: dict[str, Any] = {"packages": {"numpy": {"version": numpy}}}
    return Compared(run=run, logged=logged, inputs=(data,), environment=environment)


def test_what_differs_is_told_from_what_is_the_same() -> None:
    one = compared(1, auc=0.7, data="dataset:d@1", numpy="2.3")
    two = compared(2, auc=0.8, data="dataset:d@2", numpy="2.3")
    rows = {(row.part, row.name): row for row in compare_runs([one, two])}
    assert rows["metric", "auc"].values == (0.7, 0.8)
    assert rows["data", "dataset:d"].values == ("1", "2")
    differing = {name for name, row in rows.items() if row.differs}
    assert differing == {("metric", "auc"), ("data", "dataset:d")}
    assert not rows["metric", "loss"].differs
