"""Read a deployment's repair policy, and decide whether a repair may begin. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from trivet.control.errors import BadPolicy
from trivet.control.records import Level, Repair, RepairPolicy
from trivet.kernel.durations import parse_duration

_MONTH = timedelta(days=30)


def read_policy(settings: dict[str, Any]) -> RepairPolicy | None:
    """Return the policy in a deployment's settings, or None where it has none.

    Raises:
        BadPolicy: A value is unknown or is not of its type.
    """
    given = settings.get("repair")
    if given is None:
        return None
    unknown = sorted(set(given) - set(RepairPolicy.__slots__))
    if unknown:
        raise BadPolicy(f"it has no setting {unknown[0]!r}")
    try:
        values = {name: _typed(name, value) for name, value in given.items()}
        policy = RepairPolicy(**values)
    except (TypeError, ValueError) as error:
        raise BadPolicy(str(error)) from None
    if policy.level is not Level.MANUAL and ":" not in policy.pipeline:
        raise BadPolicy(f"pipeline is {policy.pipeline!r}; write 'pipeline.py:train'")
    return policy


def _typed(name: str, value: Any) -> Any:
    if name == "level":
        return Level(value)
    if name in ("cooldown", "every", "time_limit", "min_span"):
        return None if value is None else parse_duration(value)
    if name == "datasets":
        return tuple(value)
    if name == "params":
        return {str(key): str(item) for key, item in value.items()}
    return int(value) if name in ("max_per_30_days", "min_pairs", "max_pairs") else str(value)


def why_not_now(policy: RepairPolicy, past: Sequence[Repair], event_at: datetime) -> str | None:
    """Return why no repair may begin at this event time, or None if one may.

    Args:
        policy: The deployment's policy.
        past: Its repairs so far; those refused for red data neither count nor cool down.
        event_at: The newest event time.
    """
    begun = [repair for repair in past if repair.detail.get("trained")]
    newest = max((repair.event_at for repair in begun), default=None)
    if newest is not None and event_at - newest < policy.cooldown:
        until = newest + policy.cooldown
        return f"the last repair began at {newest:%Y-%m-%d}; it cools down until {until:%Y-%m-%d}"
    recent = sum(1 for repair in begun if event_at - repair.event_at < _MONTH)
    if recent >= policy.max_per_30_days:
        return f"{recent} repairs began within 30 days, which is the budget"
    return None


def is_due(policy: RepairPolicy, last_trained: datetime, event_at: datetime) -> bool:
    """Return whether the policy's regular training is due."""
    return policy.every is not None and event_at - last_trained >= policy.every
