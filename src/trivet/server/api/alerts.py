"""The verbs of alerts: triage, confirm, dismiss."""

from trivet.app import App
from trivet.server.api.actions import Given, action, text


def _triage(app: App, path: dict[str, str], _given: Given) -> object:
    return app.alerts.triage(path["id"])


def _confirm(app: App, path: dict[str, str], given: Given) -> object:
    return app.alerts.confirm(path["id"], action=text(given, "reason"))


def _dismiss(app: App, path: dict[str, str], given: Given) -> object:
    return app.alerts.dismiss(path["id"], reason=text(given, "reason"))


routes = [
    action("/alerts/{id}/triage", _triage),
    action("/alerts/{id}/confirm", _confirm),
    action("/alerts/{id}/dismiss", _dismiss),
]
