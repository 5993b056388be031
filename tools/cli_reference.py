"""Write docs/reference/cli.md from the commands themselves: `python tools/cli_reference.py`."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from trivet.cli.main import cli

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
_HEAD = """\
# The command line

Made by `make fmt` from the commands themselves; a test compares the two. Before every command
may stand `--home DIR` (where everything is kept; `.trivet` otherwise) and `--debug` (the traceback
of an error). Commands that show something take `--json`. Exit codes: 0 done, 1 refused or failed,
2 usage, 75 try again.
"""


def render() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_sections(cli, click.Context(cli, info_name="trivet"))])


def _sections(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        below = click.Context(command, parent=context, info_name=name)
        if isinstance(command, click.Group):
            yield from _sections(command, below)
        else:
            yield _section(command, below)


def _section(command: click.Command, context: click.Context) -> str:
    text, _, example = inspect.cleandoc(command.help or "").partition("\b\nExample:\n")
    usage = " ".join(context.command.collect_usage_pieces(context))
    lines = [f"## {context.command_path}", "", _joined(text), ""]
    lines += ["```", f"{context.command_path} {usage}".rstrip(), "```", ""]
    options = [row for row in map(_option, command.get_params(context)) if row]
    if options:
        lines += ["| option | |", "|---|---|", *options, ""]
    if example:
        lines += ["Example:", "", *(f"    {line.strip()}" for line in example.splitlines()), ""]
    return "\n".join(lines)


def _joined(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def _option(parameter: click.Parameter) -> str | None:
    if not isinstance(parameter, click.Option) or "--help" in parameter.opts:
        return None
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    if not parameter.is_flag:
        names += f" {_metavar(parameter)}"
    told = [parameter.help or ""]
    if parameter.required:
        told.append("Required.")
    if parameter.show_default and not parameter.is_flag:
        told.append(f"Default: {parameter.default}.")
    if parameter.multiple:
        told.append("May be repeated.")
    return f"| `{names.replace('|', '/')}` | {' '.join(part for part in told if part)} |"


def _metavar(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(map(str, option.type.choices))
    return option.type.name.upper()


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
