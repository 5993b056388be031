"""The registry in the database."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from trivet.kernel.digests import Digest
from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import check_name
from trivet.ledger import Edge, EvidenceNotFound, Recorder, StaleGeneration, Verdict
from trivet.registry.completeness import check_complete, content_digest, identity_digest
from trivet.registry.errors import (
    DuplicateVersion,
    EvidenceMissing,
    ModelNotFound,
    NotAdmitted,
    VersionNotFound,
)
from trivet.registry.json_form import content_from_json, content_to_json
from trivet.registry.records import Alias, Model, ModelVersion, NewVersion
from trivet.storage.sql.database import ConstraintViolated, Database, Row
from trivet.storage.sql.schema import ledger
from trivet.storage.sql.schema.registry import model_aliases, model_versions, models

_CARRIES = (Verdict.PASSED, Verdict.FORCED)


class SqlModelStore:
    """Keeps models, versions and aliases as rows; `models.latest` hands out the numbers."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def create_model(self, name: str, *, description: str = "", owner: str = "") -> Model:
        check_name(name)
        try:
            with self._database.write() as connection:
                return self._find_or_create(connection, name, description, owner)
        except ConstraintViolated:
            return self.get_model(name)  # Somebody else created it just before.

    def get_model(self, name: str) -> Model:
        with self._database.read() as connection:
            row = _find_model(connection, name)
        if row is None:
            raise ModelNotFound(name)
        return _to_model(row)

    def list_models(self) -> list[Model]:
        with self._database.read() as connection:
            return [
                _to_model(row)
                for row in connection.execute(select(models).order_by(models.c.name))
            ]

    def register(self, model: str, content: NewVersion) -> ModelVersion:
        check_complete(model, content)
        self.create_model(model)
        identity = identity_digest(content)
        with self._database.write() as connection:
            # Raising the count locks the model's row, so that registrations queue up here.
            connection.execute(
                update(models).where(models.c.name == model).values(latest=models.c.latest + 1)
            )
            _refuse_duplicate(connection, model, identity)
            _check_admission(connection, model, content.evidence)
            number = connection.execute(
                select(models.c.latest).where(models.c.name == model)
            ).scalar_one()
            version = ModelVersion(
                model=model,
                version=number,
                digest=content_digest(content),
                at=self._recorder.clock(),
                author=self._recorder.actor,
                content=content,
            )
            _insert_version(connection, version, identity)
            self._record_registration(connection, version)
        return version

    def get_version(self, model: str, version: int | str) -> ModelVersion:
        with self._database.read() as connection:
            number = _version_number(connection, model, version)
            row = connection.execute(
                select(model_versions).where(
                    (model_versions.c.model == model) & (model_versions.c.version == number)
                )
            ).one_or_none()
            if row is None and _find_model(connection, model) is None:
                raise ModelNotFound(model)
        if row is None:
            raise VersionNotFound(model, version)
        return _to_version(row)

    def list_versions(self, model: str) -> list[ModelVersion]:
        self.get_model(model)
        with self._database.read() as connection:
            rows = connection.execute(
                select(model_versions)
                .where(model_versions.c.model == model)
                .order_by(model_versions.c.version.desc())
            )
            return [_to_version(row) for row in rows]

    def set_alias(
        self, model: str, alias: str, version: int, *, evidence: str, expected: int | None = None
    ) -> Alias:
        if check_name(alias).isdecimal():
            raise InvalidInput(f"{alias!r} is no alias: it would be taken for a version.")
        target = self.get_version(model, version)
        try:
            with self._database.write() as connection:
                _require_carrying(connection, target, alias, evidence)
                moved = self._move_alias(connection, target, alias, evidence, expected)
        except ConstraintViolated:
            # Somebody else made the alias just before.
            raise StaleGeneration(
                f"model:{model}@{alias}", expected, self.get_version(model, alias).version
            ) from None
        return moved

    def list_aliases(self, model: str) -> list[Alias]:
        self.get_model(model)
        with self._database.read() as connection:
            rows = connection.execute(
                select(model_aliases)
                .where(model_aliases.c.model == model)
                .order_by(model_aliases.c.alias)
            )
            return [Alias(**row._mapping) for row in rows]

    def _find_or_create(
        self, connection: Connection, name: str, description: str, owner: str
    ) -> Model:
        row = _find_model(connection, name)
        if row is not None:
            return _to_model(row)
        model = Model(
            name=name,
            description=description,
            owner=owner or self._recorder.actor,
            created_at=self._recorder.clock(),
        )
        values = {field: getattr(model, field) for field in Model.__dataclass_fields__}
        connection.execute(insert(models), {**values, "latest": 0})
        self._recorder.record(
            connection, "model.created", f"model:{name}", {"description": description}
        )
        return model

    def _record_registration(self, connection: Connection, version: ModelVersion) -> None:
        content = version.content
        sources = [(f"run:{content.run}", "trained")] if content.run else []
        sources += [(ref, "data") for ref in content.datasets]
        sources += [(ref, "features") for ref in content.features]
        self._recorder.record(
            connection,
            "model.registered",
            version.ref,
            {
                "run": content.run,
                "digest": version.digest,
                "artifacts": content.artifacts,
                "evidence": list(content.evidence),
                "missing": list(content.missing),
            },
            edges=[Edge(from_ref=ref, to_ref=version.ref, role=role) for ref, role in sources],
        )

    def _move_alias(
        self,
        connection: Connection,
        target: ModelVersion,
        alias: str,
        evidence: str,
        expected: int | None,
    ) -> Alias:
        at = self._recorder.clock()
        this = (model_aliases.c.model == target.model) & (model_aliases.c.alias == alias)
        if expected is None:
            connection.execute(
                insert(model_aliases),
                {
                    "model": target.model,
                    "alias": alias,
                    "version": target.version,
                    "generation": 1,
                    "evidence": evidence,
                    "at": at,
                },
            )
        else:
            moved = connection.execute(
                update(model_aliases)
                .where(this & (model_aliases.c.version == expected))
                .values(
                    version=target.version,
                    generation=model_aliases.c.generation + 1,
                    evidence=evidence,
                    at=at,
                )
            )
            if moved.rowcount == 0:
                found = connection.execute(select(model_aliases.c.version).where(this)).scalar()
                raise StaleGeneration(f"model:{target.model}@{alias}", expected, found)
        now = Alias(**connection.execute(select(model_aliases).where(this)).one()._mapping)
        self._recorder.record(
            connection,
            "alias.moved",
            f"model:{target.model}@{alias}",
            {"from": expected, "to": target.version, "evidence": evidence},
            generation=now.generation,
        )
        return now


def _find_model(connection: Connection, name: str) -> Row | None:
    return connection.execute(select(models).where(models.c.name == name)).one_or_none()


def _version_number(connection: Connection, model: str, version: int | str) -> int:
    text = str(version)
    if text.isascii() and text.isdecimal():
        return int(text)
    number: int | None = connection.execute(
        select(model_aliases.c.version).where(
            (model_aliases.c.model == model) & (model_aliases.c.alias == text)
        )
    ).scalar()
    return -1 if number is None else number


def _refuse_duplicate(connection: Connection, model: str, identity: Digest) -> None:
    version = connection.execute(
        select(model_versions.c.version).where(
            (model_versions.c.model == model) & (model_versions.c.identity == identity)
        )
    ).scalar()
    if version is not None:
        raise DuplicateVersion(model, version)


def _check_admission(connection: Connection, model: str, evidence: Sequence[str]) -> None:
    """Refuse evidence that is not stored, and a gate that did not pass unless one is forced."""
    rows = connection.execute(
        select(ledger.evidence).where(ledger.evidence.c.id.in_(evidence))
    ).all()
    known = {row.id for row in rows}
    for evidence_id in evidence:
        if evidence_id not in known:
            raise EvidenceNotFound(evidence_id)
    if any(row.verdict == Verdict.FORCED for row in rows):
        return
    refused = tuple(row.summary for row in rows if row.verdict != Verdict.PASSED)
    if refused:
        raise NotAdmitted(model, refused)


def _require_carrying(
    connection: Connection, target: ModelVersion, alias: str, evidence: str
) -> None:
    subject = f"model:{target.model}@{alias}"
    row = connection.execute(
        select(ledger.evidence).where(ledger.evidence.c.id == evidence)
    ).one_or_none()
    if row is None:
        raise EvidenceMissing(subject, evidence, "is not stored")
    if row.verdict not in _CARRIES:
        raise EvidenceMissing(
            subject, evidence, f"says {row.verdict}, and neither passed nor forced"
        )
    if row.subject.startswith("model:") and row.subject not in (
        target.ref,
        subject,
        f"model:{target.model}",
    ):
        raise EvidenceMissing(subject, evidence, f"is about {row.subject}, not {target.ref}")


def _insert_version(connection: Connection, version: ModelVersion, identity: Digest) -> None:
    connection.execute(
        insert(model_versions),
        {
            "model": version.model,
            "version": version.version,
            "digest": version.digest,
            "identity": identity,
            "at": version.at,
            "author": version.author,
            "content": content_to_json(version.content),
        },
    )


def _to_model(row: Row) -> Model:
    return Model(
        name=row.name, description=row.description, owner=row.owner, created_at=row.created_at
    )


def _to_version(row: Row) -> ModelVersion:
    return ModelVersion(
        model=row.model,
        version=row.version,
        digest=Digest(row.digest),
        at=row.at,
        author=row.author,
        content=content_from_json(row.content),
    )
