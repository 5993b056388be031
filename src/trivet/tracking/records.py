"""The nouns of tracking, as plain frozen values. Nothing here reads a clock or a disk."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NewType

RunId = NewType("RunId", str)


class RunStatus(StrEnum):
    """Where a run is in its life; only RUNNING accepts writes."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    LOST = "lost"
    CACHED = "cached"


FinalStatus = Literal[RunStatus.FINISHED, RunStatus.FAILED, RunStatus.LOST, RunStatus.CACHED]


class RunKind(StrEnum):
    """What ran: free code, a pipeline, or one step of a pipeline."""

    RUN = "run"
    PIPELINE = "pipeline"
    STEP = "step"


class Outcome(StrEnum):
    """What became of an experiment's hypothesis."""

    OPEN = "open"
    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A line of inquiry: what is to be reached, and what is believed to reach it."""

    name: str
    objective: str
    hypothesis: str
    owner: str
    created_at: datetime
    kill_criteria: tuple[str, ...] = ()
    outcome: Outcome = Outcome.OPEN
    outcome_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of code within an experiment.

    A run leaves RUNNING exactly once. From then on nothing about it changes, so it may be
    cached, and cited by its id, for ever.

    Attributes:
        parent: The run it is part of: a step's pipeline run.
        code: Git commit, digest of the uncommitted diff, entry point and command line.
        environment: The digest of the captured environment, a JSON blob.
        error: The traceback of a failed run, or why a run is lost.
        detail: What its kind adds: a pipeline's graph, a step's cache key.
        process: Host, boot, pid and start of the process that runs it.
    """

    id: RunId
    experiment: str
    name: str
    kind: RunKind
    status: RunStatus
    actor: str
    started_at: datetime
    ended_at: datetime | None = None
    heartbeat_at: datetime | None = None
    parent: RunId | None = None
    code: dict[str, Any] = field(default_factory=dict)
    environment: str | None = None
    error: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    process: dict[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """The run's address."""
        return f"run:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number a run reported at a training step; NaN and infinity are kept as they are."""

    key: str
    value: float
    step: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file of a run: a path within the run, and the blob it names."""

    path: str
    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunData:
    """What a run logged; `metrics` holds the newest value of each key."""

    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    artifacts: tuple[Artifact, ...]
