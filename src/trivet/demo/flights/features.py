"""What is known of a flight at its scheduled departure.

Nothing here comes from a flight's own outcome: `by_carrier`, `by_origin` and `by_route` fold the
landings of *other* flights, each visible from the moment its outcome was known, `known_at`.
"""

from datetime import timedelta

from trivet.features import (
    Aggregate,
    FeatureService,
    FeatureView,
    RequestFeature,
    Rolling,
    TimePart,
)

CARRIERS = (
    "9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV",
)  # fmt: skip
ORIGINS = ("EWR", "JFK", "LGA")

REQUEST_COLUMNS = ("carrier", "origin", "dest", "tailnum", "distance", "sched_dep_time")
"""What a caller tells of a flight, beside the instant of its scheduled departure."""

_WINDOWS = {"3h": timedelta(hours=3), "24h": timedelta(hours=24), "7d": timedelta(days=7)}


def _delays(name: str, *entity: str) -> FeatureView:
    """Return the view of how the flights that share `entity` have lately arrived."""
    rolling = []
    for span, window in _WINDOWS.items():
        rolling += [
            Rolling(
                name=f"{name}_late_{span}", column="late", function=Aggregate.MEAN, window=window
            ),
            Rolling(
                name=f"{name}_delay_{span}", column="delay", function=Aggregate.MEAN, window=window
            ),
            Rolling(
                name=f"{name}_flights_{span}",
                column="late",
                function=Aggregate.COUNT,
                window=window,
            ),
        ]
    return FeatureView(
        name=f"by_{name}",
        entity=entity,
        source="landings",
        event_time="known_at",
        event_key=("flight_id",),
        rolling=tuple(rolling),
        description=f"Share late, mean delay and number of landings, by {' and '.join(entity)}.",
    )


BY_CARRIER = _delays("carrier", "carrier")
BY_ORIGIN = _delays("origin", "origin")
BY_ROUTE = _delays("route", "origin", "dest")

WEATHER = FeatureView(
    name="weather_at_origin",
    entity=("origin",),
    source="weather",
    event_time="observed_at",
    created_time="published_at",
    ttl=timedelta(hours=6),
    columns=("temp", "humid", "wind_speed", "precip", "visib"),
    description="The last weather report of the airport; it is published after its hour.",
)

AIRCRAFT = FeatureView(
    name="aircraft",
    entity=("tailnum",),
    source="planes",
    event_time="listed_at",
    sql="SELECT tailnum, listed_at, 2013 - year AS aircraft_age FROM source",
    columns=("aircraft_age",),
    description="The aircraft's age in years, by the fleet list of January 2013.",
)

VIEWS = (BY_CARRIER, BY_ORIGIN, BY_ROUTE, WEATHER, AIRCRAFT)

_REQUEST = (
    RequestFeature(name="sched_dep_time", column="sched_dep_time"),
    RequestFeature(name="weekday", part=TimePart.WEEKDAY),
    RequestFeature(name="distance", column="distance"),
    RequestFeature(name="carrier_code", column="carrier", vocabulary=CARRIERS),
    RequestFeature(name="origin_code", column="origin", vocabulary=ORIGINS),
)

SIMPLE = FeatureService(
    name="delay_simple",
    views=((BY_CARRIER.name, ()),),
    request=_REQUEST,
)
"""The request and how the carrier does: enough for a first model."""

FULL = FeatureService(
    name="delay",
    views=tuple((view.name, ()) for view in VIEWS),
    request=_REQUEST,
)
"""All of it."""

SERVICES = (SIMPLE, FULL)
