"""The nouns of the gates, as plain frozen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivet.ledger import Verdict
from trivet.registry.golden import PARITY, GoldenRows


@dataclass(frozen=True, slots=True, kw_only=True)
class GateCandidate:
    """All that the gates look at: the exported model and rows it has not been trained on.

    Attributes:
        model: The ONNX content that is to be registered.
        inputs: The test rows, shape (n, d), NaN for missing.
        labels: Their outcomes, 0 or 1, shape (n,).
        baseline: What the simple baseline answers to the same rows, shape (n,); None if there is
            none, which the gate reports as no data.
        slices: Text columns of n values each, by which no group may fare badly.
        golden: Rows with the answers of the original, before it was exported.
        metrics: The metrics of this training, and of a second one with the same seed.
        metrics_again: None if nobody trained twice.
        output_range: The least and the greatest number the model may answer.
    """

    model: bytes
    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]
    golden: GoldenRows
    baseline: NDArray[np.float64] | None = None
    slices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    metrics_again: Mapping[str, float] | None = None
    output_range: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """The bounds. A team keeps its own in `trivet.yaml`.

    Attributes:
        baseline_margin: By how much the AUC must exceed the baseline's.
        auc: The least AUC on all test rows.
        slice_auc: The least AUC in any slice of `slice_rows` rows or more.
        slice_rows: Below this many rows a slice has no data to be judged by.
        slice_coverage: The least share of the rows that must lie in judged slices.
        latency_ms: The most that one row may take: the median of many single calls.
        smoothness: The most that 99 % of the answers may move when every input is moved by
            `smoothness_step` of its standard deviation.
        parity: How far an exported answer may be from the original.
        repeatability: How far the metrics of two trainings with one seed may differ.
    """

    baseline_margin: float = 0.005
    auc: float = 0.65
    slice_auc: float = 0.55
    slice_rows: int = 500
    slice_coverage: float = 0.8
    latency_ms: float = 1.0
    smoothness: float = 0.15
    smoothness_step: float = 0.01
    parity: float = PARITY
    repeatability: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What one gate measured against which bound.

    Attributes:
        value: The number measured; None where there was nothing to measure.
        bound: The number it had to reach, or not to exceed.
        sentence: Both, in words.
        detail: The parts behind the number, such as each slice's; JSON.
    """

    name: str
    verdict: Verdict
    value: float | None
    bound: float
    sentence: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """The results of all gates; it is a pass only if every one is (I12)."""

    results: tuple[GateResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return not self.refusals

    @property
    def refusals(self) -> tuple[GateResult, ...]:
        """The gates that did not pass, for want of data or for good reason."""
        return tuple(item for item in self.results if item.verdict is not Verdict.PASSED)
