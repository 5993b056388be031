"""Deployments and revisions in the database."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from trivet.kernel.digests import canonical_json
from trivet.kernel.refs import check_name
from trivet.ledger import Edge, Recorder
from trivet.registry.records import ModelVersion
from trivet.rollout.errors import DeploymentNotFound, RevisionNotFound, RolloutActive
from trivet.rollout.records import Deployment
from trivet.serving.records import RevisionSpec
from trivet.storage.sql.database import Database, Row
from trivet.storage.sql.schema.rollout import deployments, revisions


class SqlDeploymentStore:
    """Keeps a row a deployment and a row a revision."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def create_deployment(
        self,
        name: str,
        model: str,
        *,
        unit: str | None = None,
        owner: str = "",
        settings: Mapping[str, Any] | None = None,
        connection: Connection | None = None,
    ) -> Deployment:
        deployment = Deployment(
            name=check_name(name),
            model=check_name(model),
            unit=unit,
            owner=owner or self._recorder.actor,
            created_at=self._recorder.clock(),
            settings=dict(settings or {}),
        )
        with self._database.join(connection) as transaction:
            existing = _find(transaction, name)
            if existing is not None:
                if existing.model != model:
                    detail = f"it serves versions of {existing.model!r}, not of {model!r}"
                    raise RolloutActive(name, detail)
                return existing
            row = {field: getattr(deployment, field) for field in Deployment.__dataclass_fields__}
            transaction.execute(insert(deployments), row)
            self._recorder.record(
                transaction,
                "deployment.created",
                f"deployment:{name}",
                {"model": model, "unit": unit, "owner": deployment.owner},
            )
        return deployment

    def configure(self, name: str, settings: Mapping[str, Any]) -> Deployment:
        with self._database.write() as connection:
            written = connection.execute(
                update(deployments)
                .where(deployments.c.name == name)
                .values(settings=dict(settings))
            )
            if written.rowcount == 0:
                raise DeploymentNotFound(name)
            self._recorder.record(
                connection, "deployment.configured", f"deployment:{name}", dict(settings)
            )
        return self.get_deployment(name)

    def get_deployment(self, name: str) -> Deployment:
        found = self.find_deployment(name)
        if found is None:
            raise DeploymentNotFound(name)
        return found

    def find_deployment(self, name: str) -> Deployment | None:
        with self._database.read() as connection:
            return _find(connection, name)

    def list_deployments(self) -> list[Deployment]:
        with self._database.read() as connection:
            rows = connection.execute(select(deployments).order_by(deployments.c.name))
            return [Deployment(**row._mapping) for row in rows]

    def add_revision(
        self,
        deployment: str,
        version: ModelVersion,
        *,
        settings: Mapping[str, Any] | None = None,
        connection: Connection | None = None,
    ) -> RevisionSpec:
        with self._database.join(connection) as transaction:
            # Writing the name back locks the deployment, so that two who count at once do not
            # come to the same number.
            locked = transaction.execute(
                update(deployments).where(deployments.c.name == deployment).values(name=deployment)
            )
            if locked.rowcount == 0:
                raise DeploymentNotFound(deployment)
            highest = transaction.execute(
                select(func.max(revisions.c.number)).where(revisions.c.deployment == deployment)
            ).scalar()
            revision = _to_revision(deployment, (highest or 0) + 1, version, settings or {})
            transaction.execute(insert(revisions), asdict(revision))
            self._recorder.record(
                transaction,
                "revision.created",
                revision.ref,
                {"model": revision.model, "artifacts": revision.artifacts},
                edges=[Edge(from_ref=version.ref, to_ref=revision.ref, role="serves")],
            )
        return revision

    def get_revision(self, deployment: str, number: int) -> RevisionSpec:
        with self._database.read() as connection:
            row = connection.execute(
                select(revisions).where(
                    (revisions.c.deployment == deployment) & (revisions.c.number == number)
                )
            ).one_or_none()
        if row is None:
            raise RevisionNotFound(deployment, number)
        return RevisionSpec(**row._mapping)

    def list_revisions(self, deployment: str) -> list[RevisionSpec]:
        query = (
            select(revisions)
            .where(revisions.c.deployment == deployment)
            .order_by(revisions.c.number.desc())
        )
        with self._database.read() as connection:
            return [RevisionSpec(**row._mapping) for row in connection.execute(query)]


def _find(connection: Connection, name: str) -> Deployment | None:
    row: Row | None = connection.execute(
        select(deployments).where(deployments.c.name == name)
    ).one_or_none()
    return None if row is None else Deployment(**row._mapping)


def _to_revision(
    deployment: str, number: int, version: ModelVersion, settings: Mapping[str, Any]
) -> RevisionSpec:
    content = version.content
    # As it will be read back: lists in place of tuples.
    signature = json.loads(canonical_json(asdict(content.signature)))
    return RevisionSpec(
        deployment=deployment,
        number=number,
        model=version.ref,
        format=content.format,
        artifacts={name: str(digest) for name, digest in content.artifacts.items()},
        signature=signature,
        settings=dict(settings),
    )
