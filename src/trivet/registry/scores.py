"""How well probabilities agree with outcomes: AUC, log loss, accuracy. Pure numbers."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from trivet.kernel.errors import InvalidInput

CLIP = 1e-7
"""Probabilities are kept this far from 0 and 1, so that one sure error is not infinitely bad."""


def area_under_roc(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float | None:
    r"""Return the probability that a positive scores higher than a negative, ties counted half.

    $\mathrm{AUC} = (R_+ - n_+(n_+ + 1)/2) / (n_+ n_-)$, where $R_+$ is the sum of the positives'
    ranks among all scores, ties given their mean rank.

    Args:
        labels: 0 or 1, shape (n,).
        scores: Any scale, no NaN, shape (n,).

    Returns:
        0 to 1, where 0.5 is chance; None where one of the classes is absent.

    Raises:
        InvalidInput: The shapes differ, or a score is NaN.

    Source:
        J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating
        characteristic (ROC) curve", Radiology 143 (1982): AUC as the Wilcoxon statistic.
    """
    _check(labels, scores)
    positives = int(np.sum(labels == 1))
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return None
    rank_sum = float(np.sum(rankdata(scores)[labels == 1]))
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def log_losses(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    r"""Return $-\ln p_y$ of each row in nats, shape (n,): 0 for a sure hit, 16 for a sure miss.

    Probabilities are clipped to [`CLIP`, 1 - `CLIP`] first.
    """
    _check(labels, probabilities)
    clipped = np.clip(probabilities, CLIP, 1 - CLIP)
    losses: NDArray[np.float64] = -np.log(np.where(labels == 1, clipped, 1 - clipped))
    return losses


def log_loss(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Return the mean of `log_losses`; the less, the better. At least one row is needed."""
    if len(labels) == 0:
        raise InvalidInput("The log loss of no rows is undefined.")
    return float(np.mean(log_losses(labels, probabilities)))


def base_rate_log_loss(rate: float) -> float:
    r"""Return the log loss of always answering `rate`: $-r \ln r - (1-r) \ln(1-r)$, in nats.

    A model's log loss divided by this is its normalised log loss: below 1 it knows more than the
    base rate, at 1 or above it knows nothing of use, however rare or common the outcome is.
    """
    clipped = min(max(rate, CLIP), 1 - CLIP)
    return float(-clipped * np.log(clipped) - (1 - clipped) * np.log(1 - clipped))


def accuracy(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], threshold: float = 0.5
) -> float:
    """Return the share of rows, 0 to 1, whose probability is on the right side of `threshold`.

    A probability equal to the threshold counts as a 1. At least one row is needed.
    """
    _check(labels, probabilities)
    if len(labels) == 0:
        raise InvalidInput("The accuracy on no rows is undefined.")
    return float(np.mean((probabilities >= threshold) == (labels == 1)))


def score_metrics(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], threshold: float = 0.5
) -> dict[str, float]:
    """Return rows, base rate, AUC (where both classes occur), log losses and accuracy by name."""
    loss, rate = log_loss(labels, probabilities), float(np.mean(labels))
    auc = area_under_roc(labels, probabilities)
    return {
        "rows": float(len(labels)),
        "base_rate": rate,
        "log_loss": loss,
        "normalised_log_loss": loss / base_rate_log_loss(rate),
        "accuracy": accuracy(labels, probabilities, threshold),
        **({} if auc is None else {"auc": auc}),
    }


def _check(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
    if labels.shape != scores.shape or labels.ndim != 1:
        raise InvalidInput(f"{labels.shape} labels do not fit {scores.shape} scores.")
    if np.isnan(scores).any():
        raise InvalidInput("A score is NaN; an answer that is no number cannot be judged.")
