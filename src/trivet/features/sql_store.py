"""The feature store in the database."""

from datetime import datetime
from typing import overload

from sqlalchemy import Connection, func, insert, select, update

from trivet.features.codecs import Definition, definition_from_json, definition_to_json
from trivet.features.definitions import FeaturePlan, FeatureService, FeatureView
from trivet.features.errors import (
    FeatureNameTaken,
    FeatureServiceNotFound,
    FeatureViewNotFound,
)
from trivet.features.records import Materialization
from trivet.features.training import make_plan
from trivet.kernel.digests import digest_json
from trivet.ledger import Edge, Recorder
from trivet.storage.sql.database import ConstraintViolated, Database, Row
from trivet.storage.sql.schema import features as schema

definitions, heads = schema.feature_definitions, schema.feature_heads
materializations = schema.materializations
_VIEW = "view"
_SERVICE = "service"


class SqlFeatureStore:
    """Keeps each version of a definition as JSON, and the current one as a pointer."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    @overload
    def apply(self, definition: FeatureView) -> FeatureView: ...
    @overload
    def apply(self, definition: FeatureService) -> FeatureService: ...
    def apply(self, definition: Definition) -> Definition:
        if isinstance(definition, FeatureService):
            self.plan(definition)
        try:
            return self._apply(definition)
        except ConstraintViolated:
            # Somebody else applied the same name just before; their version counts now.
            return self._apply(definition)

    def get(self, name: str, version: int | None = None) -> Definition:
        with self._database.read() as connection:
            found = _find(connection, name, version)
        if found is None:
            raise FeatureViewNotFound(name, version)
        return found

    def get_view(self, name: str, version: int | None = None) -> FeatureView:
        with self._database.read() as connection:
            found = _find(connection, name, version)
        if not isinstance(found, FeatureView):
            raise FeatureViewNotFound(name, version)
        return found

    def list_views(self) -> list[FeatureView]:
        return [view for view in self._list(_VIEW) if isinstance(view, FeatureView)]

    def get_service(self, name: str, version: int | None = None) -> FeatureService:
        with self._database.read() as connection:
            found = _find(connection, name, version)
        if not isinstance(found, FeatureService):
            raise FeatureServiceNotFound(name, version)
        return found

    def list_services(self) -> list[FeatureService]:
        return [item for item in self._list(_SERVICE) if isinstance(item, FeatureService)]

    def plan(self, service: str | FeatureService) -> FeaturePlan:
        named = self.get_service(service) if isinstance(service, str) else service
        return make_plan(named, [self.get_view(view) for view, _ in named.views])

    def record_materialization(
        self, view: FeatureView, commit: str, *, rows: int, until: datetime
    ) -> Materialization:
        row = {
            "id": self._recorder.new_id(),
            "name": view.name,
            "version": view.version,
            "commit_ref": commit,
            "rows": rows,
            "until": until,
            "at": self._recorder.clock(),
        }
        with self._database.write() as connection:
            if _find(connection, view.name, view.version) is None:
                raise FeatureViewNotFound(view.name, view.version)
            connection.execute(insert(materializations), row)
            self._recorder.record(
                connection,
                "features.materialized",
                view.ref,
                {"commit": commit, "rows": rows, "until": until.isoformat()},
                edges=[Edge(from_ref=commit, to_ref=view.ref, role="materialized")],
            )
            return _to_materialization(
                connection.execute(
                    select(materializations).where(materializations.c.id == row["id"])
                ).one()
            )

    def list_materializations(
        self, view: str | None = None, *, limit: int = 100
    ) -> list[Materialization]:
        query = select(materializations).order_by(
            materializations.c.at.desc(), materializations.c.id.desc()
        )
        if view is not None:
            query = query.where(materializations.c.name == view)
        with self._database.read() as connection:
            return [_to_materialization(row) for row in connection.execute(query.limit(limit))]

    def _apply(self, definition: Definition) -> Definition:
        value = definition_to_json(definition)
        with self._database.write() as connection:
            head = connection.execute(
                select(heads).where(heads.c.name == definition.name).with_for_update()
            ).one_or_none()
            if head is not None and head.kind != value["kind"]:
                raise FeatureNameTaken(definition.name, head.kind)
            version = self._version(connection, definition.name, value)
            if head is None or head.version != version:
                self._point(connection, definition.name, value["kind"], version, head)
        return definition_from_json(value, version=version)

    def _version(self, connection: Connection, name: str, value: dict[str, object]) -> int:
        digest = digest_json(value)
        known = connection.execute(
            select(definitions.c.version).where(
                (definitions.c.name == name) & (definitions.c.digest == digest)
            )
        ).scalar()
        if known is not None:
            return int(known)
        last = connection.execute(
            select(func.max(definitions.c.version)).where(definitions.c.name == name)
        ).scalar()
        version = (last or 0) + 1
        connection.execute(
            insert(definitions),
            {
                "name": name,
                "version": version,
                "kind": value["kind"],
                "digest": digest,
                "definition": value,
                "author": self._recorder.actor,
                "at": self._recorder.clock(),
            },
        )
        return version

    def _point(
        self, connection: Connection, name: str, kind: str, version: int, head: Row | None
    ) -> None:
        generation = 1 if head is None else head.generation + 1
        if head is None:
            connection.execute(
                insert(heads),
                {"name": name, "kind": kind, "version": version, "generation": generation},
            )
        else:
            connection.execute(
                update(heads)
                .where(heads.c.name == name)
                .values(version=version, generation=generation)
            )
        self._recorder.record(
            connection,
            "features.applied",
            f"features:{name}@{version}",
            {"kind": kind, "previous": None if head is None else head.version},
            generation=generation,
        )

    def _list(self, kind: str) -> list[Definition]:
        query = (
            select(definitions)
            .join(
                heads,
                (heads.c.name == definitions.c.name) & (heads.c.version == definitions.c.version),
            )
            .where(heads.c.kind == kind)
            .order_by(heads.c.name)
        )
        with self._database.read() as connection:
            return [_to_definition(row) for row in connection.execute(query)]


def _find(connection: Connection, name: str, version: int | None) -> Definition | None:
    query = select(definitions).where(definitions.c.name == name)
    if version is None:
        query = query.join(
            heads,
            (heads.c.name == definitions.c.name) & (heads.c.version == definitions.c.version),
        )
    else:
        query = query.where(definitions.c.version == version)
    row = connection.execute(query).one_or_none()
    return None if row is None else _to_definition(row)


def _to_definition(row: Row) -> Definition:
    return definition_from_json(row.definition, version=row.version)


def _to_materialization(row: Row) -> Materialization:
    return Materialization(
        id=row.id,
        view=f"features:{row.name}@{row.version}",
        commit=row.commit_ref,
        rows=row.rows,
        until=row.until,
        at=row.at,
    )
