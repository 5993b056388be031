import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trivet.control import BadPolicy, Level, Repair, RepairPhase, judge_duel, read_policy
from trivet.control.policies import is_due, why_not_now
from trivet.ledger import Verdict
from trivet.monitoring import Answer
from trivet.serving import Role
from trivet.testing.window_store import answer

JULY = datetime(2013, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY: dict[str, Any] = {"level": "auto", "pipeline": "pipeline.py:train", "project": "."}


def begun(days_ago: float, *, trained: bool = True) -> Repair:
    return Repair(
        id=f"r{days_ago}",
        deployment="delay",
        cause="harm",
        alert=None,
        phase=RepairPhase.DONE,
        reason="",
        started_at=JULY,
        event_at=JULY - days_ago * DAY,
        phase_at=JULY,
        detail={"trained": True} if trained else {},
    )


def test_a_policy_is_read_from_the_deployments_settings() -> None:
    policy = read_policy({"repair": {**POLICY, "cooldown": "14d", "params": {"until": "{until}"}}})

    assert policy is not None
    assert (policy.level, policy.cooldown) == (Level.AUTO, 14 * DAY)
    assert policy.params == {"until": "{until}"}
    assert read_policy({}) is None


@pytest.mark.parametrize(
    "given",
    [
        {"level": "sometimes"},
        {"level": "auto"},
        {**POLICY, "colour": "red"},
        {**POLICY, "max_per_30_days": "many"},
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadPolicy):
        read_policy({"repair": given})


def test_a_repair_waits_for_the_cooldown_and_the_budget() -> None:
    policy = read_policy({"repair": {**POLICY, "cooldown": "7d", "max_per_30_days": 2}})
    assert policy is not None

    assert why_not_now(policy, [], JULY) is None
    assert "cools down until 2013-07-05" in str(why_not_now(policy, [begun(3)], JULY))
    assert why_not_now(policy, [begun(3, trained=False)], JULY) is None
    assert "budget" in str(why_not_now(policy, [begun(8), begun(20)], JULY))
    assert why_not_now(policy, [begun(8), begun(31)], JULY) is None


def test_a_training_is_due_by_the_calendar() -> None:
    policy = read_policy({"repair": {**POLICY, "every": "7d"}})
    never = read_policy({"repair": POLICY})
    assert policy is not None
    assert never is not None

    assert is_due(policy, JULY - 7 * DAY, JULY)
    assert not is_due(policy, JULY - 6 * DAY, JULY)
    assert not is_due(never, JULY - 700 * DAY, JULY)


def pairs(
    count: int, champion: float, challenger: float, *, worse_on: str = ""
) -> list[tuple[Answer, Answer]]:
    """Return pairs in which each is wrong in the given share, told with 0.8."""
    rng = random.Random(3)
    found = []
    for number in range(count):
        slices = (f"carrier={('UA', 'DL')[number % 2]}",)
        wrong = 0.9 if worse_on in slices else challenger
        one = _told(number, rng.random() < champion, slices, revision=1)
        other = _told(number, rng.random() < wrong, slices, revision=2)
        found.append((one, other))
    return found


def _told(number: int, wrong: bool, slices: tuple[str, ...], *, revision: int) -> Answer:
    role = Role.PRIMARY if revision == 1 else Role.SHADOW
    output = 0.2 if wrong else 0.8
    return answer(number, revision=revision, role=role, slices=slices, output=output, outcome=1.0)


def test_the_champion_must_lose() -> None:
    better = judge_duel(pairs(600, 0.4, 0.2), min_pairs=200, max_pairs=2000)
    worse = judge_duel(pairs(600, 0.2, 0.4), min_pairs=200, max_pairs=2000)
    alike = judge_duel(pairs(2000, 0.2, 0.21), min_pairs=200, max_pairs=2000)

    assert better.verdict is Verdict.PASSED
    assert better.numbers["mean_lead"] > 0
    assert worse.verdict is Verdict.FAILED
    assert alike.verdict is Verdict.FAILED


def test_too_few_pairs_are_never_a_pass() -> None:
    assert judge_duel([], min_pairs=1, max_pairs=9).verdict is Verdict.NO_DATA
    few = judge_duel(pairs(199, 0.9, 0.0), min_pairs=200, max_pairs=2000)
    assert few.verdict is Verdict.LEARNING


def test_a_challenger_that_fails_one_slice_does_not_pass() -> None:
    found = judge_duel(pairs(600, 0.6, 0.0, worse_on="carrier=UA"), min_pairs=200, max_pairs=2000)

    assert found.verdict is Verdict.FAILED
    assert found.numbers["slices_worse"] == ["carrier=UA"]
