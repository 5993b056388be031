"""What a chart shows, apart from how it is drawn: the page's table and ECharts read the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal


class Axis(StrEnum):
    """What the horizontal axis counts."""

    TIME = "time"
    NUMBER = "value"
    NAME = "category"


X = datetime | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One point of a series, with its interval where one is known; `y` None is a gap."""

    x: X
    y: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A line or a row of bars."""

    name: str
    dots: tuple[Dot, ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened, drawn upright on a time axis."""

    x: X
    text: str
    tone: str = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Series over one axis; six at most, since more are not told apart."""

    axis: Axis
    x_name: str
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    kind: Literal["line", "bar"] = "line"
    unit: Literal["", "percent", "ms", "s"] = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(dot.y is not None for series in self.series for dot in series.dots)

    @property
    def rows(self) -> list[list[object]]:
        """The data as a table: x, then each series' value at x."""
        values = [{dot.x: dot.y for dot in series.dots} for series in self.series]
        places = sorted({dot.x for series in self.series for dot in series.dots}, key=_sort_key)
        if self.axis is Axis.NAME:
            places = list(dict.fromkeys(dot.x for series in self.series for dot in series.dots))
        return [[_written(x), *(column.get(x) for column in values)] for x in places]


def line(name: str, points: Iterable[tuple[X, float | None]], *, dashed: bool = False) -> Series:
    """Return a series of points without intervals."""
    return Series(name=name, dots=tuple(Dot(x=x, y=y) for x, y in points), dashed=dashed)


def thinned(points: Sequence[tuple[X, float]], limit: int = 1_000) -> list[tuple[X, float]]:
    """Return at most about `limit` points, evenly taken, the last among them."""
    stride = max(1, -(-len(points) // limit))
    kept = list(points[::stride])
    if points and kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept


def _sort_key(x: X) -> tuple[float, str]:
    if isinstance(x, datetime):
        return (x.timestamp(), "")
    return (0.0, x) if isinstance(x, str) else (float(x), "")


def _written(x: X) -> str:
    if isinstance(x, datetime):
        return f"{x.astimezone(UTC):%Y-%m-%d %H:%M}"
    return x if isinstance(x, str) else f"{x:g}"
