"""Steps: plain functions, with the facts a scheduler needs to run them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from trivet.kernel.errors import InvalidInput
from trivet.pipelines.graph import current_graph

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Step(Generic[P, R]):
    """A function that may be a node of a pipeline.

    Calling a step calls its function and nothing else, so a step can be tested, and used in a
    notebook, without a pipeline or a server. Only within a `@pipeline` function a call adds a
    node to the graph, and gives the output that the node will have.

    Attributes:
        function: What the step does. Its parameter names are the step's inputs.
        retries: How often to try again after an exception.
        cached: Whether equal inputs and equal code may reuse an earlier output.
        repeatable: Whether equal inputs give the same output to the last bit. It is not so for
            one that measures time; a reproduction runs it, and does not compare what it gave.
        effects: Whether it changes something outside, as registering a model does. A
            reproduction does not run it, nor what needs its output.
    """

    function: Callable[P, R]
    retries: int = 0
    cached: bool = True
    repeatable: bool = True
    effects: bool = False

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise InvalidInput(f"Step {self.name!r}: retries must be 0 or more.")

    @property
    def name(self) -> str:
        """The name by which runs, logs and the UI know the step."""
        return self.function.__qualname__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        graph = current_graph()
        if graph is None:
            return self.function(*args, **kwargs)
        step = cast("Step[..., Any]", self)
        return cast("R", graph.add(step, args, kwargs))


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *, retries: int = 0, cached: bool = True, repeatable: bool = True, effects: bool = False
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(
    function: Callable[P, R] | None = None,
    /,
    *,
    retries: int = 0,
    cached: bool = True,
    repeatable: bool = True,
    effects: bool = False,
) -> Step[P, R] | Callable[[Callable[P, R]], Step[P, R]]:
    """Make a function a step: `@step`, or `@step(retries=2)`; see `Step` for what may be said.

    Example:
        >>> @step
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> double(21)
        42
    """

    def make(function: Callable[P, R]) -> Step[P, R]:
        return Step(
            function, retries=retries, cached=cached, repeatable=repeatable, effects=effects
        )

    return make if function is None else make(function)
