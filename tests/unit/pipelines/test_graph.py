from typing import Any

import pytest

from trivet.kernel.errors import InvalidInput
from trivet.pipelines import OutputUnknown, pipeline, step
from trivet.pipelines.graph import call_with


@step
def one(n: int = 1) -> int:
    return n


@step
def pair(x: int) -> tuple[int, int]:
    return x, x + 1


@step
def add(*numbers: int, **more: int) -> int:
    return sum(numbers) + sum(more.values())


def test_a_step_outside_of_a_pipeline_is_its_function() -> None:
    assert pair(2) == (2, 3)


def test_calls_in_a_pipeline_make_a_graph() -> None:
    @pipeline
    def joined() -> Any:
        first, second = pair(one(5))
        return add(first, second, more=one(7))

    graph, returned = joined.build({})
    described = graph.describe()
    assert [node["id"] for node in described["nodes"]] == ["one", "pair", "one#2", "add"]
    assert [(edge["from"], edge["to"], edge["argument"]) for edge in described["edges"]] == [
        ("one", "pair", "x"),
        ("pair", "add", "*numbers"),
        ("one#2", "add", "more"),
    ]
    assert returned.node.id == "add"


def test_params_choose_the_steps() -> None:
    @pipeline
    def several(count: int) -> Any:
        return [one(number) for number in range(count)]

    graph, _ = several.build(several.bind({"count": 3}))
    assert len(graph.nodes) == 3


@pytest.mark.parametrize(
    "look",
    [lambda output: bool(output), lambda output: output.columns, lambda output: list(output)],
)
def test_an_output_has_no_value_before_the_run(look: Any) -> None:
    @pipeline
    def looking() -> Any:
        return look(one())

    with pytest.raises(OutputUnknown, match="'one'"):
        looking.build({})


def test_unknown_and_missing_params_are_refused() -> None:
    @pipeline
    def of_two(a: int, b: int = 2) -> Any:
        return one(a)

    assert of_two.bind({"a": 1}) == {"a": 1, "b": 2}
    with pytest.raises(InvalidInput, match="'c'"):
        of_two.bind({"a": 1, "c": 3})
    with pytest.raises(InvalidInput, match="'a'"):
        of_two.bind({})


def test_a_wrong_call_of_a_step_fails_when_it_is_made() -> None:
    @pipeline
    def wrong() -> Any:
        return one(1, 2)  # type: ignore[call-arg]  # the mistake that is looked for

    with pytest.raises(TypeError):
        wrong.build({})


def test_arguments_are_given_back_as_they_came() -> None:
    def function(a: int, *rest: int, b: int, **more: int) -> Any:
        return a, rest, b, more

    arguments = {"a": 1, "*rest": (2, 3), "b": 4, "c": 5}
    assert call_with(function, arguments) == (1, (2, 3), 4, {"c": 5})


def test_retries_must_be_no_fewer_than_none() -> None:
    with pytest.raises(InvalidInput, match="retries"):
        step(retries=-1)(lambda: 1)
