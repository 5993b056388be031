"""Run every gate on a candidate, and write the verdicts down as evidence."""

import numpy as np

from trivet.gates.behaviour import (
    agrees_with_original,
    answers_numbers,
    is_quick,
    is_smooth,
    repeats,
)
from trivet.gates.errors import GatesFailed
from trivet.gates.quality import beats_baseline, holds_in_slices, reaches_auc
from trivet.gates.records import GateCandidate, GatePolicy, GateReport, GateResult
from trivet.kernel.clock import Stopwatch, stopwatch
from trivet.kernel.errors import InvalidInput
from trivet.ledger import Evidence, Ledger, Verdict
from trivet.registry.onnx_session import OnnxModel

GATE = "gate"
"""The kind of the evidence of a gate."""


def run_gates(
    candidate: GateCandidate,
    policy: GatePolicy | None = None,
    *,
    rng: np.random.Generator | None = None,
    stopwatch: Stopwatch = stopwatch,
) -> GateReport:
    """Return what every gate says of the candidate.

    Gates that need numbers to compare are NO_DATA where the model answers something else; the
    gate `output_range` then says so.

    Args:
        candidate: What is judged.
        policy: The bounds; the defaults of `GatePolicy` where None.
        rng: Draws the small changes of the gate on smoothness; seeded with 0 where None.
        stopwatch: Times the model.

    Raises:
        InvalidInput: The model cannot be loaded, or does not take rows of the inputs' width.
    """
    policy = policy or GatePolicy()
    rng = rng or np.random.default_rng(0)
    model = OnnxModel(candidate.model)
    if candidate.inputs.ndim != 2 or model.features not in (None, candidate.inputs.shape[1]):
        raise InvalidInput(
            f"The model takes {model.features} columns; the test rows are "
            f"of shape {candidate.inputs.shape}."
        )
    scores = model.predict(candidate.inputs)
    results = [answers_numbers(candidate, model, scores)]
    if np.isfinite(scores).all():
        results += [
            beats_baseline(candidate, scores, policy),
            reaches_auc(candidate, scores, policy),
            *(
                holds_in_slices(column, values, candidate, scores, policy)
                for column, values in candidate.slices.items()
            ),
            is_smooth(candidate, model, scores, policy, rng),
        ]
    else:
        results += [_unjudged(name) for name in ("beats_baseline", "auc", "slices", "smoothness")]
    results += [
        is_quick(candidate, model, policy, stopwatch),
        repeats(candidate, policy),
        agrees_with_original(candidate, model, policy),
    ]
    return GateReport(results=tuple(results))


def _unjudged(name: str) -> GateResult:
    sentence = f"The gate {name!r} cannot be held: some answers are no numbers."
    return GateResult(name=name, verdict=Verdict.NO_DATA, value=None, bound=0.0, sentence=sentence)


def record_gates(
    ledger: Ledger, subject: str, report: GateReport, *, force: str | None = None
) -> list[Evidence]:
    """Store one piece of evidence for each gate, and return them.

    With `force`, a reason, what did not pass is followed by evidence that is FORCED: a registry
    then admits the version, and everybody can see who forced it past which gates, and why (I3).

    Args:
        ledger: Where evidence is stored.
        subject: The ref that was judged: the run that trained the candidate.
        report: What `run_gates` returned.
        force: Why the candidate is to be admitted all the same.

    Raises:
        InvalidInput: The reason is blank.
    """
    if force is not None and not force.strip():
        raise InvalidInput("A forced admission needs a reason.")
    evidence = [
        ledger.judge(
            GATE,
            subject,
            result.verdict,
            result.sentence,
            inputs={"gate": result.name},
            numbers={"value": result.value, "bound": result.bound, **result.detail},
        )
        for result in report.results
    ]
    if force is not None and not report.passed:
        names = ", ".join(result.name for result in report.refusals)
        evidence.append(
            ledger.judge(
                "force",
                subject,
                Verdict.FORCED,
                f"Admitted past {names}: {force}",
                inputs={"reason": force, "gates": [result.name for result in report.refusals]},
            )
        )
    return evidence


def require_passed(subject: str, report: GateReport, evidence: list[Evidence]) -> None:
    """Raise `GatesFailed` unless every gate passed or the evidence says it was forced."""
    if report.passed or any(item.verdict is Verdict.FORCED for item in evidence):
        return
    raise GatesFailed(
        subject,
        tuple(result.sentence for result in report.refusals),
        tuple(item.id for item in evidence),
    )
