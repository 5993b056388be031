"""Gates on how well a model predicts: against a baseline, a floor, and in every slice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivet.gates.records import GateCandidate, GatePolicy, GateResult
from trivet.ledger import Verdict
from trivet.registry.scores import area_under_roc


def beats_baseline(
    candidate: GateCandidate, scores: NDArray[np.float64], policy: GatePolicy
) -> GateResult:
    """Pass if the AUC exceeds the baseline's by `baseline_margin` or more."""
    name, bound = "beats_baseline", policy.baseline_margin
    own = area_under_roc(candidate.labels, scores)
    if candidate.baseline is None or own is None:
        return _no_data(name, bound, "There is no baseline to beat, or only one class of outcome.")
    other = area_under_roc(candidate.labels, candidate.baseline)
    gain = own - (0.5 if other is None else other)
    verdict = _verdict(gain >= bound)
    sentence = (
        f"AUC {own:.4f} against the baseline's {other:.4f} is a gain of {gain:+.4f}; "
        f"at least {bound:+.4f} is asked."
    )
    detail = {"auc": own, "baseline_auc": other}
    return _result(name, verdict, gain, bound, sentence, detail)


def reaches_auc(
    candidate: GateCandidate, scores: NDArray[np.float64], policy: GatePolicy
) -> GateResult:
    """Pass if the AUC on all test rows is `auc` or more."""
    value = area_under_roc(candidate.labels, scores)
    if value is None:
        return _no_data("auc", policy.auc, "The test rows hold only one class of outcome.")
    sentence = f"AUC {value:.4f} on {len(scores)} test rows; at least {policy.auc:.4f} is asked."
    return _result("auc", _verdict(value >= policy.auc), value, policy.auc, sentence, {})


def holds_in_slices(
    column: str,
    values: Sequence[str],
    candidate: GateCandidate,
    scores: NDArray[np.float64],
    policy: GatePolicy,
) -> GateResult:
    """Pass if the AUC in every slice of `column` with `slice_rows` rows or more is high enough.

    A smaller slice, or one with a single class of outcome, is NO_DATA and counts as no pass; if
    less than `slice_coverage` of the rows lie in judged slices, the gate has no data.
    """
    name, bound = f"slices:{column}", policy.slice_auc
    slices = _judge_slices(column, values, candidate.labels, scores, policy)
    judged = {key: part for key, part in slices.items() if part["verdict"] != Verdict.NO_DATA}
    covered = sum(part["rows"] for part in judged.values()) / max(len(scores), 1)
    detail: dict[str, Any] = {"slices": slices, "covered": covered}
    if not judged or covered < policy.slice_coverage:
        sentence = (
            f"Slices of {policy.slice_rows} rows or more cover {covered:.0%} of the test rows; "
            f"at least {policy.slice_coverage:.0%} is asked."
        )
        return _no_data(name, bound, sentence, detail)
    worst = min(judged, key=lambda key: float(judged[key]["auc"]))
    value = float(judged[worst]["auc"])
    small = len(slices) - len(judged)
    sentence = (
        f"AUC {value:.4f} in the worst slice, {worst}; at least {bound:.4f} is asked. "
        f"{len(judged)} slices were judged, {small} have no data."
    )
    return _result(name, _verdict(value >= bound), value, bound, sentence, detail)


def _judge_slices(
    column: str,
    values: Sequence[str],
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    policy: GatePolicy,
) -> dict[str, dict[str, Any]]:
    texts = np.asarray(values, dtype=object)
    slices: dict[str, dict[str, Any]] = {}
    for value in sorted(set(values)):
        rows = texts == value
        count = int(np.sum(rows))
        auc = area_under_roc(labels[rows], scores[rows]) if count >= policy.slice_rows else None
        verdict = Verdict.NO_DATA if auc is None else _verdict(auc >= policy.slice_auc)
        slices[f"{column}={value}"] = {"rows": count, "auc": auc, "verdict": verdict}
    return slices


def _verdict(passed: bool) -> Verdict:
    return Verdict.PASSED if passed else Verdict.FAILED


def _result(
    name: str,
    verdict: Verdict,
    value: float,
    bound: float,
    sentence: str,
    detail: dict[str, Any],
) -> GateResult:
    return GateResult(
        name=name, verdict=verdict, value=value, bound=bound, sentence=sentence, detail=detail
    )


def _no_data(
    name: str, bound: float, sentence: str, detail: dict[str, Any] | None = None
) -> GateResult:
    return GateResult(
        name=name,
        verdict=Verdict.NO_DATA,
        value=None,
        bound=bound,
        sentence=sentence,
        detail=detail or {},
    )
