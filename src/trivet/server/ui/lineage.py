"""Lineage as a graph: what a ref came of, and what came of it."""

from collections.abc import Sequence

from trivet.app import App
from trivet.ledger import Edge
from trivet.server.ui.addresses import find_address
from trivet.server.ui.formatting import short_ref
from trivet.server.ui.graph import Drawing, Node, draw

_NODES_AT_MOST = 60


def draw_lineage(app: App, ref: str, *, depth: int = 6) -> Drawing:
    """Return the graph around `ref`; beyond some sixty nodes the furthest are left out."""
    edges = [
        *app.ledger.list_edges(ref, upstream=True, depth=depth),
        *app.ledger.list_edges(ref, upstream=False, depth=depth),
    ]
    return draw_edges(ref, edges)


def draw_edges(ref: str, edges: Sequence[Edge]) -> Drawing:
    """Return the graph of these edges with `ref` as its centre.

    Of a dataset's own history only the commits beside the centre are drawn: its log shows all.
    """
    edges = [edge for edge in edges if not _is_history(edge, ref)]
    names = list(dict.fromkeys([ref, *(end for e in edges for end in (e.from_ref, e.to_ref))]))
    kept = names[:_NODES_AT_MOST]
    nodes = [
        Node(
            id=name,
            title=short_ref(name).partition(":")[2],
            text=name.partition(":")[0],
            address=find_address(name) or "",
            is_centre=name == ref,
        )
        for name in kept
    ]
    links = dict.fromkeys((e.from_ref, e.to_ref, e.role) for e in edges)
    return draw(nodes, list(links))


def _is_history(edge: Edge, centre: str) -> bool:
    """Return whether the edge only leads from a commit to the next, away from the centre."""
    both = edge.from_ref.partition("@")[0] == edge.to_ref.partition("@")[0]
    return (
        both
        and edge.from_ref.startswith("dataset:")
        and centre not in (edge.from_ref, edge.to_ref)
    )
