import shutil
from dataclasses import replace

from trivet.serving.gateway import Route
from trivet.serving.process import RunningGateway
from trivet.serving.saved_tables import SavedTables
from trivet.storage.sql import Database
from trivet.testing.serving import House


def served(house: House, running: RunningGateway) -> tuple[int, int]:
    reply = house.client(running).post("/predict/delay", {"rows": [{"x": 0.5}]})
    assert reply.status == 200, reply.body
    return reply.json["generation"], reply.json["predictions"][0]["revision"]


def test_a_gateway_takes_a_new_table_and_reports_it(house: House) -> None:
    first, second = house.models.put(1), house.models.put(2, factor=0.5)
    running = house.open_gateway()
    assert house.client(running).post("/predict/delay", {"rows": [{"x": 1}]}).status == 404
    house.release(first)
    running.follower.poll()
    assert served(house, running) == (1, 1)
    house.release(first, second, stable=2)
    running.follower.poll()
    assert served(house, running) == (2, 2)
    (status,) = house.routing.list_gateways()
    assert (status.generations, status.problems) == ({"delay": 2}, {})
    verified = house.ledger.list_facts(kind="weights.verified")
    assert [fact.generation for fact in verified] == [1, 2]


def test_a_table_that_cannot_be_served_leaves_the_old_one_in_force(house: House) -> None:
    good = house.models.put(1)
    bad = house.models.put(2, factor=0.9, answers=lambda x: x)
    house.release(good)
    running = house.open_gateway()
    house.release(good, bad, candidate=2, weight=1.0)
    running.follower.poll()
    assert served(house, running) == (1, 1)
    (status,) = house.routing.list_gateways()
    assert status.generations == {"delay": 1}
    assert "golden row" in status.problems["delay"]
    assert "golden row" in house.client(running).get("/health").json["problems"]["delay"]
    house.release(good)
    running.follower.poll()
    assert served(house, running) == (3, 1)
    assert running.follower.problems == {}


def test_a_spare_revision_that_does_not_load_is_told_and_stops_nothing(house: House) -> None:
    good = house.models.put(1)
    house.release(good, house.models.put(2, factor=0.9, answers=lambda x: x))
    running = house.open_gateway()
    assert served(house, running) == (1, 1)
    assert "revision 2 is not warm" in running.follower.problems["delay"]


def test_an_older_table_or_fence_is_never_taken(house: House) -> None:
    spec = house.models.put(1)
    house.release(spec, fence=3)
    house.release(spec, fence=5)
    running = house.open_gateway()
    gateway = running.app._endpoints.gateway
    route = gateway.route("delay")
    for generation, fence in ((1, 9), (2, 9), (3, 4)):
        older = replace(route.table, generation=generation, fence=fence)
        assert not gateway.take(Route(older, route.revisions))
    assert gateway.route("delay") is route


def test_a_database_that_was_set_back_does_not_set_the_gateway_back(house: House) -> None:
    spec = house.models.put(1)
    house.release(spec)
    shutil.copy(house.home / "trivet.db", house.home / "backup.db")
    house.release(spec)
    running = house.open_gateway()
    assert served(house, running) == (2, 1)
    running.follower._store = type(house.routing)(
        Database(f"sqlite:///{house.home}/backup.db"), house.routing._recorder
    )
    running.follower.poll()
    assert served(house, running) == (2, 1)


def lose_everything(house: House) -> None:
    """Take the database and the blobs away."""
    house.database.close()
    for path in house.home.glob("trivet.db*"):
        path.unlink()
    shutil.rmtree(house.home / "blobs")
    house.routing._database = Database(f"sqlite:///{house.home}/trivet.db", create=False)


def test_a_gateway_serves_on_when_database_and_blobs_are_gone(house: House) -> None:
    house.release(house.models.put(1))
    running = house.open_gateway()
    lose_everything(house)
    running.follower.poll()
    assert served(house, running) == (1, 1)
    house.clock.now = house.clock.now.replace(minute=10)
    health = house.client(running).get("/health").json
    assert health["status"] == "stale"
    assert health["stale_seconds"] > 500
    assert not (house.home / "trivet.db").exists()


def test_a_gateway_starts_again_without_database_and_blobs(house: House) -> None:
    old, new = house.models.put(1), house.models.put(2, factor=0.5)
    house.release(old)
    running = house.open_gateway()
    house.release(old, new, stable=2)
    running.follower.poll()
    house.close(running)
    lose_everything(house)
    again = house.open_gateway()
    assert served(house, again) == (2, 2)
    assert house.client(again).get("/health").json["stale_seconds"] is None
    assert set(again.app._endpoints.gateway.route("delay").revisions) == {1, 2}


def test_loading_is_tried_again_when_only_the_blob_store_was_away(house: House) -> None:
    spec = house.models.put(1)
    blobs, away = house.home / "blobs", house.home / "away"
    blobs.rename(away)
    house.release(spec)
    running = house.open_gateway()
    assert running.follower.problems
    if blobs.exists():
        shutil.rmtree(blobs)
    away.rename(blobs)
    running.follower.poll()
    assert house.client(running).post("/predict/delay", {"rows": [{"x": 1}]}).status == 404
    house.clock.now = house.clock.now.replace(second=30)
    running.follower.poll()
    assert served(house, running) == (1, 1)


def test_copies_of_models_that_are_served_no_more_are_removed(house: House) -> None:
    old, new = house.models.put(1), house.models.put(2, factor=0.5)
    house.release(old)
    running = house.open_gateway()
    house.release(new, stable=2)
    running.follower.poll()
    kept = {path.name for path in (house.home / "gateway" / "g1" / "artifacts").iterdir()}
    assert kept == set(new.artifacts.values())


def test_revisions_that_stay_are_not_loaded_again(house: House) -> None:
    spec = house.models.put(1)
    house.release(spec)
    running = house.open_gateway()
    before = running.app._endpoints.gateway.route("delay").revisions[1]
    house.release(spec, unit="carrier")
    running.follower.poll()
    assert running.app._endpoints.gateway.route("delay").revisions[1] is before


def test_a_table_is_on_the_disk_before_anybody_is_answered_by_it(house: House) -> None:
    house.release(house.models.put(1))
    running = house.open_gateway()
    seen: list[int] = []
    keep = running.follower._gateway.take

    def take(route: Route) -> bool:
        seen.append(SavedTables(house.home / "gateway" / "g1").load()[0].generation)
        return keep(route)

    running.follower._gateway.take = take  # type: ignore[method-assign]  # to look between two steps
    house.release(house.models.put(2, factor=0.5))
    running.follower.poll()

    assert seen == [2]
    assert served(house, running)[0] == 2


def test_a_disk_that_takes_nothing_does_not_keep_traffic_where_it_is(house: House) -> None:
    house.release(house.models.put(1))
    running = house.open_gateway()
    for folder in (house.home / "gateway").rglob("tables.json"):
        folder.with_suffix(".draft").mkdir()  # The draft cannot be opened for writing.

    house.release(house.models.put(2, factor=0.5))
    running.follower.poll()

    assert served(house, running)[0] == 2
