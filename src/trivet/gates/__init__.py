"""Gates: what a model must show before it is registered, each a number against a bound.

`run_gates` judges, `record_gates` writes the verdicts down, `require_passed` refuses.
"""

from trivet.gates.errors import GatesFailed
from trivet.gates.records import GateCandidate, GatePolicy, GateReport, GateResult
from trivet.gates.running import GATE, record_gates, require_passed, run_gates

__all__ = [
    "GATE",
    "GateCandidate",
    "GatePolicy",
    "GateReport",
    "GateResult",
    "GatesFailed",
    "record_gates",
    "require_passed",
    "run_gates",
]
