"""Gates on how a model behaves as a program: speed, smoothness, parity, repeatability, range."""

import statistics

import numpy as np
from numpy.typing import NDArray

from trivet.gates.records import GateCandidate, GatePolicy, GateResult
from trivet.kernel.clock import Stopwatch
from trivet.ledger import Verdict
from trivet.registry.onnx_session import OnnxModel

_WARM_UP_CALLS = 20
_TIMED_CALLS = 300


def is_quick(
    candidate: GateCandidate, model: OnnxModel, policy: GatePolicy, stopwatch: Stopwatch
) -> GateResult:
    """Pass if one row takes `latency_ms` or less: the median of 300 calls, on one thread."""
    rows = [candidate.inputs[i : i + 1] for i in range(min(len(candidate.inputs), _TIMED_CALLS))]
    if not rows:
        return _judged("latency", None, policy.latency_ms, "There are no rows to time.")
    for call in range(_WARM_UP_CALLS):
        model.predict(rows[call % len(rows)])
    seconds = []
    for call in range(_TIMED_CALLS):
        started = stopwatch()
        model.predict(rows[call % len(rows)])
        seconds.append(stopwatch() - started)
    value = statistics.median(seconds) * 1000
    sentence = (
        f"One row takes {value:.3f} ms (median of {_TIMED_CALLS}); "
        f"at most {policy.latency_ms:.3f} ms is allowed."
    )
    return _judged("latency", value, policy.latency_ms, sentence)


def is_smooth(
    candidate: GateCandidate,
    model: OnnxModel,
    scores: NDArray[np.float64],
    policy: GatePolicy,
    rng: np.random.Generator,
) -> GateResult:
    """Pass if small changes of the input move 99 % of the answers by `smoothness` or less.

    Every present value moves up or down, at random, by `smoothness_step` of its column's standard
    deviation; whole numbers (codes, counts, hours) stay, since no small change of them exists.
    Measured is the 99th percentile of the absolute change of the answer.
    """
    inputs = candidate.inputs
    if len(inputs) == 0:
        return _judged("smoothness", None, policy.smoothness, "There are no rows to move.")
    steps = policy.smoothness_step * np.nan_to_num(_standard_deviations(inputs))
    steps[_is_whole(inputs)] = 0.0
    signs = rng.choice(np.array([-1.0, 1.0]), size=inputs.shape)
    moved = (inputs + signs * steps).astype(np.float32)
    value = float(np.percentile(np.abs(model.predict(moved) - scores), 99))
    sentence = (
        f"When inputs move by {policy.smoothness_step:.1%} of their spread, 99 % of the answers "
        f"move by {value:.4f} or less; at most {policy.smoothness:.4f} is allowed."
    )
    return _judged("smoothness", value, policy.smoothness, sentence)


def _standard_deviations(inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the spread of each column; 0 for a column without values."""
    present = ~np.isnan(inputs)
    count = np.maximum(present.sum(axis=0), 1)
    filled = np.where(present, inputs, 0.0).astype(np.float64)
    mean = filled.sum(axis=0) / count
    spread: NDArray[np.float64] = np.sqrt(
        (np.where(present, filled - mean, 0.0) ** 2).sum(0) / count
    )
    return spread


def _is_whole(inputs: NDArray[np.float32]) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = np.all(np.isnan(inputs) | (inputs == np.floor(inputs)), axis=0)
    return whole


def agrees_with_original(
    candidate: GateCandidate, model: OnnxModel, policy: GatePolicy
) -> GateResult:
    """Pass if the export gives the original's answers to the golden rows, within `parity`."""
    golden = candidate.golden
    if len(golden.expected) == 0:
        return _judged("onnx_parity", None, policy.parity, "There are no golden rows.")
    answers = model.predict(golden.inputs)
    value = float(np.max(np.abs(answers - golden.expected)))
    if not np.isfinite(value):
        sentence = "On a golden row the export or the original answers no number."
        return GateResult(
            name="onnx_parity",
            verdict=Verdict.FAILED,
            value=None,
            bound=policy.parity,
            sentence=sentence,
        )
    sentence = (
        f"The export differs from the original by {value:.1e} at most on {len(answers)} golden "
        f"rows; {policy.parity:.0e} is allowed."
    )
    return _judged("onnx_parity", value, policy.parity, sentence)


def repeats(candidate: GateCandidate, policy: GatePolicy) -> GateResult:
    """Pass if a second training with the same seed gave the same metrics."""
    first, second = candidate.metrics, candidate.metrics_again
    if second is None or not first:
        return _judged("repeatable", None, policy.repeatability, "Nobody trained it twice.")
    if first.keys() != second.keys():
        return _judged(
            "repeatable",
            None,
            policy.repeatability,
            "The two trainings measured different things.",
        )
    worst = max(first, key=lambda name: abs(first[name] - second[name]))
    value = abs(first[worst] - second[worst])
    sentence = f"Two trainings with one seed give the same {len(first)} metrics."
    if value > 0:
        sentence = (
            f"Two trainings with one seed differ by {value:.1e} at most, in {worst}; "
            f"{policy.repeatability:.0e} is allowed."
        )
    return _judged("repeatable", value, policy.repeatability, sentence)


def answers_numbers(
    candidate: GateCandidate, model: OnnxModel, scores: NDArray[np.float64]
) -> GateResult:
    """Pass if every answer is a number in range: on test rows, golden rows, and with no inputs."""
    low, high = candidate.output_range
    nothing = np.full((1, candidate.inputs.shape[1]), np.nan, dtype=np.float32)
    rest = model.predict(np.concatenate([candidate.golden.inputs, nothing]))
    answers = np.concatenate([scores, rest])
    bad = int(np.sum(~((answers >= low) & (answers <= high))))
    sentence = (
        f"{bad} of {len(answers)} answers are no number from {low:g} to {high:g}; none may be."
    )
    return _judged("output_range", float(bad), 0.0, sentence)


def _judged(name: str, value: float | None, bound: float, sentence: str) -> GateResult:
    """Return a result of a gate whose value may not exceed its bound."""
    if value is None:
        verdict = Verdict.NO_DATA
    else:
        verdict = Verdict.PASSED if value <= bound else Verdict.FAILED
    return GateResult(name=name, verdict=verdict, value=value, bound=bound, sentence=sentence)
