"""The four DORA figures. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from trivet.monitoring import Alert
from trivet.rollout import Phase, Rollout, Strategy
from trivet.scorecard.records import Delivery, Release

_DAY = timedelta(days=1)


def delivery(
    rollouts: Sequence[Rollout],
    releases: Iterable[Release],
    alerts: Iterable[Alert],
    now: datetime,
) -> Delivery:
    """Return deployment frequency, lead time, change failure rate and recovery time.

    Shadows change nothing for callers and are left out, and so is what was superseded. Less than
    a day counts as a day, so that a first release does not look like a hundred a day.

    Source:
        N. Forsgren, J. Humble, G. Kim, "Accelerate" (2018), chapter 2: the four measures.
    """
    ended = [
        rollout
        for rollout in rollouts
        if rollout.phase in (Phase.SUCCEEDED, Phase.ROLLED_BACK)
        and rollout.spec.strategy is not Strategy.SHADOW
    ]
    failed = sum(rollout.phase is Phase.ROLLED_BACK for rollout in ended)
    first = min((rollout.started_at for rollout in ended), default=None)
    leads = [way.seconds for way in releases]
    recoveries = [seconds for alert in alerts for seconds in _recovery(alert)]
    return Delivery(
        releases=len(ended),
        per_day=None if first is None else (len(ended) - failed) / max(1.0, (now - first) / _DAY),
        lead_seconds=median(leads) if leads else None,
        failed=failed,
        failure_rate=failed / len(ended) if ended else None,
        recovery_seconds=median(recoveries) if recoveries else None,
    )


def _recovery(alert: Alert) -> list[float]:
    to_alert = (alert.opened_at - alert.harm_at).total_seconds()
    ends = ("alert_to_rollback_seconds", "alert_to_repair_seconds")
    return [to_alert + alert.detail[end] for end in ends if alert.detail.get(end) is not None][:1]
