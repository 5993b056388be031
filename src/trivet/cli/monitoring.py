"""`trivet monitoring …`."""

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, print_table
from trivet.monitoring import Period, Point, series


@click.group()
def monitoring() -> None:
    """See how deployments do."""


@monitoring.command()
@click.argument("deployment")
@click.option(
    "--by", type=click.Choice(["hour", "day", "week"]), default="week", show_default=True
)
@click.option("--slice", "slice_", default="", help="One slice, such as 'carrier=UA'.")
@click.option("--revision", type=int, help="One revision; all that answered by default.")
@as_json
@with_app
def show(
    app: App, deployment: str, by: Period, slice_: str, revision: int | None, as_json: bool
) -> None:
    """Show accuracy, log loss and errors over event time, and what each rule says.

    \b
    Example:
      trivet monitoring show delay --by week --slice carrier=UA
    """
    app.deployments.get_deployment(deployment)
    windows = app.windows.query(deployment, slice=slice_, revision=revision)
    points = series(windows, by)
    states = app.alerts.list_states(deployment)
    if as_json:
        print_json({"deployment": deployment, "slice": slice_, "points": points, "rules": states})
        return
    print_table(
        [by, "requests", "labelled", "accuracy", "±", "log loss", "errors"],
        [_row(point) for point in points],
        empty="Nothing was asked yet. 'trivet gateway' answers predictions.",
    )
    click.echo()
    print_facts({state.rule: f"{state.verdict}: {state.summary}" for state in states})


@monitoring.command()
@click.argument("deployment")
@click.option("--revision", type=int, help="One revision; all that answered by default.")
@as_json
@with_app
def slices(app: App, deployment: str, revision: int | None, as_json: bool) -> None:
    """Show every slice since the first answer, the worst accuracy first.

    \b
    Example:
      trivet monitoring slices delay
    """
    app.deployments.get_deployment(deployment)
    sums = app.windows.slice_totals(deployment, revision=revision)
    rows = sorted(
        (
            (name or "all", t.requests, t.labelled, t.accuracy, t.log_loss)
            for name, t in sums.items()
        ),
        key=lambda row: 1.0 if row[3] is None else row[3],
    )
    names = ["slice", "requests", "labelled", "accuracy", "log_loss"]
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    print_table(names, [_known(row) for row in rows], empty="Nothing was asked yet.")


def _row(point: Point) -> tuple[object, ...]:
    half = (
        (point.accuracy_high - point.accuracy_low) / 2
        if point.accuracy_low is not None and point.accuracy_high is not None
        else None
    )
    tally = point.tally
    return _known(
        (
            f"{point.start:%Y-%m-%d %H:%M}".removesuffix(" 00:00"),
            tally.requests,
            tally.labelled,
            point.accuracy,
            half,
            point.log_loss,
            tally.errors + tally.invalid,
        )
    )


def _known(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return the row with a dash for what is not known."""
    return tuple("-" if value is None else value for value in row)
