"""Run the benchmarks that are named, or all of them, and print one table."""

import math
import sys
import time
from importlib import import_module

from rich.console import Console
from rich.table import Table

from benchmarks.figures import machine

NAMES = ("cli", "tracking", "pipelines", "data", "features", "serving", "rollback")


def main() -> None:
    """Print a row for each figure."""
    began = time.perf_counter()
    names = sys.argv[1:] or NAMES
    console = Console(width=None if sys.stdout.isatty() else 170)
    table = Table(box=None, title=machine(), title_justify="left")
    for column in ("benchmark", "work", "median", "min", "max", "unit", "target"):
        table.add_column(column, justify="right" if column in ("median", "min", "max") else "left")
    for name in names:
        console.print(f"measuring {name} ...", style="dim")
        for figure in import_module(f"benchmarks.{name}").measure():
            table.add_row(
                name,
                figure.work,
                *(_number(value) for value in (figure.value, figure.low, figure.high)),
                figure.unit,
                figure.target,
            )
    console.print(table)
    console.print(f"measured in {time.perf_counter() - began:.0f} s", style="dim")


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


if __name__ == "__main__":
    main()
