"""`trivet rollback`."""

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json
from trivet.kernel.clock import stopwatch
from trivet.kernel.durations import format_duration
from trivet.rollout import confirmation_of, wait_for_gateways
from trivet.rollout import rollback as roll_back


@click.command()
@click.argument("deployment")
@click.option("--to", type=int, help="The revision's number; the one before by default.")
@click.option("--reason", default="", help="Why; it is recorded.")
@click.option("--timeout", default=30.0, show_default=True, help="Seconds to wait for gateways.")
@as_json
@with_app
def rollback(
    app: App, deployment: str, to: int | None, reason: str, timeout: float, as_json: bool
) -> None:
    """Go back to the revision before, and wait until every gateway serves it.

    \b
    Example:
      trivet rollback delay --reason "wrong answers for UA"
    """
    began = stopwatch()
    table = roll_back(app, deployment, to=to, reason=reason)
    seconds = None
    if confirmation_of(app, deployment).gateways:
        wait_for_gateways(app, deployment, timeout_seconds=timeout)
        seconds = stopwatch() - began
    revision = app.deployments.get_revision(deployment, table.stable)
    facts = {
        "deployment": deployment,
        "revision": revision.number,
        "model": revision.model,
        "generation": table.generation,
    }
    if as_json:
        print_json({**facts, "seconds": seconds})
        return
    confirmed = "no gateway is up" if seconds is None else f"after {format_duration(seconds)}"
    print_facts({**facts, "confirmed": confirmed})
