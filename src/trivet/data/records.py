"""The nouns of data, as plain frozen values."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from trivet.ledger import Verdict

CommitId = NewType("CommitId", str)
"""The digest of a commit: of its parents, its rows, its schema, its author and its message."""


class Change(StrEnum):
    """What kind of change a commit makes; they are told apart in the history."""

    CREATED = "created"
    APPENDED = "appended"
    UPSERTED = "upserted"
    DELETED = "deleted"
    REPLACED = "replaced"
    MERGED = "merged"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named table that has a key and, where it has one, an event-time column."""

    name: str
    key: tuple[str, ...]
    event_time: str | None
    description: str
    owner: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's name and Arrow type, as text."""

    name: str
    type: str
    nullable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """An immutable state of a dataset.

    Attributes:
        parents: The commits it follows: none for the first, two for a merge.
        contract: The verdict of the contract on this commit, NO_DATA where there was none.
        source: The ref of what produced it, if it was not a person.
        evidence: The id of the evidence behind `contract`, where there was a contract.
        content: A digest of the rows alone: commits with the same rows and columns share it.
    """

    id: CommitId
    dataset: str
    parents: tuple[CommitId, ...]
    change: Change
    message: str
    author: str
    at: datetime
    rows: int
    rows_added: int
    rows_changed: int
    rows_deleted: int
    schema: tuple[Column, ...]
    contract: Verdict
    source: str | None = None
    evidence: str | None = None
    content: str = ""

    @property
    def ref(self) -> str:
        """The commit's address."""
        return f"dataset:{self.dataset}@{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A movable pointer to a commit; a protected one takes no commit whose contract is red."""

    dataset: str
    name: str
    commit: CommitId
    protected: bool
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A name for a commit; it never moves."""

    dataset: str
    name: str
    commit: CommitId
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """One column of one row, before and after."""

    column: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One row that two commits do not share.

    Attributes:
        kind: `added`, `changed` or `deleted`.
        key: The row's key, by column.
        cells: The columns that differ; of an added or deleted row, those that hold a value.
    """

    kind: str
    key: dict[str, Any]
    cells: tuple[CellChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What became of the rows between two commits.

    Attributes:
        cells_changed: For each column, the changed rows in which it differs.
        columns_added: Columns that only the later commit has.
        columns_removed: Columns that only the earlier commit has.
        columns_retyped: Columns of both whose type differs, as (name, before, after).
        sample: Some of the rows, each kind among them, by key.
    """

    dataset: str
    before: CommitId
    after: CommitId
    rows_added: int
    rows_changed: int
    rows_deleted: int
    cells_changed: dict[str, int]
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_retyped: tuple[tuple[str, str, str], ...] = ()
    sample: tuple[RowChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeConflict:
    """A cell that both sides changed, or a row that one deleted and the other changed.

    Attributes:
        column: The cell's column, or None where it is the whole row.
        base: The value in the common ancestor, None if the row was not there.
        ours: The value on the branch that is merged into; None if it deleted the row.
        theirs: The value on the branch that is merged; None if it deleted the row.
    """

    key: dict[str, Any]
    column: str | None
    base: Any
    ours: Any
    theirs: Any

    @property
    def sentence(self) -> str:
        """The conflict in words."""
        where = ", ".join(f"{name}={value}" for name, value in self.key.items())
        if self.column is None:
            return f"row {where} was {self.ours} by ours and {self.theirs} by theirs"
        return f"{self.column} of row {where} is {self.ours!r} in ours, {self.theirs!r} in theirs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """What one column of a commit looks like.

    `top` lists (value, rows); `histogram` lists (from, to, rows).
    """

    name: str
    type: str
    rows: int
    nulls: int
    distinct: int
    min: Any = None
    max: Any = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()
    histogram: tuple[tuple[float, float, int], ...] = ()
    top: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One rule of a contract, or one statistic of a partition, held against the data."""

    name: str
    column: str | None
    verdict: Verdict
    measured: float | None
    expected: str
    examples: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The check in words."""
        subject = f"{self.column}: {self.name}" if self.column else self.name
        measured = "unknown" if self.measured is None else f"{self.measured:,.6g}"
        such_as = f", such as {'; '.join(self.examples)}" if self.examples else ""
        return f"{subject} is {measured} where {self.expected} was expected{such_as}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractReport:
    """What a contract found in some rows; red if any check failed."""

    verdict: Verdict
    checks: tuple[CheckResult, ...] = field(default_factory=tuple)

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.verdict is Verdict.FAILED)
