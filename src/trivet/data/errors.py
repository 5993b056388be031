"""Errors of data. Each keeps its facts as attributes and words them in `__str__`."""

from trivet.data.records import ContractReport, MergeConflict
from trivet.kernel.errors import Conflict, InvalidInput, NotFound


class DatasetNotFound(NotFound):
    """No dataset has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"No dataset is named {self.name!r}. 'trivet data list' shows those that exist."


class DatasetExists(Conflict):
    """A dataset of this name exists already."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"A dataset named {self.name!r} exists already."


class CommitNotFound(NotFound):
    """A dataset has no branch, tag or commit of this name."""

    def __init__(self, dataset: str, at: str) -> None:
        super().__init__(dataset, at)
        self.dataset = dataset
        self.at = at

    def __str__(self) -> str:
        return (
            f"Dataset {self.dataset!r} has no branch, tag or commit {self.at!r}. "
            f"'trivet data branches {self.dataset}' shows its branches."
        )


class AmbiguousCommit(InvalidInput):
    """Several commits begin like this."""

    def __init__(self, dataset: str, at: str, commits: int) -> None:
        super().__init__(dataset, at, commits)
        self.dataset = dataset
        self.at = at
        self.commits = commits

    def __str__(self) -> str:
        return (
            f"{self.commits} commits of dataset {self.dataset!r} begin with {self.at!r}; "
            "write more of the id."
        )


class BranchExists(Conflict):
    """The dataset has a branch or tag of this name already."""

    def __init__(self, dataset: str, name: str) -> None:
        super().__init__(dataset, name)
        self.dataset = dataset
        self.name = name

    def __str__(self) -> str:
        return f"Dataset {self.dataset!r} has a branch or tag {self.name!r} already."


class RowsRefused(InvalidInput):
    """Rows that can never be committed as they are."""

    def __init__(self, dataset: str, reason: str) -> None:
        super().__init__(dataset, reason)
        self.dataset = dataset
        self.reason = reason

    def __str__(self) -> str:
        return f"The rows do not fit dataset {self.dataset!r}: {self.reason}."


class ContractInvalid(InvalidInput):
    """A contract that is not understood, and so is not kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The contract cannot be used: {self.reason}."


class ContractViolated(Conflict):
    """Rows broke the contract of a protected branch; nothing was committed."""

    def __init__(self, dataset: str, branch: str, report: ContractReport, evidence: str) -> None:
        super().__init__(dataset, branch, report, evidence)
        self.dataset = dataset
        self.branch = branch
        self.report = report
        self.evidence = evidence

    def __str__(self) -> str:
        broken = [check.sentence for check in self.report.failures]
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        return (
            f"The contract of {self.dataset!r} is red, so branch {self.branch!r} takes nothing: "
            f"{'; '.join(broken[:3])}{more} (evidence:{self.evidence}). "
            "Correct the rows, or put them aside with 'trivet data quarantine'."
        )


class RedDataset(Conflict):
    """Training was asked for on a commit whose contract is red (I9)."""

    def __init__(self, ref: str, evidence: str | None) -> None:
        super().__init__(ref, evidence)
        self.ref = ref
        self.evidence = evidence

    def __str__(self) -> str:
        why = f" (evidence:{self.evidence})" if self.evidence else ""
        return f"{self.ref} broke its contract{why}; nothing may be trained on it."


class CommitDamaged(Conflict):
    """The rows of a commit are not those that were committed."""

    def __init__(self, ref: str, expected: str, found: str) -> None:
        super().__init__(ref, expected, found)
        self.ref = ref
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return (
            f"{self.ref} is damaged: its rows digest to {self.found}, not {self.expected}. "
            "Restore its table from a backup."
        )


class MergeConflicts(Conflict):
    """Both sides changed the same cells; each is listed, up to a bound."""

    def __init__(self, dataset: str, total: int, conflicts: tuple[MergeConflict, ...]) -> None:
        super().__init__(dataset, total, conflicts)
        self.dataset = dataset
        self.total = total
        self.conflicts = conflicts

    def __str__(self) -> str:
        first = "; ".join(conflict.sentence for conflict in self.conflicts[:3])
        return (
            f"{self.total} cells of {self.dataset!r} were changed on both sides: {first}. "
            "Choose a side with 'ours' or 'theirs', or change one branch first."
        )


class UnrelatedHistories(Conflict):
    """Two commits have no ancestor in common, so there is nothing to merge against."""

    def __init__(self, dataset: str, ours: str, theirs: str) -> None:
        super().__init__(dataset, ours, theirs)
        self.dataset = dataset
        self.ours = ours
        self.theirs = theirs

    def __str__(self) -> str:
        return f"Commits {self.ours[:12]} and {self.theirs[:12]} have no common ancestor."
