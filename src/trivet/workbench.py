"""The verbs behind `import trivet`: what a notebook, a script or a pipeline calls.

Each is a function over the current app: the one that `open` opened, or else the home that
`TRIVET_HOME` or `trivet.yaml` names, `.trivet` by default. Inside a run, what is read becomes its
lineage, and what is logged becomes the run's.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from trivet.current import current_app
from trivet.data import Commit, DatasetNotFound, WriteMode, require_green
from trivet.features import (
    FeaturePlan,
    FeatureService,
    FeatureView,
    make_plan,
    plan_from_json,
)
from trivet.features import materialize as fill_online
from trivet.features import training_set as join_training_set
from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Kind, Ref
from trivet.lookup import resolve
from trivet.registry import ModelVersion, NewVersion
from trivet.rollout import Rollout, RolloutSpec, Strategy
from trivet.rollout import deploy as deploy_version
from trivet.tracking import current_run

Definition = TypeVar("Definition", FeatureView, FeatureService)
Planned = str | FeaturePlan | Mapping[str, Any]
"""A service by name or ref (`delay`, `features:delay@2`), or a plan, or a plan as JSON."""


class ArrowTable(Protocol):
    """Any frame that can hand itself over as Arrow: pandas, Polars, DuckDB, PyArrow."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


def commit(
    dataset: str,
    frame: ArrowTable,
    *,
    key: str | Sequence[str] | None = None,
    event_time: str | None = None,
    message: str = "",
    branch: str = "main",
    mode: WriteMode = "upsert",
) -> Commit:
    """Write the frame's rows to a dataset, and return the commit.

    Args:
        dataset: The dataset's name; it is created on the first commit, which needs `key`.
        frame: A pandas or Polars frame, an Arrow table, or anything else that speaks Arrow.
        key: The columns that identify a row.
        event_time: The column that says when a row became true.
        message: Why.
        branch: Where to.
        mode: `upsert` by key, `append`, `replace` everything, or `delete` by key.

    Raises:
        ContractViolated: The branch is protected and the rows break the contract.
    """
    app = current_app()
    try:
        app.datasets.get(dataset)
    except DatasetNotFound:
        if key is None:
            raise
        columns = (key,) if isinstance(key, str) else tuple(key)
        app.datasets.create(dataset, key=columns, event_time=event_time)
    run = current_run()
    made = app.datasets.commit(
        dataset,
        pa.table(frame),
        message=message or f"Commit from Python to {branch}",
        branch=branch,
        mode=mode,
        source=run.run.ref if run else None,
    )
    if run:
        run.link_output(made.ref, "commit")
    return made


def read(ref: str, *, columns: list[str] | None = None, where: str | None = None) -> pa.Table:
    """Return the rows of `dataset:flights@main`, or of any other commit.

    Raises:
        RedDataset: It is read inside a run, and its contract is red (I9).
    """
    app = current_app()
    found = find_commit(ref)
    run = current_run()
    if run:
        require_green(app.datasets, found.ref)
        run.link_input(found.ref, "data")
    return app.datasets.read(found.dataset, found.id, columns=columns, where=where)


def find_commit(ref: str) -> Commit:
    """Return the commit that a dataset's ref names at this moment."""
    parsed = Ref.parse(ref)
    if parsed.kind is not Kind.DATASET:
        raise InvalidInput(f"{ref!r} is no dataset; write 'dataset:flights@main'.")
    return current_app().datasets.resolve(parsed.name, parsed.version or "main")


def apply(*definitions: Definition) -> list[Definition]:
    """Make feature views and services the current ones of their names; return them versioned."""
    features = current_app().features
    return [features.apply(definition) for definition in definitions]


def materialize(*views: str, until: datetime, at: str = "main") -> int:
    """Fill the online store with the newest rows known by `until`; return how many."""
    app = current_app()
    rows = 0
    for name in views:
        view = app.features.get_view(name)
        source = app.datasets.resolve(view.source, at)
        written = fill_online(view, app.datasets.read(view.source, source.id), app.online, until)
        app.features.record_materialization(view, source.ref, rows=written, until=until)
        rows += written
    return rows


def training_set(
    service: Planned,
    labels: pa.Table,
    *,
    event_time: str,
    sources: Mapping[str, str] | None = None,
) -> pa.Table:
    """Return the labels with the service's features beside them, as known at each one's time.

    Args:
        service: The feature service, or its plan. A step that is cached should be handed the
            plan: it fixes the views' versions, so that a change of a view is a change of input.
        labels: Entity columns, event time, request columns and labels.
        event_time: The labels' time column.
        sources: The commit to read each source dataset at, `{"weather": "dataset:weather@…"}`;
            the head of `main` where it is not named.
    """
    app = current_app()
    fixed = plan(service)
    refs = [Ref.parse(ref) for ref in fixed.view_refs]
    views = [app.features.get_view(ref.name, int(str(ref.version))) for ref in refs]
    run = current_run()
    if run:
        for view in views:
            run.link_input(view.ref, "features")

    def source(view: FeatureView) -> pa.Table:
        return read((sources or {}).get(view.source, f"dataset:{view.source}@main"))

    return join_training_set(fixed, views, source, labels, event_time=event_time)


def plan(service: Planned) -> FeaturePlan:
    """Return the service with its views fixed to their current versions; a plan is so already.

    A version, as in `features:delay@2`, says which views and features the service takes; which
    versions of the views, only a plan says.
    """
    if isinstance(service, FeaturePlan):
        return service
    if isinstance(service, Mapping):
        return plan_from_json(dict(service))
    app = current_app()
    named = service if service.startswith(f"{Kind.FEATURES}:") else f"{Kind.FEATURES}:{service}"
    ref = resolve(app, Ref.parse(named))
    wanted = app.features.get_service(ref.name, int(str(ref.version)))
    return make_plan(wanted, [app.features.get_view(name) for name, _ in wanted.views])


def register(model: str, content: NewVersion) -> ModelVersion:
    """Register a model version; inside a run it becomes the run's output."""
    version = current_app().models.register(model, content)
    run = current_run()
    if run:
        run.link_output(version.ref, "model")
    return version


def deploy(
    deployment: str,
    model: str,
    *,
    strategy: str = "direct",
    spec: RolloutSpec | None = None,
    force_reason: str | None = None,
) -> Rollout:
    """Release `model:delay@3` under the deployment's name, at once or step by step.

    Args:
        deployment: The name that clients call; made on its first release.
        model: The ref of a model version.
        strategy: `direct` for a first release; `canary` or `shadow` for the later ones.
        spec: The steps and bounds; the strategy's own where None.
        force_reason: Why a version whose gates did not pass is released all the same.
    """
    app = current_app()
    return deploy_version(
        app, deployment, model, strategy=Strategy(strategy), spec=spec, force_reason=force_reason
    )
