"""`trivet config`."""

import os
from dataclasses import fields

import click

from trivet.cli.context import read_settings
from trivet.cli.output import as_json, print_json, print_table
from trivet.kernel.urls import without_secrets
from trivet.settings import Settings, find_origins, variable_of


@click.command()
@as_json
def config(as_json: bool) -> None:
    """Show the settings in force, and where each came from.

    The command line overrides the environment, that trivet.yaml in the working folder, and that
    the defaults. Passwords and keys in URLs are shown as ***.

    \b
    Example:
      trivet config
    """
    settings = read_settings()
    obj = click.get_current_context().find_object(dict) or {}
    origins = find_origins(os.environ, home=obj.get("home"))
    shown = {
        each.name: {
            "value": _shown(getattr(settings, each.name)),
            "from": origins[each.name],
            "variable": variable_of(each.name),
        }
        for each in fields(Settings)
    }
    if as_json:
        print_json(shown)
        return
    print_table(
        ["setting", "value", "from", "variable"],
        [(name, *facts.values()) for name, facts in shown.items()],
        empty="There are no settings.",
    )


def _shown(value: object) -> object:
    return value if isinstance(value, int) else without_secrets(str(value))
