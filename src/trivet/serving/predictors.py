"""Predictors: artifacts turned into a function from rows of numbers to one number a row."""

from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from trivet.serving.errors import ModelRefused
from trivet.serving.onnx_guard import UnsafeOnnx, check_onnx

_FLOATS = ("tensor(float)", "tensor(double)")


class Predictor(Protocol):
    """Computes a model's answers; safe to call from several threads.

    Formats that are code are never loaded here (I8); ONNX holds none.
    """

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return one number for each row of `rows`, shape (n, d) -> (n,); NaN where it has none.

        Whatever the engine raises for bad input is passed on: the caller answers for it.
        """
        ...


class OnnxPredictor:
    """Runs an ONNX graph with onnxruntime on one thread of the CPU.

    The graph takes one float tensor (n, d) and gives a float tensor of (n,), (n, 1) or, for the
    two classes of a classifier, (n, 2), of which the second column is the answer.
    """

    def __init__(self, model: str, content: bytes, *, inputs: int, output: str) -> None:
        try:
            check_onnx(content)
        except UnsafeOnnx as error:
            raise ModelRefused(model, error.problem) from error
        self._session = _open(model, content)
        self._input = _input_name(model, self._session, inputs)
        self._outputs = [_output_name(model, self._session, output)]

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        numbers: NDArray[Any] = self._session.run(self._outputs, {self._input: rows})[0]
        column = numbers if numbers.ndim == 1 else numbers[:, -1]
        answers: NDArray[np.float64] = column.astype(np.float64)
        return answers


def _open(model: str, content: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Spinning threads would take the second core from the process next door.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelRefused(model, f"onnxruntime cannot load it ({_first_line(error)})") from error


def _input_name(model: str, session: onnxruntime.InferenceSession, inputs: int) -> str:
    taken = session.get_inputs()
    if len(taken) != 1 or taken[0].type != "tensor(float)" or len(taken[0].shape) != 2:
        raise ModelRefused(model, "it must take one float tensor of shape [n, d]")
    width = taken[0].shape[1]
    if isinstance(width, int) and width != inputs:
        raise ModelRefused(model, f"it takes {width} columns, its signature names {inputs}")
    return str(taken[0].name)


def _output_name(model: str, session: onnxruntime.InferenceSession, output: str) -> str:
    given = [node for node in session.get_outputs() if node.type in _FLOATS]
    named = [node for node in given if node.name == output] or given[-1:]
    if not named:
        problem = "it gives no float tensor; export a classifier with its ZipMap switched off"
        raise ModelRefused(model, problem)
    shape = named[0].shape
    if len(shape) == 2 and isinstance(shape[1], int) and shape[1] > 2:
        raise ModelRefused(model, f"it gives {shape[1]} numbers a row; one or two are understood")
    return str(named[0].name)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else repr(error)
