"""`trivet why REF`."""

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_json, print_table
from trivet.kernel.refs import Kind, Ref
from trivet.ledger.reasons import find_reasons
from trivet.lookup import look_up, resolve


@click.command()
@click.argument("ref")
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 1000))
@as_json
@with_app
def why(app: App, ref: str, limit: int, as_json: bool) -> None:
    """Show why REF is as it is: what happened to it and on what evidence, newest first.

    \b
    Example:
      trivet why model:delay@champion
    """
    refs = _refs(app, Ref.parse(ref))
    found = find_reasons(app.ledger, refs, limit=limit)
    if as_json:
        print_json({"refs": refs, "reasons": found})
        return
    print_table(
        ["at", "who", "about", "what", "why", "evidence"],
        [
            (
                reason.at,
                reason.actor,
                _short(reason.subject),
                reason.verdict or reason.kind,
                reason.sentence,
                reason.evidence or "",
            )
            for reason in found
        ],
        empty=f"Nothing is recorded about {ref}. 'trivet ledger list' shows what is.",
    )


def _refs(app: App, ref: Ref) -> list[str]:
    """Return the refs whose facts tell of what was asked for, which must be there."""
    if ref.kind in _WITHOUT_RECORD:
        return [str(ref)]
    found = look_up(app, ref)
    match ref.kind:
        case Kind.ALERT:
            return [found.ref]
        case Kind.EVIDENCE:
            return [found.subject]
        case Kind.PREDICTION:
            deployment = f"{Kind.DEPLOYMENT}:{found.deployment}"
            return [f"{deployment}#{found.revision}", deployment]
        case Kind.DATASET | Kind.FEATURES | Kind.MODEL | Kind.DEPLOYMENT if ref.version is None:
            return [str(ref), f"{ref}{'#' if ref.kind is Kind.DEPLOYMENT else '@'}*"]
        case _:
            return list(dict.fromkeys([str(ref), str(resolve(app, ref))]))


_WITHOUT_RECORD = (Kind.PIPELINE, Kind.GATEWAY, Kind.BLOB)
"""Kinds that are only ever named in facts."""


def _short(subject: str) -> str:
    name, mark, version = subject.partition("@")
    return f"{name}{mark}{version[:12]}"
