import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from trivet.kernel.errors import InvalidInput
from trivet.registry.scores import (
    accuracy,
    area_under_roc,
    base_rate_log_loss,
    log_loss,
    log_losses,
    score_metrics,
)

rows = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.1001, 0.5, 0.5, 0.9, 1.0])),
    min_size=2,
    max_size=60,
)


def arrays(pairs: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([y for y, _ in pairs]), np.array([p for _, p in pairs])


@given(rows)
def test_auc_agrees_with_scikit_learn_also_on_ties(pairs: list[tuple[int, float]]) -> None:
    labels, scores = arrays(pairs)
    if len(set(labels)) == 1:
        assert area_under_roc(labels, scores) is None
    else:
        assert area_under_roc(labels, scores) == pytest.approx(
            metrics.roc_auc_score(labels, scores), abs=1e-12
        )


@given(rows)
def test_log_loss_agrees_with_scikit_learn_on_clipped_probabilities(
    pairs: list[tuple[int, float]],
) -> None:
    labels, scores = arrays(pairs)
    clipped = np.clip(scores, 1e-7, 1 - 1e-7)
    expected = metrics.log_loss(labels, np.stack([1 - clipped, clipped], 1), labels=[0, 1])
    assert log_loss(labels, scores) == pytest.approx(expected, rel=1e-9)


@given(rows)
def test_accuracy_agrees_with_scikit_learn(pairs: list[tuple[int, float]]) -> None:
    labels, scores = arrays(pairs)
    assert accuracy(labels, scores) == pytest.approx(metrics.accuracy_score(labels, scores >= 0.5))


def test_auc_of_a_known_example() -> None:
    # Four pairs of a positive and a negative, three of them in the right order.
    assert area_under_roc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])) == 0.75


def test_a_constant_has_the_log_loss_of_its_base_rate() -> None:
    labels = np.array([1, 0, 0, 0])
    assert log_loss(labels, np.full(4, 0.25)) == pytest.approx(base_rate_log_loss(0.25))
    assert score_metrics(labels, np.full(4, 0.25))["normalised_log_loss"] == pytest.approx(1.0)


def test_a_sure_miss_is_finite() -> None:
    assert log_losses(np.array([1, 0]), np.array([0.0, 0.0])) == pytest.approx(
        [16.118, 0.0], abs=1e-3
    )


def test_one_class_has_no_auc_among_its_metrics() -> None:
    assert "auc" not in score_metrics(np.array([1, 1]), np.array([0.2, 0.9]))


@pytest.mark.parametrize(
    ("labels", "scores"),
    [(np.array([0, 1]), np.array([0.5])), (np.array([0, 1]), np.array([0.5, np.nan]))],
)
def test_what_cannot_be_scored_is_refused(labels: np.ndarray, scores: np.ndarray) -> None:
    for measure in (area_under_roc, log_loss, accuracy):
        with pytest.raises(InvalidInput):
            measure(labels, scores)


def test_no_rows_have_no_loss_and_no_accuracy() -> None:
    nothing = np.array([], dtype=np.int64), np.array([], dtype=np.float64)
    for measure in (log_loss, accuracy):
        with pytest.raises(InvalidInput, match="no rows"):
            measure(*nothing)
