import random
from datetime import UTC, datetime, timedelta

from trivet.kernel.ids import Uuid7


def test_ids_ascend_within_a_millisecond_and_when_the_clock_goes_back() -> None:
    instants = iter([datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=n) for n in range(5000)])
    new_id = Uuid7(lambda: next(instants), random.Random(1))

    ids = [new_id() for _ in range(5000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 5000


def test_an_id_is_a_uuid_of_version_7_that_begins_with_its_time() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)

    made = Uuid7(lambda: at, random.Random(1))()

    assert len(made) == 32
    assert int(made[:12], 16) == int(at.timestamp() * 1000)
    assert made[12] == "7"
    assert made[16] in "89ab"


def test_one_seed_gives_the_same_ids() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)

    first, second = (Uuid7(lambda: at, random.Random(7)) for _ in range(2))

    assert [first() for _ in range(3)] == [second() for _ in range(3)]
