"""How `trivet data` words commits, diffs and reports for a person."""

import click

from trivet.app import App
from trivet.cli.output import print_facts, print_json, print_table
from trivet.data import Commit, ContractReport, Dataset, Diff
from trivet.ledger import Verdict

SHORT = 12
"""How much of a commit's id a person is shown."""


def show_commit(made: Commit, as_json: bool) -> None:
    """Print a commit."""
    if as_json:
        print_json(made)
        return
    contract = str(made.contract)
    if made.contract is Verdict.NO_DATA:
        contract = "no_data (no contract was in force, or it had no rows to judge)"
    print_facts(
        {
            "commit": made.ref,
            "change": str(made.change),
            "message": made.message,
            "author": made.author,
            "at": made.at,
            "rows": f"{made.rows:,} (+{made.rows_added:,} ~{made.rows_changed:,}"
            f" -{made.rows_deleted:,})",
            "contract": contract,
            "evidence": made.evidence,
            "source": made.source,
        }
    )


def show_diff(found: Diff) -> None:
    """Print what became of the rows."""
    print_facts(
        {
            "from": found.before[:SHORT],
            "to": found.after[:SHORT],
            "rows": f"+{found.rows_added:,} ~{found.rows_changed:,} -{found.rows_deleted:,}",
            "columns added": ", ".join(found.columns_added) or None,
            "columns removed": ", ".join(found.columns_removed) or None,
            "cells": ", ".join(f"{name} {n:,}" for name, n in found.cells_changed.items()) or None,
        }
    )
    rows = [
        (
            change.kind,
            ", ".join(f"{name}={value}" for name, value in change.key.items()),
            "; ".join(f"{c.column}: {c.before} → {c.after}" for c in change.cells[:4]),
        )
        for change in found.sample
    ]
    if rows:
        print_table(["row", "key", "cells"], rows, empty="")


def show_report(report: ContractReport) -> None:
    """Print each check of a report."""
    click.echo(f"The contract is {report.verdict}.")
    rows = [
        (
            str(each.verdict),
            each.column or "",
            each.name,
            "" if each.measured is None else f"{each.measured:,.6g}",
            each.expected,
            "; ".join(each.examples),
        )
        for each in report.checks
    ]
    headings = ["verdict", "column", "check", "measured", "expected", "such as"]
    print_table(headings, rows, empty="No contract is in force, or there are no rows.")


def brief(value: object) -> str:
    """Return a value as a table shows it."""
    return "" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


def brief_head(app: App, dataset: Dataset) -> tuple[str, object, str]:
    """Return the commit that `main` is at, its rows and its verdict; nothing before the first."""
    at_main = [each for each in app.datasets.list_branches(dataset.name) if each.name == "main"]
    if not at_main:
        return "", "", ""
    made = app.datasets.resolve(dataset.name, at_main[0].commit)
    return made.id[:SHORT], made.rows, str(made.contract)
