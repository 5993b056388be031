"""The port of data: datasets, their commits and their branches."""

from typing import Literal, Protocol

import pyarrow as pa

from trivet.data.records import Branch, Commit, CommitId, ContractReport, Dataset

WriteMode = Literal["append", "upsert", "replace", "delete"]


class DatasetStore(Protocol):
    """Keeps datasets as commits and branches.

    Every implementation promises, and `trivet.testing.DatasetStoreContract` checks, that

    - a commit, once returned, reads the same rows for ever;
    - a branch moves by compare-and-swap: of two writers from one head, one gets
      `StaleGeneration` and nothing of its commit is visible;
    - a commit and the fact that records it are one transaction (I2);
    - a protected branch never comes to rest on a commit whose contract is red;
    - after a crash a branch is at its old commit or at its new one.
    """

    def create(
        self,
        name: str,
        *,
        key: tuple[str, ...],
        event_time: str | None = None,
        description: str = "",
        owner: str = "",
    ) -> Dataset:
        """Make a dataset without commits; a second one of the same name is a `Conflict`."""
        ...

    def get(self, name: str) -> Dataset:
        """Return the dataset."""
        ...

    def list_datasets(self) -> list[Dataset]:
        """Return all datasets by name."""
        ...

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
        """Write `rows` on top of the branch and return the commit the branch then points to.

        Raises:
            InvalidInput: The rows lack the key, repeat it, or do not fit the schema.
            ContractViolated: The branch is protected and the contract is red; the evidence is
                stored and its id is in the error, and nothing else has changed.
            StaleGeneration: The branch is not, or no longer, at `expected`.
        """
        ...

    def resolve(self, name: str, at: str = "main") -> Commit:
        """Return the commit that a branch, a tag, a commit id or a unique start of one names."""
        ...

    def log(self, name: str, at: str = "main", limit: int = 50) -> list[Commit]:
        """Return the commit and its ancestors, newest first."""
        ...

    def read(
        self,
        name: str,
        at: str = "main",
        *,
        columns: list[str] | None = None,
        where: str | None = None,
    ) -> pa.Table:
        """Return the rows of a commit; `where` is a SQL condition on its columns."""
        ...

    def list_branches(self, name: str) -> list[Branch]:
        """Return the branches by name."""
        ...

    def create_branch(self, name: str, branch: str, *, at: str = "main") -> Branch:
        """Point a new branch at a commit; costs the same for any amount of data."""
        ...


class ContractStore(Protocol):
    """Keeps the contract of each dataset, in every version it had."""

    def set_contract(self, dataset: str, text: str) -> int:
        """Store an ODCS YAML text as the dataset's contract and return its version."""
        ...

    def find_contract(self, dataset: str) -> str | None:
        """Return the text in force, or None."""
        ...

    def check(self, dataset: str, rows: pa.Table) -> ContractReport:
        """Hold `rows` against the contract and the history of past partitions; store nothing."""
        ...
