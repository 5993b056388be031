"""What the three questions are answered with, as plain frozen values; all of it fits into JSON."""

from dataclasses import dataclass
from datetime import datetime

from trivet.monitoring import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of the way from data to production, and how long it took."""

    name: str
    seconds: float
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """How one model version came to answer everybody.

    Attributes:
        links: In the order of time; they add up to `seconds`.
        slowest: The name of the longest one.
    """

    deployment: str
    revision: int
    model: str
    rollout: str
    began_at: datetime
    live_at: datetime
    seconds: float
    links: tuple[Link, ...]
    slowest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Velocity:
    """Which link between an idea and production is the slowest?

    `slowest` names the link that took most time over all releases; None without a release.
    """

    summary: str
    releases: tuple[Release, ...]
    slowest: str | None
    slowest_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """How long it took from harm to its end, measured; None for what has not happened."""

    alert: str
    deployment: str
    rule: str
    harm_at: datetime
    harm_to_alert_seconds: float
    alert_to_rollback_seconds: float | None
    alert_to_repair_seconds: float | None
    exposed_share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """If the model broke at 3 a.m., who would know within ten minutes, and be back in thirty?

    Attributes:
        on_call: Who is told; "" where nobody is named.
        owners: Deployments and who owns them.
        knows_in_time: Whether every alert so far came within ten minutes of the harm; None
            where there has been none.
        is_back_in_time: Whether every rollback so far was over within thirty minutes of its
            alert; None where there has been none.
    """

    summary: str
    on_call: str
    owners: dict[str, str]
    incidents: tuple[Incident, ...]
    slowest_alert_seconds: float | None
    slowest_rollback_seconds: float | None
    knows_in_time: bool | None
    is_back_in_time: bool | None
    precision: tuple[Precision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One attempt to reproduce a run."""

    evidence: str
    subject: str
    at: datetime
    verdict: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Versioning:
    """Can the result of six months ago be reproduced, exactly, by somebody else?

    Attributes:
        oldest_run_at: When the oldest run was, that was reproduced to the last bit.
        never_tried: Model versions none of whose runs anybody tried to reproduce.
        is_intact: Whether the ledger verified; None where it was not asked to.
    """

    summary: str
    passed: int
    failed: int
    certificates: tuple[Certificate, ...]
    oldest_run_at: datetime | None
    never_tried: tuple[str, ...]
    facts: int
    is_intact: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The four DORA figures over all of the ledger; None where nothing was measured.

    Attributes:
        releases: Canary and direct releases that ended.
        per_day: Of them, those that succeeded, by day between the first and now.
        lead_seconds: The median time from the data's commit to full traffic.
        failed: Those that were rolled back.
        failure_rate: Their share.
        recovery_seconds: The median time from first harm to rollback or repair.
    """

    releases: int
    per_day: float | None
    lead_seconds: float | None
    failed: int
    failure_rate: float | None
    recovery_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The three questions, answered from facts."""

    at: datetime
    velocity: Velocity
    validation: Validation
    versioning: Versioning
    delivery: Delivery
