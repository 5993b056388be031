"""Datasets: commits, branches, merges, diffs, profiles and contracts of named tables."""

from trivet.data.diffing import diff_commits
from trivet.data.errors import (
    BranchExists,
    CommitDamaged,
    CommitNotFound,
    ContractInvalid,
    ContractViolated,
    DatasetExists,
    DatasetNotFound,
    MergeConflicts,
    RedDataset,
    RowsRefused,
    UnrelatedHistories,
)
from trivet.data.merging import merge_branch
from trivet.data.moves import quarantine, require_green, revert_branch
from trivet.data.profiling import profile_commit
from trivet.data.records import (
    Branch,
    CellChange,
    Change,
    CheckResult,
    Column,
    ColumnProfile,
    Commit,
    CommitId,
    ContractReport,
    Dataset,
    Diff,
    MergeConflict,
    RowChange,
    Tag,
)
from trivet.data.sql_store import SqlDatasetStore
from trivet.data.store import ContractStore, DatasetStore, WriteMode
from trivet.data.verifying import verify_commit

__all__ = [
    "Branch",
    "BranchExists",
    "CellChange",
    "Change",
    "CheckResult",
    "Column",
    "ColumnProfile",
    "Commit",
    "CommitDamaged",
    "CommitId",
    "CommitNotFound",
    "ContractInvalid",
    "ContractReport",
    "ContractStore",
    "ContractViolated",
    "Dataset",
    "DatasetExists",
    "DatasetNotFound",
    "DatasetStore",
    "Diff",
    "MergeConflict",
    "MergeConflicts",
    "RedDataset",
    "RowChange",
    "RowsRefused",
    "SqlDatasetStore",
    "Tag",
    "UnrelatedHistories",
    "WriteMode",
    "diff_commits",
    "merge_branch",
    "profile_commit",
    "quarantine",
    "require_green",
    "revert_branch",
    "verify_commit",
]
