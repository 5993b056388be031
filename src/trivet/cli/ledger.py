"""`trivet ledger …`."""

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, print_table
from trivet.ledger import LedgerTampered


@click.group()
def ledger() -> None:
    """Read, seal and verify the ledger."""


@ledger.command(name="list")
@click.option("--subject", help="A ref; '*' at the end matches any rest.")
@click.option("--kind", help="A kind of fact, such as 'rollout.*'.")
@click.option("--limit", default=50, show_default=True)
@as_json
@with_app
def list_(app: App, subject: str | None, kind: str | None, limit: int, as_json: bool) -> None:
    """List facts, newest first.

    \b
    Example:
      trivet ledger list --subject 'model:delay*'
    """
    facts = app.ledger.list_facts(subject=subject, kind=kind, limit=limit, newest_first=True)
    if as_json:
        print_json(facts)
        return
    print_table(
        ["seq", "at", "actor", "kind", "subject"],
        [(fact.seq, fact.at, fact.actor, fact.kind, fact.subject) for fact in facts],
        empty="No facts yet. 'trivet data commit' records the first ones.",
    )


@ledger.command()
@as_json
@with_app
def verify(app: App, as_json: bool) -> None:
    """Recompute every digest and every seal; exit 1 if anything was changed.

    \b
    Example:
      trivet ledger verify
    """
    app.ledger.seal()
    found = app.ledger.verify()
    if as_json:
        print_json(
            {
                **{name: getattr(found, name) for name in ("facts", "seals", "unsealed")},
                "intact": found.is_intact,
                "problems": list(found.problems),
            }
        )
    else:
        state = "passed" if found.is_intact else "failed"
        print_facts({"facts": found.facts, "seals": found.seals, "verification": state})
    if not found.is_intact:
        raise LedgerTampered(found.problems)
