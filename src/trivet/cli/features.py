"""`trivet features …`."""

import runpy
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, print_table
from trivet.features import (
    EntityNotOnline,
    FeatureService,
    FeatureView,
    definition_to_json,
    key_from_text,
    plan_to_json,
)
from trivet.features import materialize as fill
from trivet.kernel.clock import utc_now
from trivet.kernel.durations import format_duration
from trivet.kernel.errors import InvalidInput

_EMPTY = "No feature views yet. 'trivet features apply features.py' makes the first ones."


@click.group()
def features() -> None:
    """Define features, fill the online store, and read it."""


@features.command(name="list")
@as_json
@with_app
def list_(app: App, as_json: bool) -> None:
    """List feature views and feature services.

    \b
    Example:
      trivet features list
    """
    views, services = app.features.list_views(), app.features.list_services()
    if as_json:
        definitions: list[FeatureView | FeatureService] = [*views, *services]
        print_json([{**definition_to_json(item), "version": item.version} for item in definitions])
        return
    rows = [
        (view.ref, "view", " · ".join(view.entity), len(view.features), _filled_at(app, view))
        for view in views
    ]
    rows += [
        (item.ref, "service", "", len(app.features.plan(item).inputs), "") for item in services
    ]
    print_table(["ref", "kind", "entity", "features", "filled until"], rows, empty=_EMPTY)


@features.command()
@click.argument("name")
@click.option("--version", type=int, help="Which version; the current one if left out.")
@as_json
@with_app
def show(app: App, name: str, version: int | None, as_json: bool) -> None:
    """Show a feature view or a feature service.

    \b
    Example:
      trivet features show by_carrier
    """
    found = app.features.get(name, version)
    definition = {**definition_to_json(found), "version": found.version}
    if isinstance(found, FeatureView):
        definition["online_entities"] = app.online.count(found.online_name)
        filled = app.features.list_materializations(name, limit=5)
        if as_json:
            print_json({**definition, "materializations": filled})
            return
        _show_view(found, definition["online_entities"], _filled_at(app, found))
    elif as_json:
        print_json(definition)
    else:
        _show_service(found)


@features.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
@with_app
def apply(app: App, file: Path, as_json: bool) -> None:
    """Make the feature views and services that a Python file defines the current ones.

    The file is run as a program of yours. A definition that did not change keeps its version.

    \b
    Example:
      trivet features apply features.py
    """
    found = list(_definitions(file))
    if not found:
        raise InvalidInput(f"{str(file)!r} defines no FeatureView and no FeatureService.")
    before = {view.ref for view in app.features.list_views()}
    before |= {service.ref for service in app.features.list_services()}
    # Views come first, since a service names views that must have been applied.
    found.sort(key=lambda item: isinstance(item, FeatureService))
    applied: list[FeatureView | FeatureService] = [app.features.apply(item) for item in found]
    if as_json:
        print_json([item.ref for item in applied])
        return
    print_table(
        ["ref", "state"],
        [(item.ref, "unchanged" if item.ref in before else "applied") for item in applied],
        empty=_EMPTY,
    )


@features.command()
@click.argument("views", nargs=-1, required=True)
@click.option("--until", help="The last moment to take rows of, in ISO 8601; now if left out.")
@click.option("--at", default="main", show_default=True, help="A branch, tag or commit.")
@as_json
@with_app
def materialize(
    app: App, views: tuple[str, ...], until: str | None, at: str, as_json: bool
) -> None:
    """Fill the online store with each entity's newest row.

    \b
    Example:
      trivet features materialize by_carrier --until 2013-03-01
    """
    end = utc_now() if until is None else _instant(until)
    done = []
    for name in views:
        view = app.features.get_view(name)
        commit = app.datasets.resolve(view.source, at)
        source = app.datasets.read(view.source, commit.id)
        rows = fill(view, source, app.online, end)
        done.append(app.features.record_materialization(view, commit.ref, rows=rows, until=end))
    if as_json:
        print_json(done)
        return
    print_table(
        ["view", "entities", "from"], [(m.view, m.rows, m.commit) for m in done], empty=_EMPTY
    )


@features.command()
@click.argument("view")
@click.option("--entity", "-e", multiple=True, required=True, help="column=value; repeat it.")
@as_json
@with_app
def get(app: App, view: str, entity: tuple[str, ...], as_json: bool) -> None:
    """Read an entity's features from the online store.

    \b
    Example:
      trivet features get by_route --entity origin=EWR --entity dest=SFO
    """
    found = app.features.get_view(view)
    row = app.online.read([(found.online_name, key_from_text(found.entity, entity))])[0]
    if row is None:
        raise EntityNotOnline(found.ref, " ".join(entity))
    values = dict(zip(found.features, row.values, strict=True))
    if as_json:
        print_json({"event_at": row.event_at, "created_at": row.created_at, "features": values})
        return
    shown = {name: "missing" if value is None else value for name, value in values.items()}
    print_facts({"view": found.ref, "event at": row.event_at, **shown})


@features.command()
@click.argument("service")
@as_json
@with_app
def plan(app: App, service: str, as_json: bool) -> None:
    """Show which numbers a model of this service takes, in their order.

    \b
    Example:
      trivet features plan delay
    """
    found = app.features.plan(service)
    if as_json:
        print_json(plan_to_json(found))
        return
    print_table(
        ["place", "input", "from", "by"],
        [
            (place, item.name, item.view or "request", " · ".join(item.entity))
            for place, item in enumerate(found.inputs)
        ],
        empty="The service has no inputs.",
    )


def _show_view(view: FeatureView, entities: int, filled: datetime | str) -> None:
    print_facts(
        {
            "ref": view.ref,
            "description": view.description or None,
            "owner": view.owner or None,
            "entity": ", ".join(view.entity),
            "source": f"dataset:{view.source}",
            "event time": view.event_time,
            "created time": view.created_time,
            "ttl": format_duration(view.ttl.total_seconds()) if view.ttl else None,
            "where": view.where,
            "sql": view.sql,
            "features": ", ".join(view.features),
            "online": f"{entities} entities",
            "filled until": filled or None,
        }
    )


def _show_service(service: FeatureService) -> None:
    views = [f"{view} ({', '.join(names) or 'all'})" for view, names in service.views]
    print_facts(
        {
            "ref": service.ref,
            "views": ", ".join(views),
            "request": ", ".join(feature.name for feature in service.request) or None,
        }
    )


def _filled_at(app: App, view: FeatureView) -> datetime | str:
    last = next(iter(app.features.list_materializations(view.name, limit=1)), None)
    return last.until if last is not None and last.view == view.ref else ""


def _definitions(file: Path) -> Iterator[FeatureView | FeatureService]:
    """Yield what the file defines at its top level, singly or in tuples and lists."""
    folder = str(file.resolve().parent)
    sys.path.insert(0, folder)
    try:
        found = runpy.run_path(str(file))
    finally:
        sys.path.remove(folder)
    seen = set()
    for value in found.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, FeatureView | FeatureService) and item.name not in seen:
                seen.add(item.name)
                yield item


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is no time; write '2013-03-01T10:00:00Z'.") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
