"""`trivet data contract …`."""

from pathlib import Path

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.data_files import read_rows
from trivet.cli.data_views import show_report
from trivet.cli.output import as_json, print_json
from trivet.ledger import Verdict


@click.group()
def contract() -> None:
    """Set, show and check the contract of a dataset (ODCS YAML)."""


@contract.command(name="set")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_app
def set_(app: App, name: str, file: Path) -> None:
    """Put a contract in force for the commits to come.

    \b
    Example:
      trivet data contract set flights flights.odcs.yaml
    """
    version = app.datasets.set_contract(name, file.read_text(encoding="utf-8"))
    click.echo(f"Version {version} of the contract of {name!r} is in force.")


@contract.command(name="show")
@click.argument("name")
@as_json
@with_app
def show_contract(app: App, name: str, as_json: bool) -> None:
    """Print the contract in force.

    \b
    Example:
      trivet data contract show flights
    """
    text = app.datasets.find_contract(name)
    if as_json:
        print_json({"dataset": name, "contract": text})
        return
    click.echo(text if text is not None else f"Dataset {name!r} has no contract.", nl=text is None)


@contract.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
@with_app
@click.pass_context
def check(context: click.Context, app: App, name: str, file: Path, as_json: bool) -> None:
    """Hold the rows of a file against the contract; exit 1 if it is red. Nothing is stored.

    \b
    Example:
      trivet data contract check flights week27.csv
    """
    report = app.datasets.check(name, read_rows(file))
    print_json(report) if as_json else show_report(report)
    if report.verdict is Verdict.FAILED:
        context.exit(1)
