"""Graphs laid out in layers from left to right, as SVG needs them. Pure.

Each node stands one layer after the furthest of those it follows; within a layer nodes are put
near the middle of their neighbours, which keeps most arrows from crossing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 172, 46
_GAP_X, _GAP_Y, _MARGIN = 40, 14, 4
_SWEEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A box: two lines of text that lead to a page."""

    id: str
    title: str
    text: str = ""
    address: str = ""
    tone: str = ""
    is_centre: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedNode:
    """A node with its place."""

    id: str
    title: str
    text: str
    address: str
    tone: str
    is_centre: bool
    x: int
    y: int
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """A line between two nodes, as an SVG path."""

    path: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Nodes and arrows, and the size of the picture."""

    width: int
    height: int
    nodes: tuple[PlacedNode, ...]
    arrows: tuple[Arrow, ...]


def draw(nodes: Sequence[Node], edges: Sequence[tuple[str, str, str]]) -> Drawing:
    """Return the layered drawing of the graph; `edges` are (from, to, label)."""
    known = {node.id for node in nodes}
    links = [(a, b, label) for a, b, label in edges if a in known and b in known and a != b]
    depth = _depths([node.id for node in nodes], [(a, b) for a, b, _ in links])
    columns = _ordered(nodes, links, depth)
    tallest = max((len(column) for column in columns), default=0)
    placed: dict[str, PlacedNode] = {}
    for layer, column in enumerate(columns):
        top = _MARGIN + (tallest - len(column)) * (HEIGHT + _GAP_Y) // 2
        for row, node in enumerate(column):
            placed[node.id] = _place(
                node, _MARGIN + layer * (WIDTH + _GAP_X), top + row * (HEIGHT + _GAP_Y)
            )
    return Drawing(
        width=2 * _MARGIN + max(1, len(columns)) * (WIDTH + _GAP_X) - _GAP_X,
        height=2 * _MARGIN + max(1, tallest) * (HEIGHT + _GAP_Y) - _GAP_Y,
        nodes=tuple(placed.values()),
        arrows=tuple(
            Arrow(path=_path(placed[a], placed[b]), label=label) for a, b, label in links
        ),
    )


def _depths(ids: Sequence[str], links: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return each node's layer: the longest way to it; a cycle ends where it began."""
    before: dict[str, list[str]] = {name: [] for name in ids}
    for start, end in links:
        before[end].append(start)
    depth: dict[str, int] = {}
    for root in ids:
        path, stack = {root}, [(root, iter(before[root]))]
        while stack:
            name, parents = stack[-1]
            parent = next((p for p in parents if p not in depth and p not in path), None)
            if parent is not None:
                path.add(parent)
                stack.append((parent, iter(before[parent])))
                continue
            stack.pop()
            depth[name] = 1 + max((depth.get(p, -1) for p in before[name]), default=-1)
    return depth


def _ordered(
    nodes: Sequence[Node], links: Sequence[tuple[str, str, str]], depth: dict[str, int]
) -> list[list[Node]]:
    columns: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in nodes:
        columns[depth[node.id]].append(node)
    near: dict[str, list[str]] = {node.id: [] for node in nodes}
    for start, end, _ in links:
        near[start].append(end)
        near[end].append(start)
    for _ in range(_SWEEPS):
        rank = {
            node.id: (row + 0.5) / len(column)
            for column in columns
            for row, node in enumerate(column)
        }
        middle = {
            name: sum(rank[other] for other in others) / len(others) if others else rank[name]
            for name, others in near.items()
        }
        columns = [sorted(column, key=lambda node: middle[node.id]) for column in columns]
    return columns


def _place(node: Node, x: int, y: int) -> PlacedNode:
    return PlacedNode(
        id=node.id,
        title=_cut(node.title, 22),
        text=_cut(node.text, 26),
        address=node.address,
        tone=node.tone,
        is_centre=node.is_centre,
        x=x,
        y=y,
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _path(start: PlacedNode, end: PlacedNode) -> str:
    x1, y1 = start.x + WIDTH, start.y + HEIGHT // 2
    x2, y2 = end.x, end.y + HEIGHT // 2
    bend = (x2 - x1) // 2 if x2 > x1 else _GAP_X
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
