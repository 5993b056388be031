"""Turn a fitted classifier into ONNX bytes that answer exactly one number a row.

Every model that trivet serves has this form: one input `input`, float32 [n, d], NaN for missing;
one output named as the signature says (`probability`), float32 [n]. The converters are heavy, so
nothing imports this module but what trains.
"""

from importlib import import_module
from typing import Any

from trivet.kernel.errors import InvalidInput
from trivet.kernel.extras import extra

with extra("sklearn", "The export of models to ONNX"):
    import onnx
    from onnx import TensorProto, helper
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

OPSET = 17
"""The operator set that models are exported to; pinned, so equal models give equal bytes."""

ML_OPSET = 3
"""The same for the operators of `ai.onnx.ml`, such as tree ensembles."""

INPUT = "input"
"""The name of the one input."""


def export_onnx(model: Any, features: int, *, output: str = "probability") -> bytes:
    """Return a fitted binary classifier as ONNX bytes; `output` is the probability of class 1.

    Args:
        model: A fitted LightGBM classifier, or a scikit-learn classifier or pipeline that
            skl2onnx can convert; its classes are 0 and 1.
        features: How many input columns it takes.
        output: What to call the probability.

    Raises:
        InvalidInput: The model is not a fitted binary classifier, or cannot be converted.
        ExtraMissing: It is of LightGBM, whose converter is not installed.
    """
    classes = [int(label) for label in getattr(model, "classes_", ())]
    if classes != [0, 1]:
        raise InvalidInput(f"Only a fitted classifier of 0 and 1 is exported; it has {classes}.")
    try:
        graph = convert_sklearn(
            _prepared(model),
            initial_types=[(INPUT, FloatTensorType([None, features]))],
            options={"zipmap": False},
            target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
        )
    except (RuntimeError, NotImplementedError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{type(model).__name__} cannot be converted: {error}") from error
    content: bytes = answer_one_number(graph, output).SerializeToString(deterministic=True)
    return content


def _prepared(model: Any) -> Any:
    """Return the model as it is to be converted, which differs where LightGBM is in it."""
    parts = [model]
    if hasattr(model, "get_params"):
        parts.extend(model.get_params(deep=True).values())
    if any(_is_lightgbm(type(part)) for part in parts):
        # Only here, since who has models of scikit-learn alone need not install LightGBM.
        return import_module("trivet.registry.lightgbm_trees").with_float32_thresholds(model)
    return model


def _is_lightgbm(kind: type) -> bool:
    return any(base.__module__.partition(".")[0] == "lightgbm" for base in kind.__mro__)


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
