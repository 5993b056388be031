"""The pure part of training a model of late flights: tables in, numbers and models out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from trivet.demo.flights.features import REQUEST_COLUMNS
from trivet.kernel.errors import InvalidInput
from trivet.kernel.extras import extra

with extra("demo", "The demo"):
    from lightgbm import LGBMClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

LABEL = "late"
EVENT_TIME = "scheduled_at"
_TEST_SHARE = _VALIDATION_SHARE = 0.125
_LEAST_ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The rows in the order of time: to train on, then to choose by, then to judge by."""

    train: pa.Table
    validation: pa.Table
    test: pa.Table


def labelled_flights(
    flights: pa.Table, landings: pa.Table, *, until: datetime, days: int | None = None
) -> pa.Table:
    """Return what is known of each flight at departure, and whether it was late.

    Only flights whose outcome was known at `until` are there; with `days`, only those that were
    to depart in the last so many days before.
    """
    known = landings.filter(pc.less_equal(landings["known_at"], pa.scalar(until)))
    told = flights.select(["flight_id", EVENT_TIME, *REQUEST_COLUMNS])
    if days is not None:
        since = pa.scalar(until - timedelta(days=days))
        told = told.filter(pc.greater_equal(told[EVENT_TIME], since))
    rows = told.join(known.select(["flight_id", LABEL]), "flight_id", join_type="inner")
    if rows.num_rows < _LEAST_ROWS:
        raise InvalidInput(
            f"Only {rows.num_rows} flights have a known outcome at {until:%Y-%m-%d}; "
            f"training takes {_LEAST_ROWS}."
        )
    return rows.sort_by([(EVENT_TIME, "ascending"), ("flight_id", "ascending")])


def split_by_time(rows: pa.Table) -> Split:
    """Return the rows split at two instants, so that flights of one instant are never parted.

    The newest eighth is to judge by, the eighth before it to choose by.
    """
    at = rows[EVENT_TIME].to_numpy()
    first = int(np.searchsorted(at, at[int(len(at) * (1 - _TEST_SHARE - _VALIDATION_SHARE))]))
    second = int(np.searchsorted(at, at[int(len(at) * (1 - _TEST_SHARE))]))
    return Split(
        train=rows.slice(0, first),
        validation=rows.slice(first, second - first),
        test=rows.slice(second),
    )


def matrix(rows: pa.Table, names: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the columns side by side, shape (rows, names), NaN for missing."""
    columns = [rows[name].to_numpy().astype(np.float32) for name in names]
    return np.stack(columns, axis=1)


def labels_of(rows: pa.Table) -> NDArray[np.int64]:
    """Return the outcomes, 0 or 1."""
    labels: NDArray[np.int64] = rows[LABEL].to_numpy().astype(np.int64)
    return labels


def logistic(seed: int) -> Pipeline:
    """Return the simple baseline, not fitted: logistic regression on imputed, scaled inputs."""
    return Pipeline(
        [
            ("impute", SimpleImputer(strategy="mean", keep_empty_features=True)),
            ("scale", StandardScaler()),
            ("classify", LogisticRegression(max_iter=500, random_state=seed)),
        ]
    )


def boosted_trees(seed: int) -> LGBMClassifier:
    """Return small boosted trees, not fitted, that train to the same bits each time.

    One thread: the trees are small, and two would wait for each other beside busy processes.
    """
    return LGBMClassifier(
        n_estimators=60,
        num_leaves=15,
        learning_rate=0.12,
        min_child_samples=100,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.6,
        reg_lambda=5.0,
        deterministic=True,
        force_row_wise=True,
        num_threads=1,  # Two would wait for each other whenever something else runs.
        random_state=seed,
        verbose=-1,
    )


CANDIDATES = {"logistic": logistic, "boosted_trees": boosted_trees}


def fit(name: str, rows: pa.Table, names: tuple[str, ...], seed: int) -> Any:
    """Return the candidate of this name, fitted to the rows."""
    return CANDIDATES[name](seed).fit(matrix(rows, names), labels_of(rows))


def probabilities(model: Any, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return a fitted candidate's probability that a flight is late, shape (n,)."""
    answers: NDArray[np.float64] = model.predict_proba(inputs)[:, 1].astype(np.float64)
    return answers
