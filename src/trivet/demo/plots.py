"""Line plots as SVG, drawn with the page's own colours. Pure functions of numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

Scale = Callable[[float], float]
"""Maps a value to a pixel."""

_WIDTH, _HEIGHT = 860, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 150, 16, 34


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
    ticks: Sequence[str], series: Sequence[Series], marks: Sequence[Mark] = (), *, title: str
) -> str:
    """Return an SVG of the series over the ticks; positions without a value are gaps.

    Lines are labelled at their end, not in a legend; the y axis spans the values with a margin.
    """
    values = [value for line in series for value in line.values if value is not None]
    if not values:
        return f'<p class="none">No data for “{escape(title)}”.</p>'
    low, high = min(values), max(values)
    margin = (high - low) * 0.12 or 0.01
    low, high = low - margin, high + margin

    def x(position: float) -> float:
        return _LEFT + position * (_WIDTH - _LEFT - _RIGHT) / max(len(ticks) - 1, 1)

    def y(value: float) -> float:
        return _TOP + (high - value) * (_HEIGHT - _TOP - _BOTTOM) / (high - low)

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(low, high, y),
        *_tick_labels(ticks, x),
    ]
    for mark in marks:
        at = x(mark.position)
        parts.append(
            f'<path class="mark" d="M{at:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
            f'<text class="mark" x="{at + 4:.1f}" y="{_TOP + 10}">{escape(mark.label)}</text>'
        )
    ends: list[float] = []
    for line in series:
        parts.append(_line(line, x, y))
        last = next((v for v in reversed(line.values) if v is not None), None)
        if last is not None:
            height = y(last)
            while any(abs(height - other) < 14 for other in ends):
                height += 14
            ends.append(height)
            parts.append(
                f'<text x="{_WIDTH - _RIGHT + 8}" y="{height + 4:.1f}" '
                f'style="fill:var({line.colour})">{escape(line.label)}</text>'
            )
    return "".join([*parts, "</svg>"])


def _grid(low: float, high: float, y: Scale) -> list[str]:
    parts = []
    for step in range(5):
        value = low + (high - low) * step / 4
        parts.append(
            f'<path class="grid" d="M{_LEFT} {y(value):.1f}H{_WIDTH - _RIGHT}"/>'
            f'<text x="4" y="{y(value) + 4:.1f}">{value:.3f}</text>'
        )
    return parts


def _tick_labels(ticks: Sequence[str], x: Scale) -> list[str]:
    every = max(1, len(ticks) // 9)
    return [
        f'<text x="{x(position) - 14:.1f}" y="{_HEIGHT - 10}">{escape(tick)}</text>'
        for position, tick in enumerate(ticks)
        if position % every == 0
    ]


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
        f'<path d="{"".join(path)}" fill="none" stroke="var({line.colour})" '
        f'stroke-width="2.2"{dash}/>'
    )
