"""Who would know that a model broke, and how soon it would be mended. Pure."""

from collections.abc import Iterable, Mapping

from trivet.kernel.durations import format_duration
from trivet.monitoring import Alert, Precision
from trivet.scorecard.records import Incident, Validation

_KNOW_WITHIN_SECONDS = 600.0
_BACK_WITHIN_SECONDS = 1800.0


def incident(alert: Alert) -> Incident:
    """Return the times that an alert's harm took, as control wrote them down."""
    detail = alert.detail
    return Incident(
        alert=alert.ref,
        deployment=alert.deployment,
        rule=alert.rule,
        harm_at=alert.harm_at,
        harm_to_alert_seconds=(alert.opened_at - alert.harm_at).total_seconds(),
        alert_to_rollback_seconds=detail.get("alert_to_rollback_seconds"),
        alert_to_repair_seconds=detail.get("alert_to_repair_seconds"),
        exposed_share=detail.get("exposed_share"),
    )


def validation(
    alerts: Iterable[Alert],
    *,
    on_call: str,
    owners: Mapping[str, str],
    precision: Iterable[Precision],
) -> Validation:
    """Return the answer to the second question."""
    incidents = tuple(incident(alert) for alert in alerts)
    alerted = [found.harm_to_alert_seconds for found in incidents]
    rolled_back = [
        found.alert_to_rollback_seconds
        for found in incidents
        if found.alert_to_rollback_seconds is not None
    ]
    slowest_alert = max(alerted, default=None)
    slowest_rollback = max(rolled_back, default=None)
    return Validation(
        summary=_summary(on_call, slowest_alert, slowest_rollback, len(incidents)),
        on_call=on_call,
        owners=dict(owners),
        incidents=incidents,
        slowest_alert_seconds=slowest_alert,
        slowest_rollback_seconds=slowest_rollback,
        knows_in_time=_within(slowest_alert, _KNOW_WITHIN_SECONDS),
        is_back_in_time=_within(slowest_rollback, _BACK_WITHIN_SECONDS),
        precision=tuple(precision),
    )


def _summary(
    on_call: str, slowest_alert: float | None, slowest_rollback: float | None, count: int
) -> str:
    who = on_call or "Nobody (set 'on_call' or TRIVET_ON_CALL)"
    if slowest_alert is None:
        return f"{who} would be told; nothing has broken here yet, so how fast is not known."
    said = (
        f"{who} would be told: at worst {format_duration(slowest_alert)} from harm to alert over "
        f"{count} {'incident' if count == 1 else 'incidents'}"
    )
    if slowest_rollback is None:
        return f"{said}; nothing was rolled back yet, so how fast that is is not known."
    if slowest_rollback <= 0:
        return f"{said}; every rollback was over before its alert was raised."
    return f"{said}, and {format_duration(slowest_rollback)} from alert to rollback."


def _within(seconds: float | None, limit: float) -> bool | None:
    return None if seconds is None else seconds <= limit
