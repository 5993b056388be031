"""From an estimator to a registered version in one call, with everything a version is made of.

A pipeline with steps of its own, such as `trivet init` writes, does the same piece by piece; this
is for a notebook, where a few lines should do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from trivet.current import current_app, log_metrics
from trivet.features import FeaturePlan, plan_to_json
from trivet.gates import GateCandidate, GatePolicy, record_gates, require_passed, run_gates
from trivet.kernel.errors import InvalidInput
from trivet.kernel.extras import extra
from trivet.registry import ModelVersion, Signature
from trivet.registry.golden import GoldenRows, choose_golden_rows
from trivet.registry.onnx_export import export_onnx
from trivet.registry.packaging import DATA, VersionParts, pack_version
from trivet.registry.reference import make_reference
from trivet.registry.scores import score_metrics
from trivet.tracking import TEST, RunHandle, current_run
from trivet.workbench import Planned, plan, register

with extra("sklearn", "trivet.admit"):
    from sklearn.base import clone
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

_GOLDEN_ROWS = 50
_LEAST_ROWS = 20


class Classifier(Protocol):
    """A scikit-learn or LightGBM classifier of two classes, fitted or not."""

    def fit(self, inputs: NDArray[np.float32], labels: NDArray[np.int64]) -> Any: ...
    def predict_proba(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]: ...


def admit(  # noqa: PLR0913 - each is a choice the caller makes, with a default where there is one
    model: str,
    classifier: Classifier,
    rows: pa.Table,
    *,
    service: Planned,
    label: str,
    event_time: str,
    slices: Sequence[str] = (),
    policy: GatePolicy | None = None,
    test_share: float = 0.2,
    seed: int = 0,
) -> ModelVersion:
    """Fit a classifier on the older rows, hold the gates on the newest, and register it.

    It is fitted twice, to see whether it repeats, and beside a logistic regression, which it must
    beat. Call it inside a run or a step: the version cites what the run has read.

    Args:
        model: The name to register under.
        classifier: What to fit; a clone is fitted, the classifier itself stays as it is.
        rows: What `trivet.training_set` returned: labels with the service's features.
        service: The feature service whose features the model takes, or its plan.
        label: The column of outcomes, 0 or 1.
        event_time: The column to split by.
        slices: Text columns of the request by which the model is judged and watched.
        policy: The gates' bounds; their defaults where None.
        test_share: The share of the rows, the newest, to judge by.
        seed: What the choice of golden rows is drawn from.

    Raises:
        GatesFailed: A gate did not pass; nothing is registered.
        InvalidInput: There are too few rows, the outcomes are not 0 and 1, or the classifier
            cannot answer a row with a missing feature.
    """
    fixed = plan(service)
    older, newest = _split(rows, event_time, test_share)
    test_inputs, test_labels = _matrix(newest, fixed), _labels(newest, label)
    trained = _train(classifier, _matrix(older, fixed), _labels(older, label), fixed, seed)
    scores = trained.model.predict_proba(test_inputs)[:, 1]
    metrics = score_metrics(test_labels, scores)
    groups = {column: newest[column].to_pylist() for column in slices}
    candidate = GateCandidate(
        model=trained.onnx,
        inputs=test_inputs,
        labels=test_labels,
        golden=trained.golden,
        baseline=trained.baseline.predict_proba(test_inputs)[:, 1],
        slices=groups,
        metrics=trained.metrics,
        metrics_again=trained.metrics_again,
    )
    evidence = _hold_gates(model, candidate, policy)
    run = current_run()
    if run is not None:
        _count_test_reads(run)
        log_metrics(metrics)
    parts = VersionParts(
        model=trained.onnx,
        signature=_signature(fixed, rows, tuple(slices)),
        golden=trained.golden,
        reference=make_reference(fixed.names, test_inputs, test_labels, scores, slices=groups),
        params={"classifier": type(classifier).__name__, "test_share": test_share},
        metrics=metrics,
        seed=seed,
        evidence=evidence,
        # A service of request features alone takes nothing from the feature store.
        missing=() if fixed.view_refs else ("features",),
        description=f"{type(classifier).__name__} on the features of {fixed.service}",
    )
    return register(model, pack_version(current_app().blobs, parts, run))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained:
    """A classifier fitted twice, and a simple one; the metrics are of the training rows."""

    model: Classifier
    baseline: Classifier
    onnx: bytes
    golden: GoldenRows
    metrics: dict[str, float]
    metrics_again: dict[str, float]


def _train(
    classifier: Classifier,
    inputs: NDArray[np.float32],
    labels: NDArray[np.int64],
    fixed: FeaturePlan,
    seed: int,
) -> _Trained:
    fitted, again = (clone(classifier).fit(inputs, labels) for _ in range(2))
    simple = make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression(max_iter=500)
    )
    chosen = choose_golden_rows(inputs, _GOLDEN_ROWS, np.random.default_rng(seed))
    try:
        expected = fitted.predict_proba(chosen)[:, 1]
    except ValueError as error:
        raise InvalidInput(
            f"{type(classifier).__name__} cannot answer a row with a missing feature, which "
            "serving will meet; put an imputer before it: make_pipeline(SimpleImputer(), …)."
        ) from error
    return _Trained(
        model=fitted,
        baseline=simple.fit(inputs, labels),
        onnx=export_onnx(fitted, len(fixed.names)),
        golden=GoldenRows(names=fixed.names, inputs=chosen, expected=expected),
        metrics=score_metrics(labels, fitted.predict_proba(inputs)[:, 1]),
        metrics_again=score_metrics(labels, again.predict_proba(inputs)[:, 1]),
    )


def _count_test_reads(run: RunHandle) -> None:
    """Count the newest rows as read to judge by, of every commit the rows may have come of."""
    whole = run.parent or run
    for side, ref, role in list(whole.links):
        if (side, role) == ("inputs", DATA):
            run.link_input(ref, TEST)


def _split(rows: pa.Table, event_time: str, test_share: float) -> tuple[pa.Table, pa.Table]:
    ordered = rows.sort_by(event_time)
    cut = int(ordered.num_rows * (1 - test_share))
    if min(cut, ordered.num_rows - cut) < _LEAST_ROWS:
        raise InvalidInput(
            f"{ordered.num_rows} rows split at {test_share:g} leave fewer than {_LEAST_ROWS} to "
            "train on or to judge by."
        )
    return ordered.slice(0, cut), ordered.slice(cut)


def _matrix(rows: pa.Table, fixed: FeaturePlan) -> NDArray[np.float32]:
    return np.stack([rows[name].to_numpy().astype(np.float32) for name in fixed.names], axis=1)


def _labels(rows: pa.Table, label: str) -> NDArray[np.int64]:
    values = pc.unique(rows[label].cast(pa.float64())).to_pylist()
    if not set(values) <= {0.0, 1.0}:
        raise InvalidInput(f"{label!r} holds {sorted(map(str, values))[:5]}; expected 0 and 1.")
    labels: NDArray[np.int64] = rows[label].cast(pa.int64()).to_numpy()
    return labels


def _hold_gates(
    model: str, candidate: GateCandidate, policy: GatePolicy | None
) -> tuple[str, ...]:
    report = run_gates(candidate, policy)
    run = current_run()
    subject = (run.parent or run).run.ref if run else f"model:{model}"
    evidence = record_gates(current_app().ledger, subject, report)
    require_passed(f"The candidate for {model!r}", report, evidence)
    return tuple(str(item.id) for item in evidence)


def _signature(fixed: FeaturePlan, rows: pa.Table, slices: tuple[str, ...]) -> Signature:
    """Return what callers must send: the entity and request columns, with their JSON types."""
    columns: dict[str, None] = dict.fromkeys(slices)
    for item in fixed.inputs:
        columns.update(dict.fromkeys(item.entity))
        if item.request is not None and item.request.column is not None:
            columns[item.request.column] = None
    return Signature(
        inputs=fixed.names,
        plan=plan_to_json(fixed),
        request={name: _json_type(rows.schema.field(name).type) for name in columns},
        slices=slices,
    )


def _json_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    return "number" if pa.types.is_integer(kind) or pa.types.is_floating(kind) else "string"
