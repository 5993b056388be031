import json
from typing import Any

import numpy as np
import pytest

from trivet.kernel.errors import InvalidInput
from trivet.registry.reference import make_reference

RNG = np.random.default_rng(3)
ROWS = 1000


@pytest.fixture
def reference() -> dict[str, Any]:
    inputs = np.stack([np.arange(ROWS), np.where(np.arange(ROWS) < 250, np.nan, 7.0)], axis=1)
    labels = (np.arange(ROWS) % 4 == 0).astype(np.int64)
    scores = np.linspace(0, 1, ROWS)
    return make_reference(
        ["x", "gap"],
        inputs.astype(np.float32),
        labels,
        scores,
        slices={"carrier": ["UA" if row < 600 else "B6" for row in range(ROWS)]},
    )


def test_it_holds_deciles_and_their_counts(reference: dict[str, Any]) -> None:
    x = reference["features"]["x"]
    assert x["edges"] == pytest.approx([99.9 * k for k in range(1, 10)], rel=1e-6)
    assert x["counts"] == [100] * 10
    assert x["missing"] == 0


def test_ties_and_gaps_are_counted_too(reference: dict[str, Any]) -> None:
    gap = reference["features"]["gap"]
    assert gap["missing"] == 0.25
    assert gap["edges"] == [7.0] * 9
    assert sum(gap["counts"]) == 750


def test_scores_fall_into_twenty_bins(reference: dict[str, Any]) -> None:
    assert sum(reference["scores"]["counts"]) == ROWS
    assert len(reference["scores"]["counts"]) == 20


def test_slices_have_their_own_numbers(reference: dict[str, Any]) -> None:
    assert reference["slices"]["carrier=UA"]["rows"] == 600
    assert reference["slices"]["carrier=B6"]["rows"] == 400
    whole = sum(part["rows"] * part["log_loss"] for part in reference["slices"].values()) / ROWS
    assert whole == pytest.approx(reference["log_loss"])


def test_it_is_json(reference: dict[str, Any]) -> None:
    assert json.loads(json.dumps(reference, allow_nan=False)) == reference
    assert reference["base_rate"] == 0.25


def test_a_feature_that_is_never_there_has_no_edges() -> None:
    gone = make_reference(
        ["x"], np.full((4, 1), np.nan, np.float32), np.array([0, 1, 0, 1]), np.full(4, 0.5)
    )
    assert gone["features"]["x"] == {"edges": [], "counts": [], "missing": 1.0}


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="do not fit"):
        make_reference(["x"], np.zeros((2, 2), np.float32), np.zeros(2, int), np.zeros(2))
