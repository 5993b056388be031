"""Run an ONNX model on the processor, one thread, as the gates and tests of a version do."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from trivet.kernel.errors import InvalidInput


class OnnxModel:
    """A loaded model of trivet's form: one float32 input [n, d], numbers out; thread-safe.

    Attributes:
        features: How many input columns it takes.
        outputs: The names of the numbers it answers.
    """

    def __init__(self, content: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the binding raises a dozen unrelated types
            raise InvalidInput(f"The content is no ONNX model: {error}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 2:
            shapes = [(item.name, item.type, item.shape) for item in inputs]
            raise InvalidInput(f"A model takes one float32 input [n, d]; this one takes {shapes}.")
        self._input = inputs[0].name
        width = inputs[0].shape[1]
        self.features: int | None = width if isinstance(width, int) else None
        self.outputs = tuple(item.name for item in self._session.get_outputs())

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the model's first output for each row, shape (n,), from rows of shape (n, d)."""
        (answer,) = self._session.run([self.outputs[0]], {self._input: rows})
        numbers: NDArray[np.float64] = np.asarray(answer, dtype=np.float64).reshape(len(rows))
        return numbers
