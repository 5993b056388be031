"""Steps as they are written, and specs that could never work."""

from dataclasses import replace
from typing import Any

import pytest

from trivet.kernel.errors import InvalidInput
from trivet.rollout import (
    CANARY,
    SHADOW,
    RolloutSpec,
    RolloutStep,
    Strategy,
    StrategyNotBuilt,
    default_steps,
    read_steps,
    read_strategy,
)
from trivet.rollout.steps import check_spec, plan

SPEC = RolloutSpec(strategy=Strategy.CANARY, steps=CANARY)


def test_steps_are_read_with_what_they_must_see() -> None:
    shadow, first, second = read_steps("shadow:50:20, 2.5%:10, 10")
    assert (shadow.shadow, shadow.min_requests, shadow.min_labels) == (1.0, 50, 20)
    assert (first.name, first.weight, first.min_requests) == ("canary 2.5 %", 0.025, 10)
    assert second == CANARY[2]


@pytest.mark.parametrize("text", ["", "fast", "10:many", "10:1:2:3", "shadow,,10"])
def test_what_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_steps(text)


def test_the_usual_way_up_is_shadow_then_one_ten_and_fifty_percent() -> None:
    assert [step.weight for step in default_steps(Strategy.CANARY)] == [0.0, 0.01, 0.1, 0.5]
    assert default_steps(Strategy.SHADOW) == (SHADOW,)
    assert default_steps(Strategy.DIRECT) == ()
    for strategy in Strategy:
        check_spec(RolloutSpec(strategy=strategy, steps=default_steps(strategy)))


def test_a_strategy_is_read_by_name() -> None:
    assert read_strategy("Canary") is Strategy.CANARY
    with pytest.raises(StrategyNotBuilt):
        read_strategy("BlueGreen")
    with pytest.raises(InvalidInput, match="'direct', 'canary', 'shadow'"):
        read_strategy("yolo")


@pytest.mark.parametrize(
    "change",
    [
        {"steps": ()},
        {"strategy": Strategy.DIRECT},
        {"strategy": Strategy.SHADOW},
        {"steps": CANARY[::-1]},
        {"steps": (RolloutStep(name="nothing", min_requests=1),)},
        {"steps": (RolloutStep(name="too much", weight=1.5, min_requests=1),)},
        {"steps": (RolloutStep(name="passes on no data", weight=0.1),)},
        {"steps": (replace(SHADOW, min_labels=-1),)},
        {"alpha": 0.0},
        {"error_ratio": 0.9},
        {"accuracy_margin": 0.5},
        {"max_invalid": -1},
        {"min_agreement": 2.0},
    ],
)
def test_a_spec_that_could_never_work_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        check_spec(replace(SPEC, **change))


def test_a_plan_is_made_whole_from_the_strategys_name() -> None:
    assert plan().strategy is Strategy.DIRECT
    assert plan("canary").steps == CANARY
    assert plan(spec=SPEC, force_reason="why").force_reason == "why"
    with pytest.raises(InvalidInput, match="of a canary, not of a shadow"):
        plan("shadow", SPEC)
