"""`trivet reproduce …`."""

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_json
from trivet.cli.run import report_lost, show_step
from trivet.current import open_workspace, use
from trivet.ledger import Verdict
from trivet.pipelines.errors import Differs
from trivet.pipelines.reproduction import reproduce as reproduce_run
from trivet.tracking import RunId


@click.command()
@click.argument("run")
@as_json
@with_app
def reproduce(app: App, run: str, as_json: bool) -> None:
    """Run a pipeline's run again, compare to the last bit, and write a certificate.

    Exit 1 if anything differs.

    \b
    Example:
      trivet reproduce run:0199a0b2c3d4
    """
    use(app)
    report_lost(app)
    done = reproduce_run(
        RunId(run.removeprefix("run:")),
        workspace=open_workspace(app),
        ledger=app.ledger,
        on_step=show_step,
    )
    if as_json:
        print_json({**done.certificate, "evidence": f"evidence:{done.evidence.id}"})
    else:
        click.echo(done.text)
    if done.evidence.verdict is not Verdict.PASSED:
        raise Differs(done.run.ref, done.differences or (done.evidence.summary,))
