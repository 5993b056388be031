"""`trivet data …`."""

from pathlib import Path
from typing import Any, get_args

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.data_contract import contract
from trivet.cli.data_files import read_rows
from trivet.cli.data_views import SHORT, brief, brief_head, show_commit, show_diff
from trivet.cli.output import as_json, print_json, print_table
from trivet.data import (
    DatasetNotFound,
    MergeConflicts,
    WriteMode,
    diff_commits,
    merge_branch,
    profile_commit,
    quarantine,
    revert_branch,
    verify_commit,
)

_AT = click.option(
    "--at", default="main", show_default=True, help="A branch, a tag, or the start of a commit."
)
_MESSAGE = click.option("-m", "--message", default="", help="Why, in one line.")


@click.group()
def data() -> None:
    """Commit, branch, diff, merge and check datasets."""


@data.command(name="list")
@as_json
@with_app
def list_(app: App, as_json: bool) -> None:
    """List the datasets.

    \b
    Example:
      trivet data list
    """
    listed = app.datasets.list_datasets()
    if as_json:
        print_json(listed)
        return
    rows = [
        (each.name, " · ".join(each.key), each.event_time or "", *brief_head(app, each))
        for each in listed
    ]
    print_table(
        ["dataset", "key", "event time", "main", "rows", "contract"],
        rows,
        empty="No datasets yet. 'trivet data create' makes the first.",
    )


@data.command()
@click.argument("name")
@click.option("--key", required=True, help="The key's columns, with commas between.")
@click.option("--event-time", help="The column that says when a row happened.")
@click.option("--description", default="", help="What a row is.")
@click.option("--owner", default="", help="Who answers for it; you, if not given.")
@as_json
@with_app
def create(
    app: App,
    name: str,
    key: str,
    event_time: str | None,
    description: str,
    owner: str,
    as_json: bool,
) -> None:
    """Make a dataset, without rows yet.

    \b
    Example:
      trivet data create orders --key order_id --event-time ordered_at
    """
    made = app.datasets.create(
        name,
        key=tuple(column.strip() for column in key.split(",")),
        event_time=event_time,
        description=description,
        owner=owner,
    )
    print_json(made) if as_json else click.echo(f"Made dataset:{made.name}.")


@data.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--branch", default="main", show_default=True, help="The branch that takes it.")
@click.option(
    "--mode", type=click.Choice(get_args(WriteMode)), default="upsert", show_default=True
)
@click.option("--key", help="Make the dataset with this key if it is not there yet.")
@click.option("--event-time", help="The event-time column of a dataset made so.")
@_MESSAGE
@as_json
@with_app
def commit(
    app: App,
    name: str,
    file: Path,
    branch: str,
    mode: WriteMode,
    key: str | None,
    event_time: str | None,
    message: str,
    as_json: bool,
) -> None:
    """Commit the rows of a CSV, Parquet or JSON-lines file.

    \b
    Example:
      trivet data commit orders january.parquet -m "Orders of January"
    """
    if key is not None:
        _ensure(app, name, key, event_time)
    rows = read_rows(file)
    said = message or f"Commit {file.name}"
    made = app.datasets.commit(name, rows, message=said, branch=branch, mode=mode)
    show_commit(made, as_json)


@data.command()
@click.argument("name")
@_AT
@click.option("--limit", default=20, show_default=True, help="How many commits.")
@as_json
@with_app
def log(app: App, name: str, at: str, limit: int, as_json: bool) -> None:
    """Show a commit and what came before it, newest first.

    \b
    Example:
      trivet data log flights --limit 5
    """
    commits = app.datasets.log(name, at, limit)
    if as_json:
        print_json(commits)
        return
    print_table(
        ["commit", "at", "author", "change", "rows", "+", "~", "-", "contract", "message"],
        [
            (
                each.id[:SHORT],
                each.at,
                each.author,
                str(each.change),
                each.rows,
                each.rows_added,
                each.rows_changed,
                each.rows_deleted,
                str(each.contract),
                each.message,
            )
            for each in commits
        ],
        empty="No commits yet.",
    )


@data.command()
@click.argument("name")
@_AT
@click.option("--rows", default=10, show_default=True, help="How many rows to show.")
@click.option("--where", help="Only rows that meet this SQL condition.")
@as_json
@with_app
def show(app: App, name: str, at: str, rows: int, where: str | None, as_json: bool) -> None:
    """Show a commit and its first rows.

    \b
    Example:
      trivet data show flights --where "carrier = 'UA'" --rows 5
    """
    made = app.datasets.resolve(name, at)
    head = app.datasets.read(name, made.id, where=where or "TRUE").slice(0, rows).to_pylist()
    if as_json:
        print_json({"commit": made, "rows": head})
        return
    show_commit(made, False)
    names = [column.name for column in made.schema]
    print_table(names, [[row[each] for each in names] for row in head], empty="No such rows.")


@data.command()
@click.argument("name")
@click.argument("before")
@click.argument("after", default="main")
@click.option("--sample", default=12, show_default=True, help="How many rows to show.")
@as_json
@with_app
def diff(app: App, name: str, before: str, after: str, sample: int, as_json: bool) -> None:
    """Show what became of the rows between two commits.

    \b
    Example:
      trivet data diff flights 4f0c main
    """
    found = diff_commits(app.datasets, name, before, after, sample=sample)
    print_json(found) if as_json else show_diff(found)


@data.command()
@click.argument("name")
@_AT
@as_json
@with_app
def profile(app: App, name: str, at: str, as_json: bool) -> None:
    """Show what each column looks like.

    \b
    Example:
      trivet data profile flights
    """
    columns = profile_commit(app.datasets, name, at)
    if as_json:
        print_json(columns)
        return
    print_table(
        ["column", "type", "nulls", "distinct", "min", "median", "max", "mean", "most often"],
        [
            (
                each.name,
                each.type,
                f"{each.nulls / each.rows:.1%}" if each.rows else "",
                each.distinct,
                brief(each.min),
                brief(each.quantiles[2] if len(each.quantiles) == 5 else None),
                brief(each.max),
                brief(each.mean),
                " ".join(value for value, _rows in each.top[:3]),
            )
            for each in columns
        ],
        empty="No columns.",
    )


@data.command()
@click.argument("name")
@as_json
@with_app
def branches(app: App, name: str, as_json: bool) -> None:
    """List the branches and tags of a dataset.

    \b
    Example:
      trivet data branches flights
    """
    listed, tags = app.datasets.list_branches(name), app.datasets.list_tags(name)
    if as_json:
        print_json({"branches": listed, "tags": tags})
        return
    rows = [(each.name, "branch", each.commit[:SHORT], each.protected) for each in listed]
    rows += [(each.name, "tag", each.commit[:SHORT], True) for each in tags]
    print_table(["name", "kind", "commit", "protected"], rows, empty="No commits yet.")


@data.command()
@click.argument("name")
@click.argument("branch")
@_AT
@with_app
def branch(app: App, name: str, branch: str, at: str) -> None:
    """Point a new branch at a commit.

    \b
    Example:
      trivet data branch flights relabel --at main
    """
    made = app.datasets.create_branch(name, branch, at=at)
    click.echo(f"Branch {made.name!r} of {name!r} is at {made.commit[:SHORT]}.")


@data.command()
@click.argument("name")
@click.argument("tag")
@_AT
@with_app
def tag(app: App, name: str, tag: str, at: str) -> None:
    """Give a commit a name that never moves.

    \b
    Example:
      trivet data tag flights v1
    """
    made = app.datasets.tag(name, tag, at=at)
    click.echo(f"Tag {made.name!r} of {name!r} is at {made.commit[:SHORT]}.")


@data.command()
@click.argument("name")
@click.argument("source")
@click.option("--into", default="main", show_default=True, help="The branch that takes it.")
@click.option(
    "--resolve", type=click.Choice(["ours", "theirs"]), help="Who wins where both changed a cell."
)
@_MESSAGE
@as_json
@with_app
def merge(
    app: App, name: str, source: str, into: str, resolve: Any, message: str, as_json: bool
) -> None:
    """Merge a branch, a tag or a commit into a branch, row by row and cell by cell.

    \b
    Example:
      trivet data merge flights relabel --into main
    """
    try:
        made = merge_branch(app.datasets, name, source, into, resolve=resolve, message=message)
    except MergeConflicts as error:
        click.echo("\n".join(each.sentence for each in error.conflicts), err=True)
        raise
    show_commit(made, as_json)


@data.command()
@click.argument("name")
@click.argument("to")
@click.option("--branch", default="main", show_default=True, help="The branch that goes back.")
@_MESSAGE
@as_json
@with_app
def revert(app: App, name: str, to: str, branch: str, message: str, as_json: bool) -> None:
    """Make a branch read as an earlier commit did, by a new commit.

    \b
    Example:
      trivet data revert flights 4f0c -m "The relabelling was wrong"
    """
    show_commit(revert_branch(app.datasets, name, branch, to, message=message), as_json)


@data.command()
@click.argument("name")
@_AT
@as_json
@with_app
def verify(app: App, name: str, at: str, as_json: bool) -> None:
    """Read every row of a commit and check that they are those that were committed.

    \b
    Example:
      trivet data verify flights --at v1
    """
    made = verify_commit(app.datasets, name, at)
    if as_json:
        print_json({"ref": made.ref, "rows": made.rows, "intact": True})
        return
    click.echo(f"The {made.rows:,} rows of {made.ref} are those that were committed.")


@data.command(name="quarantine")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--evidence", help="The id of the evidence against the rows.")
@_MESSAGE
@as_json
@with_app
def quarantine_(
    app: App, name: str, file: Path, evidence: str | None, message: str, as_json: bool
) -> None:
    """Put rows aside on a branch of their own, where nothing is trained on them.

    \b
    Example:
      trivet data quarantine flights week27.csv -m "Times are in the wrong unit"
    """
    said = message or f"Put {file.name} aside"
    branch, made = quarantine(app.datasets, name, read_rows(file), message=said, evidence=evidence)
    if as_json:
        print_json({"branch": branch, "commit": made})
        return
    click.echo(f"The rows are on branch {branch!r}.")
    show_commit(made, False)


data.add_command(contract)


def _ensure(app: App, name: str, key: str, event_time: str | None) -> None:
    try:
        app.datasets.get(name)
    except DatasetNotFound:
        columns = tuple(column.strip() for column in key.split(","))
        app.datasets.create(name, key=columns, event_time=event_time)
