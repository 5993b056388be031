"""What may be done over HTTP: one address for each verb, for forms and for JSON alike."""

from starlette.routing import Route

from trivet.server.api import alerts, deployments, ledger, preferences, search


def action_routes() -> list[Route]:
    """Return the routes of everything that changes something."""
    return [
        *deployments.routes,
        *alerts.routes,
        *ledger.routes,
        *preferences.routes,
        *search.routes,
    ]
