"""What a feature is: entities, feature views, request features and feature services.

The same definition is compiled to SQL for training and to the online store for serving. A
definition is data: it holds no code, so a server may read one that a stranger wrote.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import check_name


class Aggregate(StrEnum):
    """How a rolling feature folds the events of its window."""

    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"


class TimePart(StrEnum):
    """A number read off an instant, in UTC: 0-23, 0 (Monday)-6, 1-12, 1-366, 0-1439."""

    HOUR = "hour"
    WEEKDAY = "weekday"
    MONTH = "month"
    DAY_OF_YEAR = "day_of_year"
    MINUTE_OF_DAY = "minute_of_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """A feature that folds `column` over the events of the last `window`, the present included.

    Its value changes when an event of the entity becomes known, and only then.
    """

    name: str
    column: str
    function: Aggregate
    window: timedelta

    def __post_init__(self) -> None:
        if self.window <= timedelta(0):
            raise InvalidInput(f"Feature {self.name!r}: the window must be longer than nothing.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureView:
    """Features of an entity over time, from one dataset.

    Attributes:
        entity: The columns that name the entity: `("carrier",)`, `("origin", "dest")`.
        source: The dataset the features come from.
        event_time: The column that says when a row became true.
        created_time: The column that says when a row became known, if that was later: a row is
            visible at T only if neither time is after T.
        ttl: How old a row may be and still be used; None for any age.
        rolling: Features folded over a window of source rows; excludes `sql` and `columns`.
        sql: A query over the table `source` that returns entity, times and `columns`.
        columns: The features that are columns of the source or of `sql`.
        where: A SQL condition on the source's rows that take part.
        event_key: The columns that identify a source row; a rolling view then counts a row that
            is pushed again once, and a corrected one in place of the earlier.
        version: Counted by the store; 0 before the view is applied.
    """

    name: str
    entity: tuple[str, ...]
    source: str
    event_time: str
    created_time: str | None = None
    ttl: timedelta | None = None
    rolling: tuple[Rolling, ...] = ()
    sql: str | None = None
    columns: tuple[str, ...] = ()
    where: str | None = None
    description: str = ""
    owner: str = ""
    event_key: tuple[str, ...] = ()
    version: int = 0

    def __post_init__(self) -> None:
        check_name(self.name)
        if not self.entity:
            raise InvalidInput(f"View {self.name!r} needs an entity, such as entity=('carrier',).")
        if not self.features:
            raise InvalidInput(f"View {self.name!r} has no features; give it rolling or columns.")
        if self.rolling and (self.sql is not None or self.columns):
            raise InvalidInput(
                f"View {self.name!r} is rolling, so it takes neither sql nor columns; "
                "make two views."
            )
        _refuse_repeats(f"View {self.name!r}", (*self.entity, *self.features))
        if self.ttl is not None and self.ttl < timedelta(0):
            raise InvalidInput(f"View {self.name!r}: the TTL must not be negative.")

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the view's features, in their order."""
        return (*(rolling.name for rolling in self.rolling), *self.columns)

    @property
    def ref(self) -> str:
        """The address of this version of the view."""
        return f"features:{self.name}@{self.version}"

    @property
    def online_name(self) -> str:
        """The name under which the online store knows this version of the view."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFeature:
    """A feature computed from the request itself, alike in training and in serving.

    Exactly one form: `part` reads the time `column` (from the event time where `column` is None);
    `vocabulary` codes a text column as its position, -1 for a word it lacks; otherwise the column
    is taken as a number.
    """

    name: str
    column: str | None = None
    part: TimePart | None = None
    vocabulary: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.part is not None and self.vocabulary is not None:
            raise InvalidInput(f"Feature {self.name!r} takes part or vocabulary, not both.")
        if self.part is None and self.column is None:
            raise InvalidInput(f"Feature {self.name!r} needs a column.")
        if self.vocabulary is not None:
            _refuse_repeats(f"The vocabulary of {self.name!r}", self.vocabulary)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureService:
    """The features one kind of model takes, in the order in which it takes them.

    Attributes:
        views: (view name, features of it in order); no features means all of the view.
    """

    name: str
    views: tuple[tuple[str, tuple[str, ...]], ...]
    request: tuple[RequestFeature, ...] = ()
    version: int = 0

    def __post_init__(self) -> None:
        check_name(self.name)
        _refuse_repeats(f"Service {self.name!r}", [view for view, _ in self.views])

    @property
    def ref(self) -> str:
        """The address of this version of the service."""
        return f"features:{self.name}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInput:
    """One number of a model's input, and where serving gets it.

    A view input has `view`, `position` and `entity`; a request input has `request`.

    Attributes:
        view: The view with its version, as the online store knows it: `by_carrier@3`.
        position: Which of the view's features it is, counted from 0.
        entity: The request columns that name the entity.
        ttl_seconds: How old the value may be; None for any age.
    """

    name: str
    view: str | None = None
    position: int = 0
    entity: tuple[str, ...] = ()
    ttl_seconds: float | None = None
    request: RequestFeature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturePlan:
    """A feature service with every view fixed to a version: all that serving needs to know.

    It is kept in the model's signature, so a gateway needs no feature registry (I4).
    """

    service: str
    inputs: tuple[PlanInput, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs' names, in the order of the model's columns."""
        return tuple(item.name for item in self.inputs)

    @property
    def view_refs(self) -> tuple[str, ...]:
        """The addresses of the view versions it takes, each once, in order."""
        return tuple(dict.fromkeys(f"features:{i.view}" for i in self.inputs if i.view))


JsonObject = dict[str, Any]


def _refuse_repeats(what: str, names: Sequence[str]) -> None:
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        raise InvalidInput(f"{what} names {', '.join(map(repr, repeated))} twice.")
