"""Pages of features: views, what they fold, how fresh they are, and the services made of them."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from trivet.app import App
from trivet.features import FeaturePlan, FeatureService, FeatureView, Materialization
from trivet.server.ui.graph import Drawing
from trivet.server.ui.lineage import draw_lineage
from trivet.server.ui.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSummary:
    """A view and when its online values were last filled."""

    view: FeatureView
    filled_at: datetime | None
    rows: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturesPage:
    """All views and services."""

    views: tuple[ViewSummary, ...]
    services: tuple[FeatureService, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPage:
    """One version of a view."""

    view: FeatureView
    is_current: bool
    versions: tuple[int, ...]
    materializations: tuple[Materialization, ...]
    services: tuple[FeatureService, ...]
    lineage: Drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePage:
    """A feature service with its views fixed to the versions in force."""

    service: FeatureService
    plan: FeaturePlan
    lineage: Drawing


def load_features(app: App, _request: Request) -> FeaturesPage:
    """Read the current version of every view and service."""
    return FeaturesPage(
        views=tuple(_summarise(app, view) for view in app.features.list_views()),
        services=tuple(app.features.list_services()),
    )


def load_named(app: App, request: Request) -> ViewPage | ServicePage:
    """Read the view or the service of this name; they share their names."""
    name, asked = request.path_params["name"], request.query_params.get("version", "")
    if name in [service.name for service in app.features.list_services()]:
        return _service(app, name, int(asked) if asked.isdecimal() else None)
    return _view(app, name, asked)


def _service(app: App, name: str, version: int | None) -> ServicePage:
    service = app.features.get_service(name, version)
    return ServicePage(
        service=service,
        plan=app.features.plan(service),
        lineage=draw_lineage(app, service.ref),
    )


def _view(app: App, name: str, asked: str) -> ViewPage:
    current = app.features.get_view(name)
    view = app.features.get_view(name, int(asked)) if asked.isdecimal() else current
    services = app.features.list_services()
    return ViewPage(
        view=view,
        is_current=view.version == current.version,
        versions=tuple(range(current.version, 0, -1)),
        materializations=tuple(app.features.list_materializations(name, limit=20)),
        services=tuple(s for s in services if name in [used for used, _ in s.views]),
        lineage=draw_lineage(app, view.ref),
    )


def _summarise(app: App, view: FeatureView) -> ViewSummary:
    filled = app.features.list_materializations(view.name, limit=1)
    return ViewSummary(
        view=view,
        filled_at=filled[0].at if filled else None,
        rows=filled[0].rows if filled else None,
    )


PAGES = (
    Page(address="/features", template="features/list.html", room="features", load=load_features),
    Page(
        address="/features/{name:path}",
        template="features/show.html",
        room="features",
        load=load_named,
    ),
)
