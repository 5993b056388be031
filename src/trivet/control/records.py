"""The nouns of control: repairs, and the policies they follow."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How much control does by itself: nothing, what a person confirmed, or all of it."""

    MANUAL = "manual"
    ASK = "ask"
    AUTO = "auto"


class RepairPhase(StrEnum):
    """Where a repair is. DONE, FAILED and REFUSED are for ever."""

    NOTICED = "noticed"
    TRAINING = "training"
    REGISTERED = "registered"
    SHADOW = "shadow"
    CANARY = "canary"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return self in (RepairPhase.DONE, RepairPhase.FAILED, RepairPhase.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPolicy:
    """When and how a deployment's model is trained anew: `deployment.settings["repair"]`.

    Attributes:
        level: How much control does by itself.
        project: The folder that the pipeline is run in, absolute or relative to the home.
        pipeline: File and function: `pipeline.py:train`.
        params: Parameters of the pipeline; `{until}` stands for the newest event time's date.
        datasets: What it trains on; while the newest judgement of one is red, nothing is trained.
        cooldown: The least event time between the beginnings of two repairs.
        max_per_30_days: How many repairs may begin within 30 days of event time.
        every: The most event time without a training, after which one is begun without an alert.
        time_limit: How much wall-clock time training may take.
        min_pairs: Requests with known outcomes, answered by both models, that the comparison of
            champion and challenger needs.
        min_span: How much event time these must span at least: one day is not like another.
        max_pairs: From how many on an undecided comparison is one the champion has won.
        steps: Steps of the release, as `trivet deploy canary --steps` takes them; the usual ones
            without the shadow, which the comparison has been, by default.
    """

    level: Level
    project: str = "."
    pipeline: str = ""
    params: dict[str, str] = field(default_factory=dict)
    datasets: tuple[str, ...] = ()
    cooldown: timedelta = timedelta(days=7)
    max_per_30_days: int = 4
    every: timedelta | None = None
    time_limit: timedelta = timedelta(minutes=30)
    min_pairs: int = 200
    min_span: timedelta = timedelta(days=2)
    max_pairs: int = 5_000
    steps: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One attempt to make a deployment's model good again. It ends exactly once.

    Attributes:
        cause: `harm`, or `schedule`.
        alert: The id of the alert that it answers, if one did cause it.
        event_at: The newest event time when it began; cooldown and budget go by it.
        model: The ref of the version that training registered.
        rollout: The id of the rollout that it waits for.
        version: Counts the writes; a write expects the one before.
    """

    id: str
    deployment: str
    cause: str
    alert: str | None
    phase: RepairPhase
    reason: str
    started_at: datetime
    event_at: datetime
    phase_at: datetime
    ended_at: datetime | None = None
    model: str | None = None
    rollout: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    version: int = 1
