"""`trivet ask`."""

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_json
from trivet.kernel.durations import format_duration
from trivet.scorecard import Answers, Link, answers


@click.command()
@as_json
@with_app
def ask(app: App, as_json: bool) -> None:
    """Answer the three questions from facts: Velocity, Validation, Versioning.

    \b
    Example:
      trivet ask
    """
    app.ledger.seal()
    found = answers(app, on_call=app.settings.on_call)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: Answers) -> None:
    console = Console()
    _say(console, "Velocity: which link to production is the slowest?", found.velocity.summary)
    for release in found.velocity.releases[:1]:
        console.print(_path(release.model, release.links, release.seconds))
    _say(
        console,
        "Validation: if the model broke at 3 a.m., who would know, and how fast are we back?",
        found.validation.summary,
    )
    _print_incidents(console, found)
    _say(
        console,
        "Versioning: can the result of six months ago be reproduced, exactly?",
        found.versioning.summary,
    )
    for certificate in found.versioning.certificates[:5]:
        console.print(
            Text(f"  {certificate.verdict}  {certificate.subject}  {certificate.evidence}")
        )
    if found.versioning.never_tried:
        console.print(Text(f"  never tried: {', '.join(found.versioning.never_tried)}", "dim"))
    _say(console, "Delivery (DORA)", _delivery(found))


def _say(console: Console, question: str, answer: str) -> None:
    console.print(Text(question, style="bold"))
    console.print(Text(f"  {answer}"))


def _path(model: str, links: tuple[Link, ...], seconds: float) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(f"  {model}")
    table.add_column("took", justify="right")
    table.add_column("from")
    for link in links:
        table.add_row(f"  {link.name}", format_duration(link.seconds), link.ref)
    table.add_row("  in all", format_duration(seconds), "", style="bold")
    return table


def _print_incidents(console: Console, found: Answers) -> None:
    for incident in found.validation.incidents[:5]:
        back = incident.alert_to_rollback_seconds
        mended = incident.alert_to_repair_seconds
        parts = [f"harm to alert {format_duration(incident.harm_to_alert_seconds)}"]
        if back is not None:
            parts.append(f"alert to rollback {format_duration(max(0.0, back))}")
        if mended is not None:
            parts.append(f"alert to repair {format_duration(mended)}")
        console.print(Text(f"  {incident.rule}: {', '.join(parts)}  {incident.alert}"))
    for rule in found.validation.precision:
        if rule.share is not None:
            said = (
                f"  precision of {rule.rule}: {rule.share:.2f} ({rule.low:.2f} to {rule.high:.2f})"
            )
            console.print(Text(said))


def _delivery(found: Answers) -> str:
    figures = found.delivery
    if not figures.releases:
        return "No release has ended yet."
    parts = [f"{figures.releases} releases, {figures.failed} of them rolled back"]
    if figures.per_day is not None:
        parts.append(f"{figures.per_day:.1f} a day")
    if figures.lead_seconds is not None:
        parts.append(f"lead time {format_duration(figures.lead_seconds)}")
    if figures.recovery_seconds is not None:
        parts.append(f"recovery {format_duration(figures.recovery_seconds)}")
    return "; ".join(parts) + "."
