"""Features: definitions, point-in-time training sets, and the same values for serving."""

from trivet.features.codecs import (
    definition_from_json,
    definition_to_json,
    plan_from_json,
    plan_to_json,
)
from trivet.features.definitions import (
    Aggregate,
    FeaturePlan,
    FeatureService,
    FeatureView,
    PlanInput,
    RequestFeature,
    Rolling,
    TimePart,
)
from trivet.features.errors import (
    ColumnMissing,
    ColumnUnusable,
    EntityNotOnline,
    FeatureNameTaken,
    FeatureServiceNotFound,
    FeatureViewNotFound,
    RequestFieldInvalid,
)
from trivet.features.keys import entity_key, key_from_text
from trivet.features.materialize import materialize
from trivet.features.point_in_time import point_in_time_join
from trivet.features.push import PushContended, Pusher
from trivet.features.reader import OnlineReader, ServedFeatures
from trivet.features.records import Materialization
from trivet.features.rows import compute_rows, view_rows
from trivet.features.sql_store import SqlFeatureStore
from trivet.features.store import FeatureStore
from trivet.features.training import make_plan, training_set

__all__ = [
    "Aggregate",
    "ColumnMissing",
    "ColumnUnusable",
    "EntityNotOnline",
    "FeatureNameTaken",
    "FeaturePlan",
    "FeatureService",
    "FeatureServiceNotFound",
    "FeatureStore",
    "FeatureView",
    "FeatureViewNotFound",
    "Materialization",
    "OnlineReader",
    "PlanInput",
    "PushContended",
    "Pusher",
    "RequestFeature",
    "RequestFieldInvalid",
    "Rolling",
    "ServedFeatures",
    "SqlFeatureStore",
    "TimePart",
    "compute_rows",
    "definition_from_json",
    "definition_to_json",
    "entity_key",
    "key_from_text",
    "make_plan",
    "materialize",
    "plan_from_json",
    "plan_to_json",
    "point_in_time_join",
    "training_set",
    "view_rows",
]
