"""`trivet alerts …`."""

import click
from rich.console import Console
from rich.markdown import Markdown

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, print_table
from trivet.monitoring import Alert


@click.group()
def alerts() -> None:
    """See what calls for action, and say what came of it."""


@alerts.command(name="list")
@click.option("--deployment", help="Only those of one deployment.")
@click.option("--all", "everything", is_flag=True, help="Closed ones too.")
@click.option("--limit", default=50, show_default=True)
@as_json
@with_app
def list_(app: App, deployment: str | None, everything: bool, limit: int, as_json: bool) -> None:
    """List alerts, newest first; the open ones unless --all is given.

    \b
    Example:
      trivet alerts list --all
    """
    found = app.alerts.list_alerts(deployment=deployment, open_only=not everything, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ["id", "opened", "deployment", "rule", "status", "summary"],
        [
            (alert.id, alert.opened_at, alert.deployment, alert.rule, alert.status, alert.summary)
            for alert in found
        ],
        empty="No alerts are open. 'trivet alerts list --all' shows closed ones.",
    )


@alerts.command()
@click.argument("alert_id")
@as_json
@with_app
def show(app: App, alert_id: str, as_json: bool) -> None:
    """Show one alert: evidence, sample predictions, playbook and clocks.

    \b
    Example:
      trivet alerts show 0198
    """
    alert = app.alerts.get(_bare(alert_id))
    if as_json:
        print_json(alert)
        return
    _print(alert)


def _print(alert: Alert) -> None:
    print_facts(
        {
            "id": alert.id,
            "deployment": alert.deployment,
            "rule": alert.rule,
            "severity": alert.severity,
            "status": alert.status,
            "summary": alert.summary,
            "evidence": f"evidence:{alert.evidence}",
            "samples": ", ".join(f"prediction:{sample}" for sample in alert.samples) or None,
            "harm at": alert.harm_at,
            "opened": alert.opened_at,
            "triage by": alert.triage_due_at,
            "triaged": alert.triaged_at,
            "resolve by": alert.resolve_due_at,
            "closed": alert.closed_at,
            "action": alert.action or None,
        }
    )
    console = Console()
    console.print()
    console.print(Markdown(alert.playbook))


@alerts.command()
@click.argument("alert_id")
@as_json
@with_app
def triage(app: App, alert_id: str, as_json: bool) -> None:
    """Say that you are looking at it; the first clock stops.

    \b
    Example:
      trivet alerts triage 0198
    """
    _tell(app.alerts.triage(_bare(alert_id)), as_json)


@alerts.command()
@click.argument("alert_id")
@click.option("--action", default="", help="What was done about it.")
@as_json
@with_app
def confirm(app: App, alert_id: str, action: str, as_json: bool) -> None:
    """Close it: there was harm.

    Where the deployment's repair level is 'ask', this lets control repair it.

    \b
    Example:
      trivet alerts confirm 0198 --action "rolled back"
    """
    _tell(app.alerts.confirm(_bare(alert_id), action=action), as_json)


@alerts.command()
@click.argument("alert_id")
@click.option("--reason", required=True, help="Why there was none.")
@as_json
@with_app
def dismiss(app: App, alert_id: str, reason: str, as_json: bool) -> None:
    """Close it: there was no harm. It counts against the rule's precision.

    \b
    Example:
      trivet alerts dismiss 0198 --reason "a load test"
    """
    _tell(app.alerts.dismiss(_bare(alert_id), reason=reason), as_json)


@alerts.command()
@as_json
@with_app
def precision(app: App, as_json: bool) -> None:
    """Show, by rule, how many of the closed alerts were confirmed.

    \b
    Example:
      trivet alerts precision
    """
    found = app.alerts.precision()
    if as_json:
        print_json(found)
        return
    print_table(
        ["rule", "confirmed", "dismissed", "precision", "95 % from", "to"],
        [(p.rule, p.confirmed, p.dismissed, p.share, p.low, p.high) for p in found],
        empty="No alert has been closed yet. 'trivet alerts confirm' or 'dismiss' closes one.",
    )


def _tell(alert: Alert, as_json: bool) -> None:
    if as_json:
        print_json(alert)
    else:
        click.echo(f"Alert {alert.id} is {alert.status}.")


def _bare(alert_id: str) -> str:
    return alert_id.removeprefix("alert:")
