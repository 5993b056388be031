"""How commands show things: tables and facts for people, JSON for scripts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
"""The option every command has that shows something."""

_GOOD = {"passed", "finished", "succeeded", "green", "ok", "ready", "confirmed", "cached"}
_BAD = {"failed", "red", "lost", "rolled_back", "error", "open", "down"}


def to_json(value: Any) -> Any:
    """Return `value` as plain JSON: records become objects, instants ISO texts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, msgspec.Struct):
        return to_json(msgspec.structs.asdict(value))
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value) if isinstance(value, Path) else value


def print_json(value: Any) -> None:
    """Print a value as indented JSON on stdout."""
    click.echo(json.dumps(to_json(value), indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str) -> None:
    """Print rows under headings, or the sentence `empty`, which names the command that fills it.

    Numbers are right-aligned. On a pipe the columns are as wide as they need to be.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=240)
    if not rows:
        console.print(Text(empty))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for position, name in enumerate(columns):
        numeric = all(isinstance(row[position], int | float) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print names and values under each other; values that are None are left out."""
    width = max((len(name) for name in facts), default=0) + 2
    console = Console(soft_wrap=True)
    for name, value in facts.items():
        if value is not None:
            console.print(Text(f"{name:<{width}}", style="dim") + _cell(value))


def _cell(value: Any) -> Text:
    if isinstance(value, datetime):
        return Text(f"{value:%Y-%m-%d %H:%M:%S}")
    if isinstance(value, float):
        return Text(f"{value:.4g}")
    # A control character in a name must not reach the terminal as one.
    text = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value)
    )
    style = "green" if text in _GOOD else "red" if text in _BAD else ""
    return Text(text, style=style)
