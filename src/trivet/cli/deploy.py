"""`trivet deploy …`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import yaml

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, print_table
from trivet.kernel.clock import sleep, stopwatch
from trivet.kernel.durations import format_duration
from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Ref
from trivet.rollout import (
    Phase,
    Rollout,
    RolloutFailed,
    RolloutSpec,
    RolloutStep,
    RolloutUnfinished,
    Strategy,
    StrategyNotBuilt,
    confirmation_of,
    default_steps,
    latest,
    read_steps,
    wait_for_gateways,
)
from trivet.rollout import abort as abort_rollout
from trivet.rollout import deploy as deploy_version
from trivet.rollout import pause as pause_rollout
from trivet.rollout import promote as promote_rollout
from trivet.rollout import resume as resume_rollout

_POLL_SECONDS = 0.2

_to = click.option("--to", "deployment", help="The deployment; the model's name by default.")
_force = click.option("--force-reason", help="Why to release it although its gates are not green.")
_unit = click.option("--unit", help="For a new deployment: the column whose values stick.")
_steps = click.option("--steps", help="Such as 'shadow:300:100,1:10,10:100:30,50:300:100'.")
_requests = click.option("--min-requests", type=int, help="Answers that each step must see.")
_labels = click.option("--min-labels", type=int, help="Known outcomes that each step must see.")
_wait = click.option("--wait", is_flag=True, help="Return when it is over; exit 1 if it failed.")
_timeout = click.option("--timeout", default=600.0, show_default=True, help="Seconds to wait.")
_reason = click.option("--reason", default="", help="Why; it is recorded.")


@click.group()
def deploy() -> None:
    """Release a model version, all at once or in steps, and watch over it."""


@deploy.command()
@click.argument("model")
@_to
@_unit
@_force
@_wait
@_timeout
@as_json
@with_app
def direct(
    app: App,
    model: str,
    deployment: str | None,
    unit: str | None,
    force_reason: str | None,
    wait: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Let a model version answer everybody at once: the way of a first release.

    \b
    Example:
      trivet deploy direct model:delay@1 --to delay
    """
    name = deployment or Ref.parse(model).name
    rollout = deploy_version(
        app, name, model, strategy="direct", force_reason=force_reason, unit=unit
    )
    seconds = wait_for_gateways(app, name, timeout_seconds=timeout) if wait else None
    _show(app, rollout, as_json, confirmed_seconds=seconds)


@deploy.command()
@click.argument("model")
@_to
@_steps
@_requests
@_labels
@click.option("--no-shadow", is_flag=True, help="Leave the shadow step out: callers see faults.")
@click.option("--alpha", default=0.05, show_default=True, help="Chance of a false abort.")
@_force
@_wait
@_timeout
@as_json
@with_app
def canary(
    app: App,
    model: str,
    deployment: str | None,
    steps: str | None,
    min_requests: int | None,
    min_labels: int | None,
    no_shadow: bool,
    alpha: float,
    force_reason: str | None,
    wait: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Release a model version in steps; harm takes it back, and no data holds it.

    \b
    Example:
      trivet deploy canary model:delay@2 --steps 'shadow:300:100,1:10,10:100:30,50:300:100'
    """
    chosen = _chosen_steps(Strategy.CANARY, steps, min_requests, min_labels)
    if no_shadow:
        chosen = tuple(step for step in chosen if step.weight)
    spec = RolloutSpec(strategy=Strategy.CANARY, steps=chosen, alpha=alpha)
    _release(app, model, deployment, spec, force_reason, wait, timeout, as_json)


@deploy.command()
@click.argument("model")
@_to
@_requests
@_labels
@_force
@as_json
@with_app
def shadow(
    app: App,
    model: str,
    deployment: str | None,
    min_requests: int | None,
    min_labels: int | None,
    force_reason: str | None,
    as_json: bool,
) -> None:
    """Let a model version compute beside the one that answers, until promoted or aborted.

    \b
    Example:
      trivet deploy shadow model:delay@2 --min-requests 1000
    """
    steps = _chosen_steps(Strategy.SHADOW, None, min_requests, min_labels)
    spec = RolloutSpec(strategy=Strategy.SHADOW, steps=steps)
    _release(app, model, deployment, spec, force_reason, False, 0.0, as_json)


@deploy.command(name="list")
@as_json
@with_app
def list_(app: App, as_json: bool) -> None:
    """List deployments, what they serve, and where their newest rollouts stand.

    \b
    Example:
      trivet deploy list
    """
    rows = [_summary(app, deployment.name) for deployment in app.deployments.list_deployments()]
    if as_json:
        print_json(rows)
        return
    columns = ["deployment", "model", "revision", "candidate", "weight", "rollout", "gateways"]
    print_table(
        columns,
        [["-" if row[name] is None else row[name] for name in columns] for row in rows],
        empty="No deployments yet. 'trivet deploy direct model:NAME@1' makes the first.",
    )


@deploy.command()
@click.argument("deployment")
@as_json
@with_app
def show(app: App, deployment: str, as_json: bool) -> None:
    """Show a deployment, its newest rollout, and what the tests say of it.

    \b
    Example:
      trivet deploy show delay
    """
    facts = _summary(app, deployment)
    rollout = latest(app, deployment)
    judged = [app.ledger.get_evidence(evidence) for evidence in rollout.evidence]
    if as_json:
        print_json({**facts, "newest": rollout, "evidence": judged})
        return
    print_facts({**facts, "reason": rollout.reason, "started": rollout.started_at})
    print_table(
        ["at", "judged", "verdict", "summary"],
        [(item.at, item.kind, item.verdict, item.summary) for item in judged],
        empty="Nothing has been judged yet.",
    )


@deploy.command()
@click.argument("deployment")
@_reason
@as_json
@with_app
def promote(app: App, deployment: str, reason: str, as_json: bool) -> None:
    """Make the candidate the stable revision without the steps that are left.

    \b
    Example:
      trivet deploy promote delay --reason "the incident needs it now"
    """
    _show(app, promote_rollout(app, deployment, reason), as_json)


@deploy.command()
@click.argument("deployment")
@_reason
@as_json
@with_app
def abort(app: App, deployment: str, reason: str, as_json: bool) -> None:
    """Take the candidate out of service at once; what is over stays as it is.

    \b
    Example:
      trivet deploy abort delay --reason "support sees odd answers"
    """
    _show(app, abort_rollout(app, deployment, reason), as_json)


@deploy.command()
@click.argument("deployment")
@_reason
@as_json
@with_app
def pause(app: App, deployment: str, reason: str, as_json: bool) -> None:
    """Keep the rollout at its present step; harm still takes it back.

    \b
    Example:
      trivet deploy pause delay
    """
    _show(app, pause_rollout(app, deployment, reason), as_json)


@deploy.command()
@click.argument("deployment")
@_reason
@as_json
@with_app
def resume(app: App, deployment: str, reason: str, as_json: bool) -> None:
    """Let a paused rollout go on.

    \b
    Example:
      trivet deploy resume delay
    """
    _show(app, resume_rollout(app, deployment, reason), as_json)


@deploy.command()
@click.argument("deployment")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
@with_app
def configure(app: App, deployment: str, file: Path, as_json: bool) -> None:
    """Replace a deployment's settings, such as its repair policy, by those of a YAML file.

    \b
    Example:
      trivet deploy configure delay deployment.yaml
    """
    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InvalidInput(f"{file} is not YAML: {error}.") from error
    if not isinstance(settings, dict):
        raise InvalidInput(f"{file} must be a mapping of names to values.")
    configured = app.deployments.configure(deployment, settings)
    if as_json:
        print_json(configured)
    else:
        print_facts({"deployment": configured.name, "settings": ", ".join(configured.settings)})


def _refuse(strategy: str) -> click.Command:
    def refused() -> None:
        raise StrategyNotBuilt(strategy)

    takes_anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(strategy, callback=refused, hidden=True, context_settings=takes_anything)


for _strategy in ("blue-green", "ab"):
    deploy.add_command(_refuse(_strategy))


def _chosen_steps(
    strategy: Strategy, steps: str | None, min_requests: int | None, min_labels: int | None
) -> tuple[RolloutStep, ...]:
    chosen = read_steps(steps) if steps else default_steps(strategy)
    if min_requests is not None:
        chosen = tuple(replace(step, min_requests=min_requests) for step in chosen)
    if min_labels is not None:
        chosen = tuple(replace(step, min_labels=min_labels) for step in chosen)
    return chosen


def _release(
    app: App,
    model: str,
    deployment: str | None,
    spec: RolloutSpec,
    force_reason: str | None,
    wait: bool,
    timeout: float,
    as_json: bool,
) -> None:
    name = deployment or Ref.parse(model).name
    rollout = deploy_version(app, name, model, spec=spec, force_reason=force_reason)
    if wait:
        rollout = _watch(app, rollout, timeout)
    _show(app, rollout, as_json)
    if wait and rollout.phase is not Phase.SUCCEEDED:
        raise RolloutFailed(rollout.id, rollout.phase, rollout.reason)


def _watch(app: App, rollout: Rollout, timeout: float) -> Rollout:
    """Return the rollout once it is over, telling on stderr how it moves."""
    began, said = stopwatch(), ""
    while not rollout.phase.is_final:
        if stopwatch() - began > timeout:
            raise RolloutUnfinished(rollout.id, rollout.phase, rollout.reason)
        sleep(_POLL_SECONDS)
        rollout = app.rollouts.get(rollout.id)
        line = f"{rollout.phase}: {rollout.reason}"
        if line != said:
            click.echo(line, err=True)
            said = line
    return rollout


def _summary(app: App, name: str) -> dict[str, Any]:
    deployment = app.deployments.get_deployment(name)
    table = app.routing.find_table(name)
    rollouts = app.rollouts.list_rollouts(name, limit=1)
    serving = None if table is None else app.deployments.get_revision(name, table.stable)
    said = confirmation_of(app, name)
    return {
        "deployment": deployment.name,
        "model": serving.model if serving else deployment.model,
        "revision": serving.number if serving else None,
        "candidate": table.candidate if table else None,
        "weight": table.weight if table else None,
        "shadow": table.shadow if table else None,
        "generation": table.generation if table else None,
        "rollout": rollouts[0].phase if rollouts else None,
        "gateways": f"{said.gateways - len(said.waiting)} of {said.gateways} confirmed",
    }


def _show(
    app: App, rollout: Rollout, as_json: bool, *, confirmed_seconds: float | None = None
) -> None:
    if as_json:
        print_json({"rollout": rollout, "confirmed_seconds": confirmed_seconds})
        return
    revision = app.deployments.get_revision(rollout.deployment, rollout.candidate)
    steps = rollout.spec.steps
    print_facts(
        {
            "rollout": rollout.ref,
            "revision": revision.ref,
            "model": revision.model,
            "phase": rollout.phase,
            "step": steps[rollout.step].name if steps else None,
            "reason": rollout.reason,
            "confirmed": confirmed_seconds and f"after {format_duration(confirmed_seconds)}",
        }
    )
    if rollout.phase is Phase.PENDING:
        click.echo("It goes on while a controller runs: 'trivet up' or 'trivet controller'.")
