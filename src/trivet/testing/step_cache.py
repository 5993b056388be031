"""What every `StepCache` must do."""

import math
from dataclasses import replace
from datetime import UTC, datetime

from trivet.kernel.digests import Digest
from trivet.pipelines import StepCache, StepResult, StoredValue
from trivet.tracking import RunStore

KEY = Digest("a" * 64)
TEXT = StoredValue(codec="json", digest=Digest("b" * 64), size=1, inline="1", type="int")
TABLE = StoredValue(codec="arrow", digest=Digest("c" * 64), size=100, type="table")


class StepCacheContract:
    """Subclass, and provide fixtures `cache`, empty, and `runs` over the same database."""

    def test_a_result_is_found_by_its_key(self, cache: StepCache, runs: RunStore) -> None:
        result = made(runs)
        cache.put(result)
        assert cache.find(KEY) == result
        assert cache.find(Digest("f" * 64)) is None

    def test_metrics_come_back_to_the_bit(self, cache: StepCache, runs: RunStore) -> None:
        cache.put(replace(made(runs), metrics={"a": 0.1 + 0.2, "n": math.nan, "i": math.inf}))
        found = cache.find(KEY)
        assert found is not None
        assert found.metrics["a"].hex() == (0.1 + 0.2).hex()
        assert math.isnan(found.metrics["n"])
        assert math.isinf(found.metrics["i"])

    def test_a_later_result_replaces_the_earlier(self, cache: StepCache, runs: RunStore) -> None:
        cache.put(made(runs))
        later = replace(made(runs), output=TABLE)
        cache.put(later)
        assert cache.find(KEY) == later

    def test_results_can_be_forgotten(self, cache: StepCache, runs: RunStore) -> None:
        cache.put(made(runs))
        assert cache.forget("another step") == 0
        assert cache.forget("train") == 1
        assert cache.find(KEY) is None


def made(runs: RunStore) -> StepResult:
    """Return a result of a new run."""
    parts = (("0", TEXT), ("1", TABLE))
    both = StoredValue(codec="tuple", digest=Digest("d" * 64), size=101, parts=parts, type="tuple")
    return StepResult(
        key=KEY,
        step="train",
        run_id=runs.create_run("delay").id,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        output=both,
        metrics={"auc": 0.75},
        links=(("inputs", "dataset:d@1", "data"),),
    )
