"""Line plots as SVG, drawn with the page's own colours. Pure functions of numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

Scale = Callable[[float], float]
"""Maps a value to a pixel."""

_WIDTH, _PLOT_HEIGHT = 940, 250
_LEFT, _RIGHT, _BOTTOM = 52, 104, 30
_MARK_ROW, _LABEL_ROW, _LETTER = 16, 16, 6.4


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its label, its CSS colour variable, and a value (or None) for each position."""

    label: str
    colour: str
    values: Sequence[float | None]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at a position, with words."""

    position: float
    label: str


def line_plot(
    ticks: Sequence[str],
    series: Sequence[Series],
    marks: Sequence[Mark] = (),
    *,
    title: str,
    percent: bool = False,
) -> str:
    """Return an SVG of the series over the ticks; positions without a value are gaps.

    Lines are labelled at their end, not in a legend, and marks in rows above the plot where none
    touches another. A line is not drawn where it runs on the one before it. What lies between the
    first two lines is tinted, so that one sees where they part.
    """
    values = [value for line in series for value in line.values if value is not None]
    if not values:
        return f'<p class="none">No data for “{escape(title)}”.</p>'
    steps = _steps(min(values), max(values))
    low, high = steps[0], steps[-1]
    last = max(len(ticks) - 1, 1)

    def x(position: float) -> float:
        return _LEFT + position * (_WIDTH - _LEFT - _RIGHT) / last

    placed = _place_marks(marks, x)
    top = 8 + _MARK_ROW * (1 + max((row for _, row, _ in placed), default=-1))

    def y(value: float) -> float:
        return top + (high - value) * _PLOT_HEIGHT / (high - low)

    floor = top + _PLOT_HEIGHT
    box = f'viewBox="0 0 {_WIDTH} {floor + _BOTTOM}"'
    return "".join(
        [
            f'<svg {box} role="img" aria-label="{escape(title)}">',
            *_grid(steps, y, percent=percent),
            *_tick_labels(ticks, x, floor),
            *_draw_marks(placed, x, top, floor),
            *_between(series, x, y),
            *(_line(line, x, y) for line in _without_overlaps(series)),
            *_end_labels(series, x(last), y),
            "</svg>",
        ]
    )


def _steps(low: float, high: float) -> list[float]:
    """Return round values, evenly apart, that enclose both."""
    rough = (high - low) / 4 or 0.01
    unit = 10 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= rough)
    first, after = math.floor(low / step), math.ceil(high / step)
    return [step * count for count in range(first, max(after, first + 1) + 1)]


def _place_marks(marks: Sequence[Mark], x: Scale) -> list[tuple[Mark, int, bool]]:
    """Return each mark with its row from the bottom, and whether its words stand to its left.

    From right to left, each takes the lowest row that is free as far as its words reach, so the
    line of a later mark ends below the words of an earlier one.
    """
    placed: list[tuple[Mark, int, bool]] = []
    starts: list[float] = []
    for mark in sorted(marks, key=lambda one: -one.position):
        span = len(mark.label) * _LETTER + 14
        at = x(mark.position)
        is_left = at + span > _WIDTH
        start, end = (at - span, at) if is_left else (at, at + span)
        row = next((row for row, taken in enumerate(starts) if end <= taken), len(starts))
        starts[: row + 1] = [start] * (row + 1)
        placed.append((mark, row, is_left))
    return placed


def _draw_marks(
    placed: Sequence[tuple[Mark, int, bool]], x: Scale, top: float, floor: float
) -> list[str]:
    parts = []
    for mark, row, is_left in placed:
        at, line = x(mark.position), top - 6 - row * _MARK_ROW
        anchor, shift = ("end", -5) if is_left else ("start", 5)
        parts.append(
            f'<path class="mark" d="M{at:.1f} {line - 9:.1f}V{floor:.1f}"/>'
            f'<text class="mark" x="{at + shift:.1f}" y="{line:.1f}" '
            f'text-anchor="{anchor}">{escape(mark.label)}</text>'
        )
    return parts


def _grid(steps: Sequence[float], y: Scale, *, percent: bool) -> list[str]:
    digits = max(0, -math.floor(math.log10(steps[1] - steps[0])) - 2 * percent)
    parts = []
    for value in steps:
        written = f"{value * 100:.{digits}f} %" if percent else f"{value:.{digits}f}"
        parts.append(
            f'<path class="grid" d="M{_LEFT} {y(value):.1f}H{_WIDTH - _RIGHT}"/>'
            f'<text x="{_LEFT - 10}" y="{y(value) + 4:.1f}" text-anchor="end">{written}</text>'
        )
    return parts


def _tick_labels(ticks: Sequence[str], x: Scale, floor: float) -> list[str]:
    every = max(1, -(-len(ticks) // 9))
    return [
        f'<text x="{x(position):.1f}" y="{floor + 20:.1f}" '
        f'text-anchor="middle">{escape(tick)}</text>'
        for position, tick in enumerate(ticks)
        if position % every == 0
    ]


def _without_overlaps(series: Sequence[Series]) -> list[Series]:
    """Return the lines from the back to the front, each without what the first one covers."""
    if not series:
        return []
    first, *others = series
    return [*(_parted(line, first) for line in others), first]


def _parted(line: Series, first: Series) -> Series:
    same = [a == b for a, b in zip(line.values, first.values, strict=True)]
    hidden = [
        all(same[max(0, place - 1) : place + 2]) if value is not None else True
        for place, value in enumerate(line.values)
    ]
    values = [None if hide else value for hide, value in zip(hidden, line.values, strict=True)]
    return Series(line.label, line.colour, values, line.dashed)


def _between(series: Sequence[Series], x: Scale, y: Scale) -> list[str]:
    if len(series) != 2:
        return []
    both = [
        (place, a, b)
        for place, (a, b) in enumerate(zip(series[0].values, series[1].values, strict=True))
        if a is not None and b is not None
    ]
    forth = "L".join(f"{x(place):.1f} {y(a):.1f}" for place, a, _ in both)
    back = "L".join(f"{x(place):.1f} {y(b):.1f}" for place, _, b in reversed(both))
    return [f'<path class="between" d="M{forth}L{back}Z"/>'] if both else []


def _end_labels(series: Sequence[Series], right: float, y: Scale) -> list[str]:
    ends = [
        (y(known[-1]), line)
        for line in series
        if (known := [value for value in line.values if value is not None])
    ]
    parts, lowest = [], -math.inf
    for height, line in sorted(ends, key=lambda end: end[0]):
        lowest = max(height, lowest + _LABEL_ROW)
        parts.append(
            f'<text class="end" x="{right + 12:.1f}" y="{lowest + 4:.1f}" '
            f'style="fill:var({line.colour})">{escape(line.label)}</text>'
        )
    return parts


def _line(line: Series, x: Scale, y: Scale) -> str:
    path, pen_up = [], True
    for position, value in enumerate(line.values):
        if value is None:
            pen_up = True
            continue
        path.append(f"{'M' if pen_up else 'L'}{x(position):.1f} {y(value):.1f}")
        pen_up = False
    dash = ' stroke-dasharray="5 4"' if line.dashed else ""
    return (
        f'<path class="line" d="{"".join(path)}" stroke="var({line.colour})" '
        f'stroke-width="{2 if line.dashed else 2.4}"{dash}/>'
    )
