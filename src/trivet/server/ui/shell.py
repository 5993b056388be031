"""What surrounds every page: the rail of rooms, and the pulse that says what needs attention."""

from dataclasses import dataclass

from trivet.app import App

ROOMS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("build", (("data", "/data"), ("features", "/features"), ("runs", "/runs"),
               ("pipelines", "/pipelines"))),
    ("release", (("models", "/models"), ("deployments", "/deployments"))),
    ("watch", (("monitoring", "/monitoring"), ("alerts", "/alerts"))),
    ("prove", (("lineage", "/lineage"), ("ledger", "/ledger"))),
)  # fmt: skip
"""The rail: groups of (room, address), in the order of a model's life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What needs attention at this moment.

    Attributes:
        open_alerts: Alerts that nobody has closed.
        moving: Names of deployments with a rollout under way.
    """

    open_alerts: int = 0
    moving: tuple[str, ...] = ()


def read_pulse(app: App) -> Pulse:
    """Return the pulse of the home."""
    return Pulse(
        open_alerts=len(app.alerts.list_alerts(open_only=True)),
        moving=tuple(rollout.deployment for rollout in app.rollouts.list_rollouts(active=True)),
    )
