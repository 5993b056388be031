"""Definitions and plans as JSON and back; the JSON is stored and digested, so its shape stays.

A new field is written only where it differs from its default, so that old digests hold.
"""

from datetime import timedelta
from typing import Any

from trivet.features.definitions import (
    Aggregate,
    FeaturePlan,
    FeatureService,
    FeatureView,
    JsonObject,
    PlanInput,
    RequestFeature,
    Rolling,
    TimePart,
)
from trivet.kernel.errors import InvalidInput

Definition = FeatureView | FeatureService


def definition_to_json(definition: Definition) -> JsonObject:
    """Return the definition as JSON, its version left out: that is the store's."""
    if isinstance(definition, FeatureView):
        return {"kind": "view", **_view_to_json(definition)}
    return {
        "kind": "service",
        "name": definition.name,
        "views": [[view, list(features)] for view, features in definition.views],
        "request": [_request_to_json(feature) for feature in definition.request],
    }


def definition_from_json(value: JsonObject, *, version: int = 0) -> Definition:
    """Return the definition that `definition_to_json` wrote."""
    try:
        if value["kind"] == "view":
            return _view_from_json(value, version)
        return FeatureService(
            name=value["name"],
            views=tuple((view, tuple(features)) for view, features in value["views"]),
            request=tuple(_request_from_json(feature) for feature in value["request"]),
            version=version,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"The JSON holds no feature definition: {error!r}.") from error


def plan_to_json(plan: FeaturePlan) -> JsonObject:
    """Return the plan as JSON, as a model's signature keeps it."""
    return {"service": plan.service, "inputs": [_input_to_json(item) for item in plan.inputs]}


def plan_from_json(value: JsonObject) -> FeaturePlan:
    """Return the plan that `plan_to_json` wrote."""
    try:
        inputs = tuple(_input_from_json(item) for item in value["inputs"])
        return FeaturePlan(service=value["service"], inputs=inputs)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"The JSON holds no feature plan: {error!r}.") from error


def _view_to_json(view: FeatureView) -> JsonObject:
    value: JsonObject = {
        "name": view.name,
        "entity": list(view.entity),
        "source": view.source,
        "event_time": view.event_time,
        "created_time": view.created_time,
        "ttl_seconds": _seconds(view.ttl),
        "rolling": [
            {
                "name": rolling.name,
                "column": rolling.column,
                "function": str(rolling.function),
                "window_seconds": _seconds(rolling.window),
            }
            for rolling in view.rolling
        ],
        "sql": view.sql,
        "columns": list(view.columns),
        "where": view.where,
        "description": view.description,
        "owner": view.owner,
    }
    return value | ({"event_key": list(view.event_key)} if view.event_key else {})


def _view_from_json(value: JsonObject, version: int) -> FeatureView:
    return FeatureView(
        name=value["name"],
        entity=tuple(value["entity"]),
        source=value["source"],
        event_time=value["event_time"],
        created_time=value["created_time"],
        ttl=_duration(value["ttl_seconds"]),
        rolling=tuple(
            Rolling(
                name=item["name"],
                column=item["column"],
                function=Aggregate(item["function"]),
                window=timedelta(seconds=item["window_seconds"]),
            )
            for item in value["rolling"]
        ),
        sql=value["sql"],
        columns=tuple(value["columns"]),
        where=value["where"],
        description=value["description"],
        owner=value["owner"],
        event_key=tuple(value.get("event_key", ())),
        version=version,
    )


def _request_to_json(feature: RequestFeature) -> JsonObject:
    return {
        "name": feature.name,
        "column": feature.column,
        "part": None if feature.part is None else str(feature.part),
        "vocabulary": None if feature.vocabulary is None else list(feature.vocabulary),
    }


def _request_from_json(value: JsonObject) -> RequestFeature:
    part, vocabulary = value["part"], value["vocabulary"]
    return RequestFeature(
        name=value["name"],
        column=value["column"],
        part=None if part is None else TimePart(part),
        vocabulary=None if vocabulary is None else tuple(vocabulary),
    )


def _input_to_json(item: PlanInput) -> JsonObject:
    if item.request is not None:
        return {"name": item.name, "request": _request_to_json(item.request)}
    return {
        "name": item.name,
        "view": item.view,
        "position": item.position,
        "entity": list(item.entity),
        "ttl_seconds": item.ttl_seconds,
    }


def _input_from_json(value: JsonObject) -> PlanInput:
    if "request" in value:
        return PlanInput(name=value["name"], request=_request_from_json(value["request"]))
    return PlanInput(
        name=value["name"],
        view=value["view"],
        position=value["position"],
        entity=tuple(value["entity"]),
        ttl_seconds=value["ttl_seconds"],
    )


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _duration(seconds: Any) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
