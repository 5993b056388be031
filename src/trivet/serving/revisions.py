"""A revision, loaded and warm: from the rows of a request to checked answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trivet.kernel.clock import Stopwatch
from trivet.kernel.errors import InvalidInput, TrivetError
from trivet.registry import Signature, golden, signature_from_json
from trivet.serving.artifacts import ArtifactCache
from trivet.serving.errors import BadRequest, ModelRefused
from trivet.serving.predictors import OnnxPredictor, Predictor
from trivet.serving.records import RevisionSpec, Status
from trivet.serving.requests import Row, RowSchema

_MODEL_FILE, _GOLDEN_FILE = "model.onnx", golden.FILE


class FeatureReader(Protocol):
    """Turns rows of a request into the numbers a model takes."""

    def vectors(self, rows: Sequence[Row], at: Sequence[datetime]) -> NDArray[np.float32]:
        """Return the inputs, shape (rows, inputs), NaN where one is missing at its instant."""
        ...


OpenReader = Callable[[dict[str, Any], RevisionSpec], FeatureReader]
"""Opens the reader of a revision's feature plan, given as JSON."""


@dataclass(slots=True)
class Outcome:
    """What one revision made of one row; `output` and `label` only where the status is OK."""

    status: Status
    output: float | None
    label: int | None
    features: list[float | None]
    error: str | None = None


@dataclass(slots=True)
class Timing:
    """Seconds that answering took, by stage."""

    features: float = 0.0
    predict: float = 0.0
    journal: float = 0.0


class RequestColumns:
    """Reads a model's inputs off the request itself, for a model without a feature plan."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self._inputs = tuple(inputs)

    def vectors(self, rows: Sequence[Row], at: Sequence[datetime]) -> NDArray[np.float32]:
        """Return the columns as numbers, NaN for null."""
        # NumPy turns None into NaN; a number beyond float32 becomes infinite, as in training.
        with np.errstate(over="ignore"):
            return np.array(
                [[row[name] for name in self._inputs] for row in rows], np.float64
            ).astype(np.float32)


class Revision:
    """One revision of a deployment, ready to answer; safe to call from several threads."""

    def __init__(
        self,
        spec: RevisionSpec,
        signature: Signature,
        predictor: Predictor,
        reader: FeatureReader,
        stopwatch: Stopwatch,
    ) -> None:
        self.spec = spec
        self.number = spec.number
        self.signature = signature
        self.schema = RowSchema.of(signature)
        self._predictor = predictor
        self._reader = reader
        self._stopwatch = stopwatch
        self._low, self._high = signature.output_range
        self._threshold = signature.threshold

    def answer(self, rows: Sequence[Row], at: Sequence[datetime], timing: Timing) -> list[Outcome]:
        """Return an outcome for each row; what the model does wrong is an outcome, not an error.

        Raises:
            BadRequest: A feature cannot be made of a row.
        """
        began = self._stopwatch()
        vectors = self._reader.vectors(rows, at)
        read = self._stopwatch()
        timing.features += read - began
        try:
            answers = self._predictor.predict(vectors).tolist()
        except Exception as error:  # noqa: BLE001 - whatever a model raises is the model's failure
            answers = [_failure(error)] * len(rows)
        timing.predict += self._stopwatch() - read
        return [
            self._outcome(answer, vector)
            for answer, vector in zip(answers, vectors.tolist(), strict=True)
        ]

    def _outcome(self, answer: float | str, vector: list[float]) -> Outcome:
        features = [value if isfinite(value) else None for value in vector]
        if isinstance(answer, str):
            return Outcome(Status.ERROR, None, None, features, answer)
        if not self._low <= answer <= self._high:  # NaN is in no range
            low, high = self.signature.output_range
            problem = f"answered {answer}, outside [{low:g}, {high:g}]"
            return Outcome(Status.INVALID, None, None, features, problem)
        return Outcome(Status.OK, answer, int(answer >= self._threshold), features)


def failed(error: str) -> Outcome:
    """Return the outcome of a row that a revision could not even look at."""
    return Outcome(Status.ERROR, None, None, [], error)


def load_revision(
    spec: RevisionSpec, artifacts: ArtifactCache, open_reader: OpenReader, stopwatch: Stopwatch
) -> Revision:
    """Load a revision and try it on its golden rows.

    Raises:
        ModelRefused: It cannot be loaded, or does not answer its golden rows as it once did.
        TrivetError: An artifact could not be read.
    """
    if spec.format != "onnx":
        raise ModelRefused(spec.model, f"the format {spec.format!r} cannot be served, only 'onnx'")
    for name in (_MODEL_FILE, _GOLDEN_FILE):
        if name not in spec.artifacts:
            raise ModelRefused(spec.model, f"it has no {name}")
    signature = signature_from_json(spec.signature)
    content = artifacts.get(spec.artifacts[_MODEL_FILE])
    predictor = OnnxPredictor(
        spec.model, content, inputs=len(signature.inputs), output=signature.outputs[0]
    )
    check_golden_rows(
        spec.model, predictor, signature, artifacts.get(spec.artifacts[_GOLDEN_FILE])
    )
    try:
        reader = (
            RequestColumns(signature.inputs)
            if signature.plan is None
            else open_reader(signature.plan, spec)
        )
        return Revision(spec, signature, predictor, reader, stopwatch)
    except BadRequest as error:
        raise ModelRefused(spec.model, f"its signature cannot be served ({error})") from error


def check_golden_rows(
    model: str, predictor: Predictor, signature: Signature, content: bytes
) -> None:
    """Raise `ModelRefused` unless the predictor answers the golden rows as it did when registered.

    An answer may differ by `golden.PARITY`, and NaN must be NaN again: whether an answer is fit
    to be given is judged for each answer, not here.
    """
    try:
        rows = golden.read_golden(content)
    except InvalidInput as error:
        raise ModelRefused(model, f"its golden rows cannot be read ({error})") from error
    if rows.names != signature.inputs or len(rows.expected) == 0:
        raise ModelRefused(model, "its golden rows are none of its signature's inputs")
    try:
        answers = predictor.predict(rows.inputs)
    except Exception as error:
        raise ModelRefused(model, f"it fails on its golden rows ({_failure(error)})") from error
    expected = rows.expected
    differ = ~np.isclose(answers, expected, rtol=0, atol=golden.PARITY, equal_nan=True)
    if differ.any():
        worst = int(np.argmax(differ))
        raise ModelRefused(
            model,
            f"it answers {answers[worst]:.6g} to golden row {worst}, where {expected[worst]:.6g} "
            f"was expected, and differs in {int(differ.sum())} of {len(expected)} rows",
        )


def _failure(error: Exception) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {text}"[:300] if not isinstance(error, TrivetError) else text
