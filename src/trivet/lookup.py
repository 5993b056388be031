"""What a ref names, whatever its kind: one table of kinds for the CLI, the API and the pages."""

from collections.abc import Callable
from typing import Any

from trivet.app import App
from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Kind, Ref
from trivet.serving import find_prediction
from trivet.tracking import RunId


def resolve(app: App, ref: Ref) -> Ref:
    """Return the ref with a version in place of a pointer such as `@main` or `@champion`."""
    match ref.kind:
        case Kind.DATASET:
            return Ref(
                ref.kind, ref.name, app.datasets.resolve(ref.name, ref.version or "main").id
            )
        case Kind.MODEL if ref.version is not None:
            found = app.models.get_version(ref.name, _number_or_alias(ref.version))
            return Ref(ref.kind, ref.name, str(found.version))
        case Kind.FEATURES:
            return Ref(ref.kind, ref.name, str(app.features.get(ref.name, _number(ref)).version))
        case Kind.RUN:
            return Ref(ref.kind, app.runs.get_run(RunId(ref.name)).id)
        case _:
            return ref


def look_up(app: App, ref: Ref) -> Any:
    """Return the record that `ref` names.

    Raises:
        NotFound: There is no such thing.
        InvalidInput: Things of this kind have no record of their own.
    """
    found = _FINDERS.get(ref.kind)
    if found is None:
        raise InvalidInput(f"{str(ref)!r} has no record to show; try 'trivet ledger list'.")
    return found(app, ref)


def _number(ref: Ref) -> int | None:
    if ref.version is not None and not ref.version.isdecimal():
        raise InvalidInput(f"{str(ref)!r}: {ref.version!r} is no number of a version.")
    return None if ref.version is None else int(ref.version)


def _number_or_alias(version: str) -> int | str:
    return int(version) if version.isdecimal() else version


def _dataset(app: App, ref: Ref) -> Any:
    return app.datasets.resolve(ref.name, ref.version or "main")


def _features(app: App, ref: Ref) -> Any:
    return app.features.get(ref.name, _number(ref))


def _run(app: App, ref: Ref) -> Any:
    run = app.runs.get_run(RunId(ref.name))
    return {"run": run, "data": app.runs.get_data(run.id)}


def _model(app: App, ref: Ref) -> Any:
    if ref.version is None:
        return {
            "model": app.models.get_model(ref.name),
            "versions": [version.ref for version in app.models.list_versions(ref.name)],
            "aliases": app.models.list_aliases(ref.name),
        }
    return app.models.get_version(ref.name, _number_or_alias(ref.version))


def _deployment(app: App, ref: Ref) -> Any:
    revision = _number(ref)
    if revision is not None:
        return app.deployments.get_revision(ref.name, revision)
    return {
        "deployment": app.deployments.get_deployment(ref.name),
        "routing": app.routing.find_table(ref.name),
    }


def _prediction(app: App, ref: Ref) -> Any:
    return find_prediction(app.settings.journal, ref.name)


_FINDERS: dict[Kind, Callable[[App, Ref], Any]] = {
    Kind.DATASET: _dataset,
    Kind.FEATURES: _features,
    Kind.EXPERIMENT: lambda app, ref: app.experiments.get_experiment(ref.name),
    Kind.RUN: _run,
    Kind.MODEL: _model,
    Kind.DEPLOYMENT: _deployment,
    Kind.ROLLOUT: lambda app, ref: app.rollouts.get(ref.name),
    Kind.PREDICTION: _prediction,
    Kind.ALERT: lambda app, ref: app.alerts.get(ref.name),
    Kind.EVIDENCE: lambda app, ref: app.ledger.get_evidence(ref.name),
}
