"""`trivet experiments …`."""

from collections.abc import Sequence

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, print_table
from trivet.tracking import Experiment, Outcome

_OUTCOMES = [str(outcome) for outcome in Outcome if outcome is not Outcome.OPEN]


@click.group()
def experiments() -> None:
    """State lines of inquiry, and what became of them."""


@experiments.command(name="list")
@as_json
@with_app
def list_(app: App, as_json: bool) -> None:
    """List experiments by name.

    \b
    Example:
      trivet experiments list
    """
    found = app.experiments.list_experiments()
    if as_json:
        print_json(found)
        return
    print_table(
        ["name", "outcome", "owner", "created", "objective"],
        [(e.name, e.outcome, e.owner, e.created_at, e.objective) for e in found],
        empty="No experiments yet. 'trivet experiments create' states one.",
    )


@experiments.command()
@click.argument("name")
@click.option("--objective", default="", help="What is to be reached.")
@click.option("--hypothesis", default="", help="What is believed to reach it.")
@click.option("--owner", default="", help="Who answers for it; you by default.")
@click.option("--kill", "kill_criteria", multiple=True, help="When to give up; repeatable.")
@as_json
@with_app
def create(
    app: App,
    name: str,
    objective: str,
    hypothesis: str,
    owner: str,
    kill_criteria: Sequence[str],
    as_json: bool,
) -> None:
    """Create an experiment; one of the same name that exists is left as it is.

    \b
    Example:
      trivet experiments create delay --objective "AUC of 0.75" --kill "below 0.7 after a week"
    """
    experiment = app.experiments.create_experiment(
        name,
        objective=objective,
        hypothesis=hypothesis,
        owner=owner,
        kill_criteria=kill_criteria,
    )
    _print(experiment, as_json)


@experiments.command()
@click.argument("name")
@as_json
@with_app
def show(app: App, name: str, as_json: bool) -> None:
    """Show an experiment.

    \b
    Example:
      trivet experiments show delay
    """
    _print(app.experiments.get_experiment(name), as_json)


@experiments.command()
@click.argument("name")
@click.argument("outcome", type=click.Choice(_OUTCOMES))
@click.option("--reason", required=True, help="Why it came to that.")
@as_json
@with_app
def conclude(app: App, name: str, outcome: str, reason: str, as_json: bool) -> None:
    """Record what became of the hypothesis, once and for all.

    \b
    Example:
      trivet experiments conclude delay supported --reason "AUC 0.76 on two months"
    """
    _print(app.experiments.conclude(name, Outcome(outcome), reason), as_json)


def _print(experiment: Experiment, as_json: bool) -> None:
    if as_json:
        print_json(experiment)
        return
    print_facts(
        {
            "name": experiment.name,
            "objective": experiment.objective or None,
            "hypothesis": experiment.hypothesis or None,
            "owner": experiment.owner,
            "created": experiment.created_at,
            "kill criteria": "; ".join(experiment.kill_criteria) or None,
            "outcome": experiment.outcome,
            "reason": experiment.outcome_reason or None,
        }
    )
