"""Run the benchmarks that are named, or all of them, and print one table."""

import sys
from importlib import import_module

from rich.console import Console
from rich.table import Table

from benchmarks.figures import machine

NAMES = ("cli", "tracking", "pipelines", "data", "features", "serving", "rollback")


def main() -> None:
    """Print a row for each figure."""
    names = sys.argv[1:] or NAMES
    console = Console(width=None if sys.stdout.isatty() else 150)
    table = Table(box=None, title=machine(), title_justify="left")
    for column in ("benchmark", "work", "median", "min", "max", "unit", "target"):
        table.add_column(column, justify="right" if column in ("median", "min", "max") else "left")
    for name in names:
        console.print(f"measuring {name} ...", style="dim")
        for figure in import_module(f"benchmarks.{name}").measure():
            table.add_row(
                name,
                figure.work,
                *(f"{value:,.4g}" for value in (figure.value, figure.low, figure.high)),
                figure.unit,
                figure.target,
            )
    console.print(table)


if __name__ == "__main__":
    main()
