from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from trivet.serving import assign
from trivet.serving.assignment import is_shadowed, place
from trivet.testing.routing_store import canary, first_table

UNITS = [f"unit-{number}" for number in range(20_000)]
shares = st.floats(0, 1)


def test_every_unit_has_a_place_on_the_line() -> None:
    assert all(0 <= place("s", unit) < 1 for unit in UNITS)


def test_without_a_candidate_the_stable_revision_answers() -> None:
    assert {assign(first_table(), unit) for unit in UNITS[:100]} == {1}


def test_a_weight_of_nothing_and_of_all_leaves_nobody_between() -> None:
    assert {assign(canary(0.0), unit) for unit in UNITS[:1000]} == {1}
    assert {assign(canary(1.0), unit) for unit in UNITS[:1000]} == {2}


@given(shares, st.text(max_size=8))
def test_the_candidate_gets_its_share_of_units(weight: float, salt: str) -> None:
    table = replace(canary(weight), salt=salt)
    share = sum(assign(table, unit) == 2 for unit in UNITS[:2000]) / 2000
    # Six standard deviations of a share of 2,000 independent units.
    assert abs(share - weight) <= 6 * (weight * (1 - weight) / 2000) ** 0.5 + 1e-3


@given(shares, shares, st.text(max_size=20))
def test_raising_the_weight_only_moves_units_towards_the_candidate(
    one: float, other: float, unit: str
) -> None:
    low, high = sorted((one, other))
    if assign(canary(low), unit) == 2:
        assert assign(canary(high), unit) == 2


@given(shares, st.text(max_size=20))
def test_a_unit_keeps_its_revision_while_the_weight_stands(weight: float, unit: str) -> None:
    again = replace(canary(weight), generation=99, fence=3, revisions=canary(0.0).revisions)
    assert assign(canary(weight), unit) == assign(again, unit)


def test_another_salt_chooses_other_units() -> None:
    chosen = [
        {unit for unit in UNITS if assign(replace(canary(0.1), salt=salt), unit) == 2}
        for salt in ("a", "b")
    ]
    both = len(chosen[0] & chosen[1])
    assert 100 < both < 320  # 200 of 20,000 where the two are independent


def test_shadows_are_sampled_independently_of_the_canary() -> None:
    table = replace(canary(0.1), shadow=0.5)
    stable = [unit for unit in UNITS if assign(table, unit) == 1]
    share = sum(is_shadowed(table, unit) for unit in stable) / len(stable)
    assert 0.48 < share < 0.52
