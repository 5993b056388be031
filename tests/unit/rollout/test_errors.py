"""Every error keeps its facts, survives a trip between processes, and is a sentence."""

import pickle

import pytest

from trivet.kernel.errors import TrivetError
from trivet.rollout import errors

ALL = [
    errors.DeploymentNotFound("delay"),
    errors.RevisionNotFound("delay", 7),
    errors.RolloutNotFound("delay"),
    errors.RolloutActive("delay", "another is under way"),
    errors.VerbRefused("promote", "r1", "pending"),
    errors.GatesNotGreen("model:delay@2", ("gate failed: AUC 0.6",)),
    errors.NothingToRollBackTo("delay", 1),
    errors.NothingToRollBackTo("delay", None),
    errors.NothingServed("delay", "canary"),
    errors.StrategyNotBuilt("blue-green"),
    errors.RolloutFailed("r1", "rolled_back", "It failed."),
    errors.RolloutUnfinished("r1", "holding", "No gateway is up."),
    errors.NotConfirmed("delay", 3, ()),
    errors.NotConfirmed("delay", 3, ("g1", "g2")),
]


def test_every_error_is_tried() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    mine = {kind for kind in kinds if kind.__module__ == errors.__name__}
    assert mine == {type(error) for error in ALL}


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_and_is_a_sentence(error: TrivetError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), str(again), again.args) == (type(error), str(error), error.args)
    assert str(error).endswith((".", "shows those there are."))
