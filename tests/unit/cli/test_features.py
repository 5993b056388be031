import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from trivet.app import App
from trivet.cli.main import cli
from trivet.features import EntityNotOnline, FeatureViewNotFound
from trivet.kernel.errors import InvalidInput
from trivet.settings import Settings

DEFINITIONS = """
from datetime import timedelta
from trivet.features import Aggregate, FeatureService, FeatureView, RequestFeature, Rolling

SERVICE = FeatureService(
    name="delay", views=(("by_route", ()),),
    request=(RequestFeature(name="distance", column="distance"),),
)
VIEWS = [
    FeatureView(
        name="by_route", entity=("origin", "dest"), source="landings", event_time="landed_at",
        ttl=timedelta(days=2), description="How a route does.",
        rolling=(
            Rolling(name="flights", column="late", function=Aggregate.COUNT,
                    window=timedelta(hours=3)),
            Rolling(name="late", column="late", function=Aggregate.MEAN,
                    window=timedelta(hours=3)),
        ),
    )
]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "features.py").write_text(DEFINITIONS)
    return tmp_path / "home"


def trivet(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli, ["--home", str(home), "features", *arguments], catch_exceptions=False
    )


def said(home: Path, *arguments: str) -> Any:
    return json.loads(trivet(home, *arguments, "--json").stdout)


def apply(home: Path) -> Result:
    return trivet(home, "apply", str(home.parent / "features.py"))


def commit(home: Path) -> None:
    rows = pa.table(
        {
            "id": [1, 2, 3],
            "origin": ["EWR", "EWR", "JFK"],
            "dest": ["SFO", "SFO", "LAX"],
            "landed_at": pa.array([0, 3_600_000_000, 7_200_000_000], pa.timestamp("us", "UTC")),
            "late": [1, 0, None],
        }
    )
    with App.open(Settings.read({}, home=str(home))) as app:
        app.datasets.create("landings", key=("id",), event_time="landed_at")
        app.datasets.commit("landings", rows, message="first landings")


def test_an_empty_home_says_what_fills_it(home: Path) -> None:
    assert "'trivet features apply features.py'" in trivet(home, "list").stdout
    assert said(home, "list") == []


def test_applying_a_file_twice_changes_nothing_the_second_time(home: Path) -> None:
    first, second = apply(home).stdout, apply(home).stdout

    assert [line.split() for line in first.splitlines()[1:]] == [
        ["features:by_route@1", "applied"],
        ["features:delay@1", "applied"],
    ]
    assert second.count("unchanged") == 2


def test_a_file_without_definitions_is_refused(home: Path) -> None:
    (home.parent / "features.py").write_text("x = 1\n")

    with pytest.raises(InvalidInput, match="defines no FeatureView"):
        apply(home)


def test_views_and_services_are_listed_and_shown(home: Path) -> None:
    apply(home)

    listed = trivet(home, "list").stdout
    shown = said(home, "show", "by_route")

    assert "features:by_route@1" in listed
    assert "origin · dest" in listed
    assert [item["name"] for item in said(home, "list")] == ["by_route", "delay"]
    assert (shown["version"], shown["online_entities"], shown["materializations"]) == (1, 0, [])
    assert "How a route does." in trivet(home, "show", "by_route").stdout
    assert "by_route (all)" in trivet(home, "show", "delay").stdout
    assert said(home, "show", "delay")["kind"] == "service"


def test_a_plan_lists_the_inputs_in_order(home: Path) -> None:
    apply(home)

    plan = said(home, "plan", "delay")

    assert [item["name"] for item in plan["inputs"]] == ["flights", "late", "distance"]
    assert "by_route@1" in trivet(home, "plan", "delay").stdout


def test_what_was_materialized_can_be_read(home: Path) -> None:
    apply(home)
    commit(home)

    done = said(home, "materialize", "by_route", "--until", "1970-01-01T01:30")

    entity = ("--entity", "origin=EWR", "-e", "dest=SFO")
    found = said(home, "get", "by_route", *entity)
    assert [(item["view"], item["rows"]) for item in done] == [("features:by_route@1", 1)]
    assert found["features"] == {"flights": 2.0, "late": 0.5}
    assert "1970-01-01 01:00:00" in trivet(home, "get", "by_route", *entity).stdout
    assert "1970-01-01 01:30:00" in trivet(home, "list").stdout
    assert "1 entities" in trivet(home, "show", "by_route").stdout
    assert "features:by_route@1" in trivet(home, "materialize", "by_route").stdout


def test_what_is_not_there_is_an_error(home: Path) -> None:
    apply(home)

    with pytest.raises(EntityNotOnline, match="origin=EWR dest=X"):
        trivet(home, "get", "by_route", "-e", "origin=EWR", "-e", "dest=X")
    with pytest.raises(InvalidInput, match="written origin=… dest=…"):
        trivet(home, "get", "by_route", "-e", "origin=EWR")
    with pytest.raises(FeatureViewNotFound, match="nothing"):
        trivet(home, "show", "nothing")
    with pytest.raises(InvalidInput, match="'soon' is no time"):
        trivet(home, "materialize", "by_route", "--until", "soon")


def test_every_help_ends_in_an_example() -> None:
    for command in ("list", "show", "apply", "materialize", "get", "plan"):
        text = CliRunner().invoke(cli, ["features", command, "--help"]).stdout
        assert f"Example:\n    trivet features {command}" in text
