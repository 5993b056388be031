"""The promises of `OnlineStore`, as tests that every back end must pass."""

import threading
from datetime import UTC, datetime, timedelta

from trivet.storage.online import OnlineRow, OnlineStore

VIEW = "by_carrier@1"
OTHER_VIEW = "by_carrier@10"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(
    key: str = "UA",
    *values: float | None,
    event_at: datetime = START,
    created_at: datetime | None = None,
) -> OnlineRow:
    """Return a row; its created time is its event time where none is given."""
    return OnlineRow(key, event_at, created_at or event_at, values or (1.0,))


class OnlineStoreContract:
    """Subclass, and provide a fixture `store` that yields an empty store."""

    def test_what_was_written_is_read_in_the_order_asked(self, store: OnlineStore) -> None:
        rows = [row("UA", 0.5, None, -1e300), row("AA", 2.0, 3.0, 4.0)]

        written = store.write(VIEW, rows)

        wanted = [(VIEW, "AA"), (VIEW, "ZZ"), (VIEW, "UA"), (VIEW, "AA")]
        assert written == 2
        assert store.read(wanted) == [rows[1], None, rows[0], rows[1]]

    def test_nothing_asked_is_nothing_read(self, store: OnlineStore) -> None:
        assert store.read([]) == []

    def test_times_are_kept_to_the_microsecond(self, store: OnlineStore) -> None:
        early = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
        kept = row(event_at=early, created_at=datetime(2400, 1, 1, 0, 0, 0, 1, tzinfo=UTC))

        store.write(VIEW, [kept])

        assert store.read([(VIEW, "UA")]) == [kept]

    def test_nan_is_kept_as_missing(self, store: OnlineStore) -> None:
        store.write(VIEW, [row("UA", float("nan"), 1.0)])

        assert store.read([(VIEW, "UA")]) == [row("UA", None, 1.0)]

    def test_late_data_turns_no_value_back(self, store: OnlineStore) -> None:
        newest = row("UA", 2.0, event_at=START + HOUR)
        store.write(VIEW, [newest])

        written = store.write(VIEW, [row("UA", 1.0, created_at=START + 9 * HOUR)])

        assert written == 0
        assert store.read([(VIEW, "UA")]) == [newest]

    def test_a_correction_takes_effect(self, store: OnlineStore) -> None:
        store.write(VIEW, [row("UA", 1.0)])
        correction = row("UA", 2.0, created_at=START + HOUR)

        written = store.write(VIEW, [correction])

        assert written == 1
        assert store.read([(VIEW, "UA")]) == [correction]

    def test_an_earlier_correction_does_not_replace_a_later_one(self, store: OnlineStore) -> None:
        later = row("UA", 3.0, created_at=START + 2 * HOUR)
        store.write(VIEW, [later])

        store.write(VIEW, [row("UA", 2.0, created_at=START + HOUR)])

        assert store.read([(VIEW, "UA")]) == [later]

    def test_a_microsecond_decides(self, store: OnlineStore) -> None:
        newest = row("UA", 2.0, event_at=START + timedelta(microseconds=1))

        store.write(VIEW, [newest, row("UA", 1.0)])

        assert store.read([(VIEW, "UA")]) == [newest]

    def test_of_equal_times_the_later_write_stays(self, store: OnlineStore) -> None:
        store.write(VIEW, [row("UA", 1.0)])

        store.write(VIEW, [row("UA", 2.0)])

        assert store.read([(VIEW, "UA")]) == [row("UA", 2.0)]

    def test_of_many_writers_the_newest_row_stays(self, store: OnlineStore) -> None:
        rows = [row("UA", float(n), event_at=START + n * HOUR) for n in range(40)]
        threads = [
            threading.Thread(target=store.write, args=(VIEW, rows[part::4])) for part in range(4)
        ]

        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert store.read([(VIEW, "UA")]) == [rows[-1]]

    def test_views_do_not_see_each_other(self, store: OnlineStore) -> None:
        store.write(VIEW, [row("UA", 1.0), row("AA", 1.0)])
        store.write(OTHER_VIEW, [row("UA", 2.0)])

        assert store.read([(VIEW, "UA"), (OTHER_VIEW, "UA"), (OTHER_VIEW, "AA")]) == [
            row("UA", 1.0),
            row("UA", 2.0),
            None,
        ]
        assert (store.count(VIEW), store.count(OTHER_VIEW), store.count("empty@1")) == (2, 1, 0)

    def test_a_deleted_view_takes_its_states_along_and_no_others(self, store: OnlineStore) -> None:
        for view in (VIEW, OTHER_VIEW):
            store.write(view, [row()])
            store.write_state(f"{view}/push", b"state")

        store.delete(VIEW)

        assert (store.count(VIEW), store.count(OTHER_VIEW)) == (0, 1)
        assert store.read_state(f"{VIEW}/push") is None
        assert store.read_state(f"{OTHER_VIEW}/push") == b"state"

    def test_a_state_is_kept_until_it_is_written_again(self, store: OnlineStore) -> None:
        assert store.read_state("name/part") is None

        store.write_state("name/part", b"\x00\xff first")
        store.write_state("name/part", b"\x00\xff second")

        assert store.read_state("name/part") == b"\x00\xff second"

    def test_keys_may_be_any_text(self, store: OnlineStore) -> None:
        keys = ["", " ", "Zürich", "서울", "a\x1fb", "a'b\"c", "%_*?[", "x" * 5_000]
        rows = [row(key, float(n)) for n, key in enumerate(keys)]

        store.write(VIEW, rows)

        assert store.read([(VIEW, key) for key in keys]) == rows

    def test_more_keys_than_one_statement_takes_are_read(self, store: OnlineStore) -> None:
        rows = [row(str(n), float(n)) for n in range(2_500)]

        store.write(VIEW, rows)

        assert store.read([(VIEW, r.key) for r in rows]) == rows
        assert store.count(VIEW) == 2_500

    def test_a_commit_writes_rows_and_states_together(self, store: OnlineStore) -> None:
        done = store.commit(
            {VIEW: [row("UA", 1.0)], OTHER_VIEW: [row("AA", 2.0)]},
            {f"{VIEW}/push": b"1"},
            expected={f"{VIEW}/push": None},
        )

        assert done
        assert store.read([(VIEW, "UA"), (OTHER_VIEW, "AA")]) == [row("UA", 1.0), row("AA", 2.0)]
        assert store.read_state(f"{VIEW}/push") == b"1"

    def test_a_commit_that_expected_another_state_writes_nothing(self, store: OnlineStore) -> None:
        store.write_state(f"{VIEW}/push", b"2")

        for expected in (None, b"1", b"", b"22"):
            done = store.commit(
                {VIEW: [row()]}, {f"{VIEW}/push": b"3"}, expected={f"{VIEW}/push": expected}
            )
            assert not done

        assert store.count(VIEW) == 0
        assert store.read_state(f"{VIEW}/push") == b"2"

    def test_a_commit_expects_what_is_there(self, store: OnlineStore) -> None:
        store.write_state(f"{VIEW}/push", b"")

        assert store.commit({}, {f"{VIEW}/push": b"1"}, expected={f"{VIEW}/push": b""})
        assert store.read_state(f"{VIEW}/push") == b"1"

    def test_of_many_commits_from_one_state_one_succeeds(self, store: OnlineStore) -> None:
        name = f"{VIEW}/push"
        outcomes: list[bool] = []

        def commit(number: int) -> None:
            outcomes.append(store.commit({}, {name: b"%d" % number}, expected={name: None}))

        threads = [threading.Thread(target=commit, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(outcomes) == [False] * 7 + [True]

    def test_a_commit_turns_no_value_back_either(self, store: OnlineStore) -> None:
        newest = row("UA", 2.0, event_at=START + HOUR)
        store.write(VIEW, [newest])

        store.commit({VIEW: [row("UA", 1.0)]}, {}, expected={})

        assert store.read([(VIEW, "UA")]) == [newest]
