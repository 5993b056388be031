"""`trivet lineage REF`."""

import click
from rich.console import Console
from rich.tree import Tree

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_json
from trivet.kernel.refs import Ref
from trivet.ledger import Edge
from trivet.lookup import resolve


@click.command()
@click.argument("ref")
@click.option("--down", is_flag=True, help="What came of it, not what it came of.")
@as_json
@with_app
def lineage(app: App, ref: str, down: bool, as_json: bool) -> None:
    """Show what REF came of, or with --down what came of it.

    \b
    Example:
      trivet lineage model:delay@champion
    """
    start = str(resolve(app, Ref.parse(ref)))
    edges = app.ledger.list_edges(start, upstream=not down)
    if as_json:
        print_json({"ref": start, "edges": edges})
        return
    tree = Tree(start)
    _grow(tree, start, edges, upstream=not down, path=(start,))
    Console().print(tree)


def _grow(
    tree: Tree, ref: str, edges: list[Edge], *, upstream: bool, path: tuple[str, ...]
) -> None:
    for edge in edges:
        near, far = (edge.to_ref, edge.from_ref) if upstream else (edge.from_ref, edge.to_ref)
        if near == ref and far not in path:
            branch = tree.add(f"{far}  [dim]{edge.role}[/dim]")
            _grow(branch, far, edges, upstream=upstream, path=(*path, far))
