"""Pipelines: functions that put steps together."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import check_name
from trivet.pipelines.graph import Graph, building


@dataclass(frozen=True)
class Pipeline:
    """A function whose calls of steps make a graph.

    The function is called once at the start of each run, with the params of that run, so it may
    choose by them which steps there are. What it returns, steps' outputs alone or in containers,
    is what the run returns.

    Attributes:
        function: The function; its parameters are the pipeline's params.
        experiment: The experiment its runs belong to; the pipeline's name by default.
    """

    function: Callable[..., Any]
    experiment: str = ""

    def __post_init__(self) -> None:
        check_name(self.experiment or self.name)

    @property
    def name(self) -> str:
        """The name by which runs and the UI know the pipeline."""
        return self.function.__name__

    @property
    def file(self) -> Path | None:
        """The file the function was written in, None for one typed into a prompt."""
        path = Path(self.function.__code__.co_filename)
        return path.resolve() if path.is_file() else None

    def bind(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return every param with its value, given or by default.

        Raises:
            InvalidInput: A param is unknown, or one without a default is missing.
        """
        signature = inspect.signature(self.function)
        try:
            bound = signature.bind(**params)
        except TypeError as error:
            raise InvalidInput(
                f"Pipeline {self.name!r}: {error}; its params are {signature}."
            ) from None
        bound.apply_defaults()
        return dict(bound.arguments)

    def build(self, params: Mapping[str, Any]) -> tuple[Graph, Any]:
        """Return the graph for these params, and what the pipeline will return."""
        with building() as graph:
            returned = self.function(**params)
        return graph, returned


@overload
def pipeline(function: Callable[..., Any], /) -> Pipeline: ...
@overload
def pipeline(*, experiment: str = "") -> Callable[[Callable[..., Any]], Pipeline]: ...
def pipeline(
    function: Callable[..., Any] | None = None, /, *, experiment: str = ""
) -> Pipeline | Callable[[Callable[..., Any]], Pipeline]:
    """Make a function a pipeline: `@pipeline`, or `@pipeline(experiment="churn")`."""

    def make(function: Callable[..., Any]) -> Pipeline:
        return Pipeline(function, experiment)

    return make if function is None else make(function)
