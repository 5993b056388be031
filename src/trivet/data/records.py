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


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractReport:
    """What a contract found in some rows; red if any check failed."""

    verdict: Verdict
    checks: tuple[CheckResult, ...] = field(default_factory=tuple)

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.verdict is Verdict.FAILED)
