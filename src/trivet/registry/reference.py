"""The reference of a version: what its inputs, scores and errors looked like on its test rows.

Monitoring compares production with it. The form is JSON, `reference.json` among the artifacts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivet.kernel.errors import InvalidInput
from trivet.registry.scores import accuracy, area_under_roc, log_loss

FILE = "reference.json"
"""The artifact's name."""

SCORE_BINS = 20
_DECILES = np.linspace(0, 1, 11)[1:-1]


def make_reference(
    names: Sequence[str],
    inputs: NDArray[np.float32],
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    *,
    slices: Mapping[str, Sequence[str]] | None = None,
    threshold: float = 0.5,
) -> dict[str, Any]:
    """Return the reference as JSON.

    Of each feature it holds the 9 inner edges of its deciles (ties may make neighbours equal),
    how many of the rows fall in each of the 10 bins (a value equal to an edge is above it), and
    the share that is missing. Of the scores, the counts of 20 equal bins of [0, 1]. Of each value
    of each slice column, rows, accuracy and log loss in nats.

    Args:
        names: The input columns, d of them.
        inputs: Shape (n, d), NaN for missing, n >= 1.
        labels: 0 or 1, shape (n,).
        scores: Probabilities of 1, shape (n,), no NaN.
        slices: Text columns of n values each, by name.
        threshold: From which probability on the label is 1.

    Raises:
        InvalidInput: The shapes do not fit, or there are no rows.
    """
    if inputs.shape != (len(labels), len(names)) or len(labels) == 0:
        raise InvalidInput(
            f"Inputs of shape {inputs.shape} do not fit {len(labels)} rows of {len(names)} names."
        )
    bins = np.clip((scores * SCORE_BINS).astype(np.int64), 0, SCORE_BINS - 1)
    return {
        "rows": len(labels),
        "features": {
            name: _feature(inputs[:, position].astype(np.float64))
            for position, name in enumerate(names)
        },
        "scores": {"counts": np.bincount(bins, minlength=SCORE_BINS).tolist()},
        "log_loss": log_loss(labels, scores),
        "base_rate": float(np.mean(labels)),
        "accuracy": accuracy(labels, scores, threshold),
        "auc": area_under_roc(labels, scores),
        "slices": _slices(labels, scores, slices or {}, threshold),
    }


def _feature(column: NDArray[np.float64]) -> dict[str, Any]:
    present = column[~np.isnan(column)]
    missing = 1 - len(present) / len(column)
    if len(present) == 0:
        return {"edges": [], "counts": [], "missing": missing}
    edges = np.quantile(present, _DECILES)
    bins = np.searchsorted(edges, present, side="right")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "counts": counts.tolist(), "missing": missing}


def _slices(
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    slices: Mapping[str, Sequence[str]],
    threshold: float,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, values in slices.items():
        texts = np.asarray(values, dtype=object)
        for value in sorted(set(values)):
            rows = texts == value
            found[f"{column}={value}"] = {
                "rows": int(np.sum(rows)),
                "accuracy": accuracy(labels[rows], scores[rows], threshold),
                "log_loss": log_loss(labels[rows], scores[rows]),
            }
    return found
