"""The verbs of releases: promote, pause, resume, abort, roll back."""

from trivet.app import App
from trivet.kernel.errors import InvalidInput
from trivet.rollout import abort, pause, promote, resume, rollback
from trivet.server.api.actions import Given, action, text


def _promote(app: App, path: dict[str, str], given: Given) -> object:
    return promote(app, path["name"], text(given, "reason"))


def _pause(app: App, path: dict[str, str], given: Given) -> object:
    return pause(app, path["name"], text(given, "reason"))


def _resume(app: App, path: dict[str, str], given: Given) -> object:
    return resume(app, path["name"], text(given, "reason"))


def _abort(app: App, path: dict[str, str], given: Given) -> object:
    return abort(app, path["name"], text(given, "reason"))


def _rollback(app: App, path: dict[str, str], given: Given) -> object:
    return rollback(app, path["name"], to=_revision(given), reason=text(given, "reason"))


def _revision(given: Given) -> int | None:
    value = given.get("to")
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not str(value).isdecimal():
        raise InvalidInput(f"'to' is {value!r}; expected the number of a revision.")
    return int(str(value))


routes = [
    action("/deployments/{name:path}/promote", _promote),
    action("/deployments/{name:path}/pause", _pause),
    action("/deployments/{name:path}/resume", _resume),
    action("/deployments/{name:path}/abort", _abort),
    action("/deployments/{name:path}/rollback", _rollback),
]
