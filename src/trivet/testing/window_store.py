"""The contract of `trivet.monitoring.WindowStore`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from trivet.monitoring import (
    Answer,
    Batch,
    FeatureHour,
    FoldOvertaken,
    Outcome,
    Tally,
    WindowStore,
)
from trivet.serving import Role, Status

MARCH = datetime(2013, 3, 1, tzinfo=UTC)
GIVEN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def answer(number: int, **changes: Any) -> Answer:
    """Return an answer that is like the others but for its id and what is given."""
    values: dict[str, Any] = {
        "id": f"p{number}",
        "request": f"p{number}",
        "deployment": "delay",
        "revision": 1,
        "role": Role.PRIMARY,
        "status": Status.OK,
        "at": GIVEN + timedelta(seconds=number),
        "event_at": MARCH + number * HOUR,
        "output": 0.75,
        "label": 1,
        "latency_ms": 1.5,
        "primary_label": None,
        "outcome": None,
        "slices": ("carrier=UA",),
    }
    return Answer(**{**values, **changes})


def outcome(number: int, value: float = 1.0) -> Outcome:
    """Return what became of the answer of this number."""
    return Outcome(
        request=f"p{number}", deployment="delay", at=GIVEN, event_at=MARCH, outcome=value
    )


def batch(expected: int, **changes: Any) -> Batch:
    """Return a batch that was read at position `expected`."""
    values: dict[str, Any] = {
        "answers": (),
        "outcomes": (),
        "features": (),
        "position": {"main/0": expected + 1},
        "expected": expected,
    }
    return Batch(**{**values, **changes})


class WindowStoreContract:
    """Subclass, and provide a fixture `store` that yields an empty store."""

    def test_a_fold_begins_at_no_position(self, store: WindowStore) -> None:
        assert store.position() == ({}, 0)

    def test_a_batch_and_its_position_are_written_together(self, store: WindowStore) -> None:
        store.add(batch(0, answers=[answer(1)]))

        assert store.position() == ({"main/0": 1}, 1)
        assert store.tallies("delay")[1, Role.PRIMARY].requests == 1

    def test_of_two_folds_from_one_position_one_adds_nothing(self, store: WindowStore) -> None:
        store.add(batch(0, answers=[answer(1)]))

        with pytest.raises(FoldOvertaken):
            store.add(batch(0, answers=[answer(2)]))
        store.add(batch(1, answers=[answer(3)]))
        with pytest.raises(FoldOvertaken):
            store.add(batch(1, answers=[answer(4)]))

        assert store.tallies("delay")[1, Role.PRIMARY].requests == 2
        assert store.position() == ({"main/0": 2}, 2)

    def test_an_outcome_counts_once_however_often_it_arrives(self, store: WindowStore) -> None:
        store.add(batch(0, answers=[answer(1)]))
        store.add(batch(1, outcomes=[outcome(1), outcome(1)]))
        store.add(batch(2, outcomes=[outcome(1), outcome(1, 0.0)]))

        tally = store.tallies("delay")[1, Role.PRIMARY]

        assert (tally.labelled, tally.correct, tally.positives) == (1, 1, 1)
        assert tally.loss == pytest.approx(-np.log(0.75))

    @pytest.mark.parametrize("first", ["answer", "outcome", "together"])
    def test_an_outcome_is_joined_whichever_comes_first(
        self, store: WindowStore, first: str
    ) -> None:
        answers, outcomes = [answer(1)], [outcome(1, 0.0)]
        if first == "together":
            store.add(batch(0, answers=answers, outcomes=outcomes))
        else:
            store.add(
                batch(0, **({"answers": answers} if first == "answer" else {"outcomes": outcomes}))
            )
            store.add(
                batch(1, **({"outcomes": outcomes} if first == "answer" else {"answers": answers}))
            )

        tally = store.tallies("delay")[1, Role.PRIMARY]

        assert (tally.labelled, tally.correct, tally.positives) == (1, 0, 0)
        assert tally.loss == pytest.approx(-np.log(0.25))

    def test_a_shadow_learns_the_outcome_of_the_answer_in_whose_place_it_was_not(
        self, store: WindowStore
    ) -> None:
        shadow = answer(
            2, request="p1", revision=2, role=Role.SHADOW, label=0, output=0.25, primary_label=1
        )
        store.add(batch(0, answers=[answer(1), shadow], outcomes=[outcome(1)]))

        tallies = store.tallies("delay")

        assert tallies[1, Role.PRIMARY].correct == 1
        assert (tallies[2, Role.SHADOW].labelled, tallies[2, Role.SHADOW].correct) == (1, 0)
        assert tallies[2, Role.SHADOW].agreed == 0
        [(champion, challenger)] = store.pairs("delay", 1, 2)
        assert (champion.id, challenger.id) == ("p1", "p2")

    def test_hours_and_slices_add_up_to_the_totals(self, store: WindowStore) -> None:
        carriers = ("UA", "DL", "UA", "AA")
        for number, carrier in enumerate(carriers):
            slices = (f"carrier={carrier}",)
            found = answer(number, slices=slices, event_at=MARCH + number * timedelta(minutes=25))
            store.add(batch(number, answers=[found], outcomes=[outcome(number)]))

        every = store.query("delay", slice=None)
        whole = [window for window in every if window.slice == ""]
        sliced = [window for window in every if window.slice]

        assert [window.hour for window in whole] == [MARCH, MARCH + HOUR]
        total = store.tallies("delay")[1, Role.PRIMARY]
        assert sum((window.tally for window in whole), start=Tally()) == total
        assert sum(window.tally.requests for window in sliced) == total.requests == 4
        assert [w.tally.requests for w in store.query("delay", slice="carrier=UA")] == [2]
        light = store.query("delay", histograms=False)
        assert [(w.hour, w.tally.correct) for w in light] == [
            (w.hour, w.tally.correct) for w in whole
        ]
        sums = store.slice_totals("delay")
        assert sums["carrier=UA"].labelled == 2
        assert sums[""].loss == pytest.approx(total.loss)
        assert store.slice_totals("delay", since=MARCH + HOUR)[""].requests == 1

    def test_failed_and_invalid_answers_are_told_apart(self, store: WindowStore) -> None:
        store.add(
            batch(
                0,
                answers=[
                    answer(1, status=Status.ERROR, output=None, label=None),
                    answer(2, status=Status.INVALID, output=None, label=None),
                    answer(3),
                ],
                outcomes=[outcome(1), outcome(2), outcome(3)],
            )
        )

        tally = store.tallies("delay")[1, Role.PRIMARY]

        assert (tally.requests, tally.errors, tally.invalid, tally.labelled) == (3, 1, 1, 1)
        assert sum(tally.latency) == 3
        assert sum(tally.scores) == 1
        harmful = store.list_answers("delay", harmful=True, oldest_first=True)
        assert [found.id for found in harmful] == ["p1", "p2"]

    def test_windows_are_found_by_time_and_revision(self, store: WindowStore) -> None:
        store.add(batch(0, answers=[answer(0), answer(5), answer(9, revision=2)]))

        assert len(store.query("delay", since=MARCH + HOUR)) == 2
        assert len(store.query("delay", since=MARCH + HOUR, until=MARCH + 9 * HOUR)) == 1
        assert [w.revision for w in store.query("delay", revision=2)] == [2]
        assert store.query("other") == []
        assert store.latest_event("delay") == MARCH + 9 * HOUR
        assert store.latest_event("other") is None

    def test_feature_counts_add_up_over_hours(self, store: WindowStore) -> None:
        def hour(number: int, counts: list[int]) -> FeatureHour:
            return FeatureHour(
                deployment="delay",
                revision=1,
                hour=MARCH + number * HOUR,
                counts={"rate": np.array(counts)},
            )

        store.add(batch(0, features=[hour(0, [1, 0, 2]), hour(1, [0, 1, 0])]))
        store.add(batch(1, features=[hour(0, [1, 1, 1])]))

        assert store.feature_counts("delay", 1) == {"rate": (2, 2, 3)}
        assert store.feature_counts("delay", 1, since=MARCH + HOUR) == {"rate": (0, 1, 0)}
        assert store.feature_counts("delay", 2) == {}
