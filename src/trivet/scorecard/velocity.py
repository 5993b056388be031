"""The way of each release from a data commit to full traffic, link by link. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from trivet.kernel.durations import format_duration
from trivet.ledger import Fact
from trivet.scorecard.records import Link, Release, Velocity

WAITING_FOR_TRAINING = "data commit to training"
TRAINING = "training and gates"
WAITING_FOR_RELEASE = "registration to release"
PREPARING = "gateways load it"
PROMOTING = "full traffic confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What is known of how a revision came to be; None for what no fact tells.

    Attributes:
        model: The ref of its model version.
        data: The ref of the newest commit it was trained on, and when that was made.
    """

    deployment: str
    revision: int
    model: str
    data: str | None
    committed_at: datetime | None
    run: str | None
    run_started_at: datetime | None
    registered_at: datetime


def release(origin: Origin, facts: Sequence[Fact]) -> Release | None:
    """Return the way of one revision, or None where its rollout did not succeed.

    Args:
        origin: Where the revision's model came from.
        facts: Those of its rollout, by time: `rollout.started` first.
    """
    if not facts or facts[-1].kind != "rollout.succeeded":
        return None
    links: list[Link] = []
    began_at = origin.registered_at
    if origin.run and origin.run_started_at:
        began_at = origin.run_started_at
        if origin.data and origin.committed_at and origin.committed_at <= began_at:
            began_at = origin.committed_at
            links.append(_link(WAITING_FOR_TRAINING, began_at, origin.run_started_at, origin.data))
        links.append(_link(TRAINING, origin.run_started_at, origin.registered_at, origin.run))
    links.append(_link(WAITING_FOR_RELEASE, origin.registered_at, facts[0].at, origin.model))
    links += _steps(facts)
    live_at = facts[-1].at
    return Release(
        deployment=origin.deployment,
        revision=origin.revision,
        model=origin.model,
        rollout=facts[0].subject,
        began_at=began_at,
        live_at=live_at,
        seconds=(live_at - began_at).total_seconds(),
        links=tuple(links),
        slowest=max(links, key=lambda link: link.seconds).name,
    )


def _steps(facts: Sequence[Fact]) -> list[Link]:
    """Return a link for each step of a rollout, holds included in the step they belong to."""
    seconds: dict[str, float] = {}
    for fact, following in pairwise(facts):
        name = _step_name(fact)
        took = (following.at - fact.at).total_seconds()
        seconds[name] = seconds.get(name, 0.0) + took
    return [Link(name=name, seconds=took, ref=facts[0].subject) for name, took in seconds.items()]


def _step_name(fact: Fact) -> str:
    phase = fact.payload.get("phase")
    if phase in ("stepping", "holding"):
        return str(fact.payload.get("step_name") or phase)
    return PROMOTING if phase == "promoting" else PREPARING


def _link(name: str, start: datetime, end: datetime, ref: str) -> Link:
    return Link(name=name, seconds=(end - start).total_seconds(), ref=ref)


def velocity(releases: Iterable[Release]) -> Velocity:
    """Return the answer to the first question: the newest release first."""
    ways = tuple(sorted(releases, key=lambda way: way.live_at, reverse=True))
    if not ways:
        said = "No release has reached full traffic yet, so there is nothing to measure."
        return Velocity(summary=said, releases=(), slowest=None, slowest_seconds=None)
    totals = link_totals(ways)
    slowest = max(totals, key=lambda name: totals[name])
    summary = (
        f"The slowest link is '{slowest}': {format_duration(totals[slowest])} of "
        f"{format_duration(sum(totals.values()))} over {len(ways)} "
        f"{'release' if len(ways) == 1 else 'releases'}."
    )
    return Velocity(
        summary=summary, releases=ways, slowest=slowest, slowest_seconds=totals[slowest]
    )


def link_totals(releases: Iterable[Release]) -> Mapping[str, float]:
    """Return the seconds that each link took over all releases."""
    totals: dict[str, float] = {}
    for way in releases:
        for link in way.links:
            totals[link.name] = totals.get(link.name, 0.0) + link.seconds
    return totals
