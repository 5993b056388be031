"""The pages: a frozen dataclass of facts, a template and a JSON twin for each."""

from starlette.routing import Route

from trivet.server.ui import (
    alerts,
    data,
    deployments,
    features,
    home,
    ledger,
    models,
    monitoring,
    patterns,
    pipelines,
    predictions,
    refs,
    runs,
)
from trivet.server.ui.page import Page
from trivet.server.ui.rendering import Renderer

_ROOMS = (
    home,
    data,
    features,
    runs,
    pipelines,
    models,
    deployments,
    monitoring,
    alerts,
    predictions,
    refs,
    ledger,
    patterns,
)
_PAGES = tuple(page for room in _ROOMS for page in room.PAGES)


def page_list() -> tuple[Page, ...]:
    """Return every kind of page there is."""
    return _PAGES


def page_routes(renderer: Renderer) -> list[Route]:
    """Return the routes of every page and its JSON twin; the most exact ones first."""
    return [route for page in _PAGES for route in renderer.routes(page)]
