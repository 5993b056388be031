"""Graphs: what a pipeline function puts together by calling steps. Nothing here runs a step."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, get_args, get_origin

from trivet.pipelines.errors import OutputUnknown

_current: ContextVar["Graph | None"] = ContextVar("trivet_current_graph", default=None)


class StepLike(Protocol):
    """What a graph needs to know of a step; `Step` says what each means."""

    @property
    def name(self) -> str: ...
    @property
    def function(self) -> Callable[..., Any]: ...
    @property
    def retries(self) -> int: ...
    @property
    def cached(self) -> bool: ...
    @property
    def repeatable(self) -> bool: ...
    @property
    def effects(self) -> bool: ...


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """What a node will give, or a part of it: `table, report = load()`, `report["rows"]`.

    Until the pipeline runs it has no value: it can be handed to other steps, alone or in
    containers, and taken apart by index; anything else is an `OutputUnknown`.
    """

    node: "Node"
    path: tuple[str | int, ...] = ()

    def __getitem__(self, part: str | int) -> "Output":
        return Output(self.node, (*self.path, part))

    def __iter__(self) -> Iterator["Output"]:
        width = None if self.path else _tuple_width(self.node.step.function)
        if width is None:
            raise OutputUnknown(
                self.node.step.name, "it cannot be taken apart without a tuple[…] as return type"
            )
        return iter([self[index] for index in range(width)])

    def __bool__(self) -> bool:
        raise OutputUnknown(self.node.step.name, "it cannot be tested with 'if'")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise OutputUnknown(self.node.step.name, f"it has no {name!r} yet")


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A call of a step: its arguments may hold outputs of other nodes at any depth."""

    id: str
    step: StepLike
    arguments: dict[str, Any]
    needs: tuple["Node", ...]


@dataclass(slots=True)
class Graph:
    """The nodes of a pipeline in the order of their calls, which is an order they can run in."""

    nodes: list[Node] = field(default_factory=list)

    def add(self, step: StepLike, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Output:
        """Add a call of `step` and return the output it will have."""
        bound = inspect.signature(step.function).bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = _flat(step.function, bound.arguments)
        needs = {output.node: None for output in outputs_in(arguments)}
        node = Node(self._free_id(step.name), step, arguments, tuple(needs))
        self.nodes.append(node)
        return Output(node)

    def _free_id(self, name: str) -> str:
        short = name.rpartition(".")[2]
        calls = sum(node.id == short or node.id.startswith(f"{short}#") for node in self.nodes)
        return short if calls == 0 else f"{short}#{calls + 1}"

    def describe(self) -> dict[str, Any]:
        """Return nodes and edges as JSON, for the run's record."""
        return {
            "nodes": [
                {
                    "id": node.id,
                    "step": node.step.name,
                    "cached": node.step.cached,
                    "retries": node.step.retries,
                    "repeatable": node.step.repeatable,
                    "effects": node.step.effects,
                }
                for node in self.nodes
            ],
            "edges": [
                {"from": source.id, "to": node.id, "argument": name}
                for node in self.nodes
                for name, value in node.arguments.items()
                for source in dict.fromkeys(output.node for output in outputs_in(value))
            ],
        }


def current_graph() -> Graph | None:
    """Return the graph that is being put together, or None."""
    return _current.get()


@contextmanager
def building() -> Iterator[Graph]:
    """Put together a graph: within the block, calls of steps add nodes to it."""
    graph = Graph()
    token = _current.set(graph)
    try:
        yield graph
    finally:
        _current.reset(token)


def outputs_in(value: Any) -> Iterator[Output]:
    """Yield every output in `value`, at any depth of lists, tuples and dicts."""
    if isinstance(value, Output):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from outputs_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from outputs_in(item)


def replace_outputs(value: Any, replace: Callable[[Output], Any]) -> Any:
    """Return `value` with every output in it replaced."""
    if isinstance(value, Output):
        return replace(value)
    if isinstance(value, dict):
        return {key: replace_outputs(item, replace) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_outputs(item, replace) for item in value]
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(replace_outputs(item, replace) for item in value)
    return value


def _flat(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments by name; those of `**more` come under their own names."""
    flat: dict[str, Any] = {}
    for name, value in arguments.items():
        kind = inspect.signature(function).parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            flat.update(value)
        else:
            flat[f"*{name}" if kind is inspect.Parameter.VAR_POSITIONAL else name] = value
    return flat


def call_with(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call `function` with the arguments a node holds, those of `*args` among them."""
    positional: list[Any] = []
    named = dict(arguments)
    for name in list(named):
        if name.startswith("*"):
            parameters = list(inspect.signature(function).parameters)
            before = parameters[: parameters.index(name[1:])]
            positional = [*(named.pop(one) for one in before), *named.pop(name)]
    return function(*positional, **named)


def _tuple_width(function: Callable[..., Any]) -> int | None:
    """Return how many values the function says it returns, or None if it does not say."""
    annotation = inspect.get_annotations(function, eval_str=True).get("return")
    items = get_args(annotation)
    if get_origin(annotation) is not tuple or Ellipsis in items:
        return None
    return len(items)
