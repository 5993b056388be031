"""Deployments, revisions, and the rollouts that move traffic from one revision to the next."""

from trivet.rollout.confirmation import Confirmation
from trivet.rollout.engine import RolloutEngine, Stores
from trivet.rollout.errors import (
    DeploymentNotFound,
    GatesNotGreen,
    NotConfirmed,
    NothingServed,
    NothingToRollBackTo,
    RevisionNotFound,
    RolloutActive,
    RolloutFailed,
    RolloutNotFound,
    RolloutUnfinished,
    StrategyNotBuilt,
    VerbRefused,
)
from trivet.rollout.records import (
    CONTROLLER_LEASE,
    Deployment,
    Phase,
    Rollout,
    RolloutSpec,
    RolloutStep,
    Strategy,
    Verb,
)
from trivet.rollout.sql_deployments import SqlDeploymentStore
from trivet.rollout.sql_rollouts import SqlRolloutStore
from trivet.rollout.steps import CANARY, SHADOW, default_steps, read_steps, read_strategy
from trivet.rollout.store import DeploymentStore, RolloutStore
from trivet.rollout.verbs import (
    abort,
    confirmation_of,
    deploy,
    latest,
    pause,
    promote,
    resume,
    rollback,
    wait_for_gateways,
)

__all__ = [
    "CANARY",
    "CONTROLLER_LEASE",
    "SHADOW",
    "Confirmation",
    "Deployment",
    "DeploymentNotFound",
    "DeploymentStore",
    "GatesNotGreen",
    "NotConfirmed",
    "NothingServed",
    "NothingToRollBackTo",
    "Phase",
    "RevisionNotFound",
    "Rollout",
    "RolloutActive",
    "RolloutEngine",
    "RolloutFailed",
    "RolloutNotFound",
    "RolloutSpec",
    "RolloutStep",
    "RolloutStore",
    "RolloutUnfinished",
    "SqlDeploymentStore",
    "SqlRolloutStore",
    "Stores",
    "Strategy",
    "StrategyNotBuilt",
    "Verb",
    "VerbRefused",
    "abort",
    "confirmation_of",
    "default_steps",
    "deploy",
    "latest",
    "pause",
    "promote",
    "read_steps",
    "read_strategy",
    "resume",
    "rollback",
    "wait_for_gateways",
]
