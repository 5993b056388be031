from contextlib import suppress

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from trivet.serving.errors import ModelRefused
from trivet.serving.onnx_guard import UnsafeOnnx, check_onnx
from trivet.serving.predictors import OnnxPredictor
from trivet.testing.serving import onnx_model

GOOD = onnx_model(("Sqrt",))


def changed(change: str) -> onnx.ModelProto:
    model = onnx.load_from_string(GOOD)
    if change == "external":
        tensor = model.graph.initializer[1]
        tensor.ClearField("float_data")
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "../../secret"
    elif change == "operator":
        model.graph.node.append(helper.make_node("Run", ["input"], ["y"], domain="evil.ops"))
    elif change == "opset":
        model.opset_import.append(helper.make_opsetid("com.evil", 1))
    elif change == "branch":
        body = helper.make_graph(
            [helper.make_node("Run", [], ["z"], domain="evil.ops")],
            "body",
            [],
            [helper.make_tensor_value_info("z", TensorProto.FLOAT, [])],
        )
        node = helper.make_node("If", ["zero"], ["y"], then_branch=body, else_branch=body)
        model.graph.node.append(node)
    elif change == "function":
        function = helper.make_function(
            "local",
            "f",
            ["a"],
            ["b"],
            [helper.make_node("Run", ["a"], ["b"], domain="evil.ops")],
            [helper.make_opsetid("", 17)],
        )
        model.functions.append(function)
    return model


def test_a_model_of_standard_operators_is_accepted() -> None:
    check_onnx(GOOD)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("external", "outside the file"),
        ("operator", "'evil.ops'"),
        ("opset", "'com.evil'"),
        ("branch", "'evil.ops'"),
        ("function", "'evil.ops'"),
    ],
)
def test_what_reaches_outside_the_file_is_refused(change: str, reason: str) -> None:
    content = changed(change).SerializeToString()
    with pytest.raises(UnsafeOnnx, match=reason):
        check_onnx(content)
    with pytest.raises(ModelRefused, match=reason):
        OnnxPredictor("model:bad@1", content, inputs=1, output="probability")


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_damaged_file_raises_nothing_but_a_refusal(position: int, byte: int) -> None:
    damaged = bytearray(GOOD)
    damaged[position] = byte
    with suppress(UnsafeOnnx):
        check_onnx(bytes(damaged))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_model_are_refused_when_loaded(content: bytes) -> None:
    with pytest.raises(ModelRefused):
        OnnxPredictor("model:bad@1", content, inputs=1, output="probability")
