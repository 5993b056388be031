"""Plans and training sets: one plan tells training and serving which numbers a model takes."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.features.columns import times
from trivet.features.definitions import (
    FeaturePlan,
    FeatureService,
    FeatureView,
    PlanInput,
    RequestFeature,
)
from trivet.features.errors import FeatureViewNotFound
from trivet.features.point_in_time import take_values, visible_rows
from trivet.features.request import request_column
from trivet.features.rows import ViewRows, compute_rows
from trivet.kernel.errors import InvalidInput

Sources = Callable[[FeatureView], pa.Table]
"""Returns the source rows of a view."""


def make_plan(service: FeatureService, views: Iterable[FeatureView]) -> FeaturePlan:
    """Return the service with every view fixed to the version given.

    The inputs are the views' features in the service's order, then the request features.

    Raises:
        FeatureViewNotFound: The service names a view that is not among `views`.
        InvalidInput: It names a feature that a view lacks, or two inputs have one name.
    """
    view_of = {view.name: view for view in views}
    inputs: list[PlanInput] = []
    for name, features in service.views:
        if name not in view_of:
            raise FeatureViewNotFound(name)
        inputs += _inputs_of(view_of[name], features)
    inputs += [PlanInput(name=feature.name, request=feature) for feature in service.request]
    names = [item.name for item in inputs]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidInput(
            f"Service {service.name!r} would have two inputs called {', '.join(repeated)}; "
            "rename one of the features."
        )
    return FeaturePlan(service=service.name, inputs=tuple(inputs))


def training_set(
    service: FeatureService | FeaturePlan,
    views: Sequence[FeatureView],
    sources: Sources,
    labels: pa.Table,
    *,
    event_time: str,
) -> pa.Table:
    """Return the labels with the service's inputs beside them, as known at each label's time.

    The inputs come last, in the plan's order, as float32 columns with NaN for missing: what a
    gateway would hand the model. A label column of the same name as a number taken from the
    request is that number already, and is replaced.

    Args:
        service: Which features; a plan says which versions of the views, too.
        views: The views it names, in the versions to use.
        sources: Where each view's rows come from.
        labels: Entity columns, event time, request columns, and the labels themselves.
        event_time: The labels' time column.

    Raises:
        FeatureViewNotFound: A view that is needed is not among `views` in that version.
        InvalidInput: An input has the name of a label column that is something else.
    """
    plan = service if isinstance(service, FeaturePlan) else make_plan(service, views)
    at = times(labels, event_time, "The table of labels")
    view_of = {view.online_name: view for view in views}
    wanted = dict.fromkeys(item.view for item in plan.inputs if item.view is not None)
    for name in wanted:
        if name not in view_of:
            raise FeatureViewNotFound(name)
    places: dict[str, tuple[ViewRows, NDArray[np.int64]]] = {}
    for name in wanted:
        rows = compute_rows(view_of[name], sources(view_of[name]))
        places[name] = rows, visible_rows(labels, at, rows)
    columns = {name: labels.column(name) for name in labels.column_names}
    for item in plan.inputs:
        _refuse_other_column(item, columns)
        columns.pop(item.name, None)
    for item in plan.inputs:
        columns[item.name] = pa.array(_input_column(item, labels, event_time, places))
    return pa.table(columns)


def _input_column(
    item: PlanInput,
    labels: pa.Table,
    event_time: str,
    places: dict[str, tuple[ViewRows, NDArray[np.int64]]],
) -> NDArray[np.float32]:
    if item.request is not None:
        values = request_column(item.request, labels, event_time)
    else:
        rows, place = places[str(item.view)]
        values = take_values(list(rows.values.values())[item.position], place)
    return values.astype(np.float32)


def _refuse_other_column(item: PlanInput, columns: dict[str, pa.ChunkedArray]) -> None:
    if item.name not in columns or _is_that_number(item.request, item.name):
        return
    raise InvalidInput(
        f"The feature {item.name!r} has the name of a label column; rename the feature."
    )


def _is_that_number(request: RequestFeature | None, name: str) -> bool:
    return (
        request is not None
        and request.column == name
        and request.part is None
        and request.vocabulary is None
    )


def _inputs_of(view: FeatureView, features: tuple[str, ...]) -> list[PlanInput]:
    inputs = []
    for feature in features or view.features:
        if feature not in view.features:
            raise InvalidInput(
                f"View {view.name!r} has no feature {feature!r}; "
                f"it has {', '.join(view.features)}."
            )
        inputs.append(
            PlanInput(
                name=feature,
                view=view.online_name,
                position=view.features.index(feature),
                entity=view.entity,
                ttl_seconds=view.ttl.total_seconds() if view.ttl else None,
            )
        )
    return inputs
