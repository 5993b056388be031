"""`trivet show REF`."""

from typing import Any

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, to_json
from trivet.kernel.refs import Ref
from trivet.lookup import look_up


@click.command()
@click.argument("ref")
@as_json
@with_app
def show(app: App, ref: str, as_json: bool) -> None:
    """Show whatever REF names: a commit, a run, a model version or a prediction.

    \b
    Example:
      trivet show model:delay@champion
    """
    found = to_json(look_up(app, Ref.parse(ref)))
    if as_json:
        print_json(found)
    else:
        print_facts(_flat(found))


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        items = [(f"{prefix}.{name}" if prefix else name, item) for name, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        items = [(f"{prefix}[{position}]", item) for position, item in enumerate(value)]
    else:
        plain = ", ".join(map(str, value)) if isinstance(value, list) else value
        return {} if plain in (None, "", {}, []) else {prefix: plain}
    flat: dict[str, Any] = {}
    for name, item in items:
        flat |= _flat(item, name)
    return flat
