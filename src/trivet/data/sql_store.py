"""Datasets with rows in Lance and the graph of their commits in the database."""

from dataclasses import replace
from datetime import datetime

import pyarrow as pa
from sqlalchemy import func, insert, select

from trivet.data import changes as change_of
from trivet.data import graph
from trivet.data.changes import Changes, State
from trivet.data.contract import parse_contract
from trivet.data.errors import ContractViolated, DatasetExists
from trivet.data.graph import Node
from trivet.data.judging import Judgement, Terms, judge_rows, read_terms
from trivet.data.publishing import Draft, publish
from trivet.data.records import (
    Branch,
    Change,
    Commit,
    CommitId,
    ContractReport,
    Dataset,
    Tag,
)
from trivet.data.rows import fit_rows
from trivet.data.store import WriteMode
from trivet.data.touched import touched_rows
from trivet.kernel.digests import digest_bytes
from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Ref, check_name
from trivet.ledger import Recorder, StaleGeneration, Verdict
from trivet.storage.sql import ConstraintViolated, Database
from trivet.storage.sql.schema import data as schema
from trivet.storage.tables import LanceTables, Query, TableVersion, quoted

_KINDS: dict[str, Change] = {
    "append": Change.APPENDED,
    "upsert": Change.UPSERTED,
    "replace": Change.REPLACED,
    "delete": Change.DELETED,
}


class SqlDatasetStore:
    """Keeps the rows of a dataset as versions of a Lance table, which commits cite.

    Rows are written first and become visible when the branch moves, in the transaction that also
    holds the commit and its fact. A crash in between leaves a version that nothing cites.
    """

    def __init__(self, database: Database, recorder: Recorder, tables_url: str) -> None:
        self.database = database
        self.recorder = recorder
        self.tables = LanceTables(tables_url, recorder.new_id)

    def create(
        self,
        name: str,
        *,
        key: tuple[str, ...],
        event_time: str | None = None,
        description: str = "",
        owner: str = "",
    ) -> Dataset:
        check_name(name)
        if not key or len(set(key)) != len(key):
            raise InvalidInput(f"Dataset {name!r} needs a key: one column or several, each once.")
        dataset = Dataset(
            name=name,
            key=tuple(key),
            event_time=event_time,
            description=description,
            owner=owner or self.recorder.actor,
            created_at=self.recorder.clock(),
        )
        values = {field: getattr(dataset, field) for field in Dataset.__dataclass_fields__}
        values |= {"key": list(key), "table_name": _table_name(name, self.recorder.new_id())}
        try:
            with self.database.write() as connection:
                connection.execute(insert(schema.datasets), values)
                self.recorder.record(
                    connection,
                    "dataset.created",
                    f"dataset:{name}",
                    {"key": list(key), "event_time": event_time, "owner": dataset.owner},
                )
        except ConstraintViolated:
            raise DatasetExists(name) from None
        return dataset

    def get(self, name: str) -> Dataset:
        with self.database.read() as connection:
            return graph.find_dataset(connection, name)[0]

    def list_datasets(self) -> list[Dataset]:
        query = select(schema.datasets).order_by(schema.datasets.c.name)
        with self.database.read() as connection:
            return [graph.to_dataset(row) for row in connection.execute(query)]

    def commit(
        self,
        name: str,
        rows: pa.Table,
        *,
        message: str,
        branch: str = "main",
        mode: WriteMode = "upsert",
        expected: CommitId | None = None,
        source: str | None = None,
    ) -> Commit:
        draft, table, head = self._begin(name, branch, mode, message, source, expected)
        changes = self._work_out(draft.dataset, table, head, rows, mode)
        if head is not None and changes.is_empty:
            return head.commit
        return self.write(draft, table, changes)

    def set_aside(
        self, name: str, rows: pa.Table, *, branch: str, message: str, why: str, source: str | None
    ) -> Commit:
        """Commit rows to an unprotected branch as red, whatever the contract finds in them."""
        draft, table, head = self._begin(name, branch, "upsert", message, source, None)
        changes = self._work_out(draft.dataset, table, head, rows, "upsert")
        return self.write(replace(draft, aside=why), table, changes)

    def write(self, draft: Draft, table: str, changes: Changes) -> Commit:
        """Judge a change, carry it out and move the branch; `merge_branch` uses it too."""
        terms, protected = self._terms(draft)
        judgement = judge_rows(terms, draft.dataset, changes.incoming, self.recorder.clock())
        if draft.aside is not None:
            judgement = judgement.put_aside(draft.aside)
        self._refuse_if_red(draft, judgement, protected)
        at = self._carry_out(table, draft, changes)
        if judgement.verdict is not Verdict.FAILED and not changes.overwrites:
            if draft.follows_red:
                judgement = self._judge_since_green(draft, terms, table, changes, at)
                self._refuse_if_red(draft, judgement, protected)
            elif draft.head is not None and changes.incoming.num_rows == 0:
                # Nothing came in, so the last verdict was on the rows that stay.
                judgement = Judgement.of(draft.head.commit)
        return publish(self.database, self.recorder, draft, changes, at, judgement)

    def _judge_since_green(
        self, draft: Draft, terms: Terms, table: str, changes: Changes, at: TableVersion
    ) -> Judgement:
        """Judge all that is otherwise than in the last ancestor that was not red."""
        after = State(
            table=self.tables.open(table, at), rows=changes.rows, content=changes.content
        )
        with self.database.read() as connection:
            green = graph.find_green(connection, [node.commit.id for node in draft.before])
        if green is None:
            rows = after.table.to_table()
        else:
            rows = touched_rows(draft.dataset, self.state_of(table, green), after)
            if rows.num_rows == 0:
                return Judgement.of(green.commit)
        return judge_rows(terms, draft.dataset, rows, self.recorder.clock())

    def _terms(self, draft: Draft) -> tuple[Terms, bool]:
        head = None if draft.head is None else draft.head.commit.id
        with self.database.read() as connection:
            terms = read_terms(connection, draft.dataset.name, head)
            branches = graph.list_branches(connection, draft.dataset.name)
        protected = {branch.name: branch.protected for branch in branches}
        return terms, protected.get(draft.branch, draft.branch == "main")

    def _refuse_if_red(self, draft: Draft, judgement: Judgement, protected: bool) -> None:
        if not protected or judgement.verdict is not Verdict.FAILED or judgement.report is None:
            return
        name = draft.dataset.name
        about = f"dataset:{name}" if draft.head is None else draft.head.commit.ref
        with self.database.write() as connection:
            evidence = judgement.judge(connection, self.recorder, about)
        raise ContractViolated(name, draft.branch, judgement.report, evidence.id)

    def resolve(self, name: str, at: str = "main") -> Commit:
        return self.node(name, at).commit

    def node(self, name: str, at: str = "main") -> Node:
        """Return the commit that `at` names, and where its rows are."""
        with self.database.read() as connection:
            graph.find_dataset(connection, name)
            return graph.find_node(connection, name, at)

    def log(self, name: str, at: str = "main", limit: int = 50) -> list[Commit]:
        with self.database.read() as connection:
            graph.find_dataset(connection, name)
            start = graph.find_node(connection, name, at)
            nodes = graph.history(connection, start.commit.id, limit)
        return [node.commit for node in nodes]

    def read(
        self,
        name: str,
        at: str = "main",
        *,
        columns: list[str] | None = None,
        where: str | None = None,
    ) -> pa.Table:
        state = self.state(name, at)
        kept = state.schema
        unknown = [column for column in columns or () if column not in kept.names]
        if unknown:
            raise InvalidInput(f"Dataset {name!r} has no column {unknown[0]!r} at {at!r}.")
        wanted = pa.schema([kept.field(column) for column in columns]) if columns else kept
        if where is None:
            return state.table.to_table(columns=wanted.names).cast(wanted)
        with Query({"data": state.table}) as query:
            found = query.table(f"SELECT {quoted(wanted.names)} FROM data WHERE ({where})")
        return found.cast(wanted)

    def state(self, name: str, at: str = "main") -> State:
        """Return the rows of a commit as a Lance dataset, for engines to scan as they need."""
        with self.database.read() as connection:
            _dataset, table = graph.find_dataset(connection, name)
            node = graph.find_node(connection, name, at)
        return self.state_of(table, node)

    def state_of(self, table: str, node: Node) -> State:
        """Return the rows of a commit whose table is known."""
        commit = node.commit
        opened = self.tables.open(table, node.at)
        return State(table=opened, rows=commit.rows, content=commit.content)

    def set_contract(self, dataset: str, text: str) -> int:
        parse_contract(text)
        contracts = schema.dataset_contracts
        with self.database.write() as connection:
            graph.find_dataset(connection, dataset)
            newest = connection.execute(
                select(func.max(contracts.c.version)).where(contracts.c.dataset == dataset)
            ).scalar()
            version = int(newest or 0) + 1
            values = {"dataset": dataset, "version": version, "text": text}
            values |= {"author": self.recorder.actor, "at": self.recorder.clock()}
            connection.execute(insert(contracts), values)
            said = {"version": version, "digest": digest_bytes(text.encode())}
            self.recorder.record(connection, "dataset.contracted", f"dataset:{dataset}", said)
        return version

    def find_contract(self, dataset: str) -> str | None:
        contracts = schema.dataset_contracts
        with self.database.read() as connection:
            graph.find_dataset(connection, dataset)
            text: str | None = connection.execute(
                select(contracts.c.text)
                .where(contracts.c.dataset == dataset)
                .order_by(contracts.c.version.desc())
                .limit(1)
            ).scalar()
            return text

    def check(self, dataset: str, rows: pa.Table) -> ContractReport:
        with self.database.read() as connection:
            known, table = graph.find_dataset(connection, dataset)
            head = graph.find_head(connection, dataset, "main")
            terms = read_terms(connection, dataset, None if head is None else head.commit.id)
        schema_now = None if head is None else self.state_of(table, head).schema
        fitted = fit_rows(known, rows, schema_now)
        judgement = judge_rows(terms, known, fitted, self.recorder.clock())
        return judgement.report or ContractReport(verdict=Verdict.NO_DATA)

    def list_branches(self, name: str) -> list[Branch]:
        with self.database.read() as connection:
            graph.find_dataset(connection, name)
            return graph.list_branches(connection, name)

    def create_branch(self, name: str, branch: str, *, at: str = "main") -> Branch:
        check_name(branch)
        with self.database.write() as connection:
            graph.find_dataset(connection, name)
            commit = graph.find_node(connection, name, at).commit
            graph.insert_branch(connection, name, branch, commit.id, protected=branch == "main")
            self.recorder.record(
                connection, "dataset.branched", commit.ref, {"branch": branch}, generation=1
            )
        return next(each for each in self.list_branches(name) if each.name == branch)

    def tag(self, name: str, tag: str, *, at: str = "main") -> Tag:
        """Give a commit a name that never moves."""
        check_name(tag)
        now: datetime = self.recorder.clock()
        with self.database.write() as connection:
            graph.find_dataset(connection, name)
            commit = graph.find_node(connection, name, at).commit
            graph.insert_tag(connection, name, tag, commit.id, self.recorder.actor, now)
            self.recorder.record(connection, "dataset.tagged", commit.ref, {"tag": tag})
        return Tag(dataset=name, name=tag, commit=commit.id, author=self.recorder.actor, at=now)

    def list_tags(self, name: str) -> list[Tag]:
        """Return the tags by name."""
        with self.database.read() as connection:
            graph.find_dataset(connection, name)
            return graph.list_tags(connection, name)

    def _begin(
        self,
        name: str,
        branch: str,
        mode: WriteMode,
        message: str,
        source: str | None,
        expected: CommitId | None,
    ) -> tuple[Draft, str, Node | None]:
        if mode not in _KINDS:
            raise InvalidInput(f"{mode!r} is no way to write; it is one of {', '.join(_KINDS)}.")
        if source is not None:
            Ref.parse(source)
        check_name(branch)
        with self.database.read() as connection:
            dataset, table = graph.find_dataset(connection, name)
            head = graph.find_head(connection, name, branch)
        found = None if head is None else head.commit.id
        if expected is not None and expected != found:
            raise StaleGeneration(f"Branch {branch!r} of dataset {name!r}", expected, found)
        draft = Draft(
            dataset=dataset,
            branch=branch,
            head=head,
            change=Change.CREATED if head is None else _KINDS[mode],
            message=message,
            source=source,
        )
        return draft, table, head

    def _work_out(
        self, dataset: Dataset, table: str, head: Node | None, rows: pa.Table, mode: WriteMode
    ) -> Changes:
        if head is None:
            if mode == "delete":
                raise InvalidInput(f"Dataset {dataset.name!r} has no rows to delete yet.")
            return change_of.first_rows(fit_rows(dataset, rows, None))
        state = self.state_of(table, head)
        if mode == "replace":
            return change_of.replaced(dataset, state, fit_rows(dataset, rows, None))
        if mode == "delete":
            present = [name for name in dataset.key if name in rows.schema.names]
            keys = fit_rows(dataset, rows.select(present), state.schema)
            return change_of.deleted(dataset, state, keys)
        fitted = fit_rows(dataset, rows, state.schema)
        return change_of.upserted(dataset, state, fitted, append=mode == "append")

    def _carry_out(self, table: str, draft: Draft, changes: Changes) -> TableVersion:
        if draft.head is None:
            return self.tables.create(table, changes.written)
        key = draft.dataset.key
        return self.tables.write(table, draft.head.at, lambda writer: changes.write(writer, key))


def _table_name(dataset: str, unique: str) -> str:
    """Return a name that shows the dataset's, and that no dataset ever had before."""
    readable = "".join(each if each.isalnum() or each in "_-" else "-" for each in dataset)
    return f"{readable[:60]}-{unique}"
