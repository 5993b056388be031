import time
from collections.abc import Callable
from dataclasses import replace
from math import nan
from typing import Any

import pytest
from onnx import TensorProto, helper

from trivet.registry import Signature
from trivet.serving import ModelRefused, RevisionSpec, Status
from trivet.serving.artifacts import ArtifactCache
from trivet.serving.revisions import Outcome, Revision, Timing, load_revision
from trivet.storage.blobs import open_blob_store
from trivet.testing.serving import START, House, onnx_model


def load(house: House, spec: RevisionSpec) -> Revision:
    cache = ArtifactCache(lambda: open_blob_store(house.blobs_url), house.home / "cache")

    def no_reader(_plan: dict[str, Any], _spec: RevisionSpec) -> Any:
        raise AssertionError("this model has no plan")

    return load_revision(spec, cache, no_reader, time.perf_counter)


def answer(revision: Revision, *values: float | None) -> list[Outcome]:
    return revision.answer([{"x": value} for value in values], [START] * len(values), Timing())


def test_answers_come_with_label_and_features(house: House) -> None:
    signature = Signature(inputs=("x", "y"), threshold=0.6)
    revision = load(house, house.models.put(1, signature=signature))
    rows: list[dict[str, Any]] = [{"x": 0.5, "y": 1}, {"x": 0.75, "y": None}]
    first, second = revision.answer(rows, [START, START], Timing())
    assert (first.status, first.output, first.label) == (Status.OK, 0.5, 0)
    assert (second.output, second.label, second.features) == (0.75, 1, [0.75, None])


@pytest.mark.parametrize("value", [None, -0.25, 1.5])
def test_an_answer_outside_the_range_is_invalid(house: House, value: float | None) -> None:
    good, bad = answer(load(house, house.models.put(1)), 0.5, value)
    assert good.status is Status.OK
    assert (bad.status, bad.output, bad.label) == (Status.INVALID, None, None)
    assert "outside [0, 1]" in str(bad.error)


def test_a_model_that_raises_is_an_error_of_every_row(house: House) -> None:
    # 0 / 0 of integers is refused by the engine at run time, not when the model is loaded.
    nodes = [
        helper.make_node("Gather", ["input", "zero"], ["first"], axis=1),
        helper.make_node("Reshape", ["first", "shape"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n"])],
        [
            helper.make_tensor("zero", TensorProto.INT64, [], [0]),
            helper.make_tensor("shape", TensorProto.INT64, [1], [5]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    revision = load(house, house.models.put(1, content=model.SerializeToString()))
    (only,) = answer(revision, 0.5)
    assert (only.status, only.output) == (Status.ERROR, None)
    assert only.error


def test_a_model_that_answers_its_golden_rows_otherwise_is_refused(house: House) -> None:
    spec = house.models.put(1, factor=1.01, answers=lambda x: x)
    with pytest.raises(ModelRefused, match=r"golden row 0.*differs in 5 of 5"):
        load(house, spec)


def test_a_model_whose_golden_answer_is_nan_must_answer_nan_again(house: House) -> None:
    load(house, house.models.put(1, operators=("Neg", "Sqrt"), answers=lambda _: nan))
    with pytest.raises(ModelRefused, match="golden row"):
        load(house, house.models.put(2, answers=lambda _: nan))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda spec: replace(spec, format="pickle"), "'pickle' cannot be served"),
        (lambda spec: replace(spec, artifacts={}), "no model.onnx"),
        (
            lambda spec: replace(spec, artifacts={"model.onnx": spec.artifacts["model.onnx"]}),
            "no golden.arrow",
        ),
        (
            lambda spec: replace(
                spec, artifacts={**spec.artifacts, "golden.arrow": spec.artifacts["model.onnx"]}
            ),
            "cannot be read",
        ),
        (lambda spec: replace(spec, signature={"inputs": ["x", "y"]}), "takes 1 columns"),
        (lambda spec: replace(spec, signature={"inputs": ["z"]}), "none of its signature"),
        (
            lambda spec: replace(spec, signature={"inputs": ["x"], "request": {"x": "blob"}}),
            "no request has the type 'blob'",
        ),
    ],
)
def test_a_revision_that_cannot_be_served_says_why(
    house: House, change: Callable[[RevisionSpec], RevisionSpec], reason: str
) -> None:
    with pytest.raises(ModelRefused, match=reason):
        load(house, change(house.models.put(1)))


def test_a_damaged_copy_is_fetched_again(house: House) -> None:
    spec = house.models.put(1)
    load(house, spec)
    copy = house.home / "cache" / spec.artifacts["model.onnx"]
    copy.write_bytes(onnx_model(factor=0.5))
    (only,) = answer(load(house, spec), 0.5)
    assert only.output == 0.5
