"""Turn a fitted classifier into ONNX bytes that answer exactly one number a row.

Every model that trivet serves has this form: one input `input`, float32 [n, d], NaN for missing;
one output named as the signature says (`probability`), float32 [n]. The converters are heavy, so
nothing imports this module but what trains.
"""

from copy import copy
from typing import Any

import numpy as np
import onnx
from lightgbm import Booster, LGBMClassifier
from onnx import TensorProto, helper
from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

from trivet.kernel.errors import InvalidInput

OPSET = 17
"""The operator set that models are exported to; pinned, so equal models give equal bytes."""

ML_OPSET = 3
"""The same for the operators of `ai.onnx.ml`, such as tree ensembles."""

INPUT = "input"
"""The name of the one input."""

update_registered_converter(
    LGBMClassifier,
    "LightGbmLGBMClassifier",
    calculate_linear_classifier_output_shapes,
    convert_lightgbm,
    options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
)


def export_onnx(model: Any, features: int, *, output: str = "probability") -> bytes:
    """Return a fitted binary classifier as ONNX bytes; `output` is the probability of class 1.

    Args:
        model: A fitted LightGBM classifier, or a scikit-learn classifier or pipeline that
            skl2onnx can convert; its classes are 0 and 1.
        features: How many input columns it takes.
        output: What to call the probability.

    Raises:
        InvalidInput: The model is not a fitted binary classifier, or cannot be converted.
    """
    classes = [int(label) for label in getattr(model, "classes_", ())]
    if classes != [0, 1]:
        raise InvalidInput(f"Only a fitted classifier of 0 and 1 is exported; it has {classes}.")
    try:
        graph = convert_sklearn(
            _with_float32_thresholds(model),
            initial_types=[(INPUT, FloatTensorType([None, features]))],
            options={"zipmap": False},
            target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
        )
    except (RuntimeError, NotImplementedError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{type(model).__name__} cannot be converted: {error}") from error
    content: bytes = answer_one_number(graph, output).SerializeToString(deterministic=True)
    return content


def _with_float32_thresholds(model: Any) -> Any:
    """Return the model with the thresholds of its LightGBM trees rounded down to float32.

    ONNX holds thresholds as float32. Rounded to the nearest, some would come to lie on the next
    value of the feature, and send its rows the other way; rounded down, `x <= threshold` says
    the same of every float32 `x`.
    """
    if isinstance(model, LGBMClassifier):
        rounded = copy(model)
        text = model.booster_.model_to_string()
        rounded._Booster = Booster(model_str=_round_thresholds(text))
        return rounded
    if hasattr(model, "steps"):
        pipeline = copy(model)
        pipeline.steps = [(name, _with_float32_thresholds(step)) for name, step in model.steps]
        return pipeline
    return model


def _round_thresholds(text: str) -> str:
    """Return a LightGBM model text in which every threshold is rounded down to float32.

    The sizes of the trees' texts, which are then others, are left out; they are optional.
    """
    lines = [line for line in text.split("\n") if not line.startswith("tree_sizes=")]
    for position, line in enumerate(lines):
        if line.startswith("threshold="):
            exact = np.array(line.removeprefix("threshold=").split(), dtype=np.float64)
            near = exact.astype(np.float32)
            down = np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
            lines[position] = "threshold=" + " ".join(repr(float(value)) for value in down)
    return "\n".join(lines)


def answer_one_number(graph: onnx.ModelProto, output: str) -> onnx.ModelProto:
    """Return a converted classifier with its class probabilities cut down to that of class 1."""
    probabilities = graph.graph.output[-1].name
    one = helper.make_tensor("class_one", TensorProto.INT64, [], [1])
    graph.graph.initializer.append(one)
    graph.graph.node.append(
        helper.make_node("Gather", [probabilities, "class_one"], [output], axis=1)
    )
    del graph.graph.output[:]
    graph.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n"]))
    graph.graph.name = "model"
    onnx.checker.check_model(graph)
    return graph
