"""Errors of the ledger. Each keeps its facts as attributes and words them in `__str__`."""

from trivet.kernel.errors import Conflict, NotFound


class EvidenceNotFound(NotFound):
    """No evidence has this id."""

    def __init__(self, evidence_id: str) -> None:
        super().__init__(evidence_id)
        self.evidence_id = evidence_id

    def __str__(self) -> str:
        return f"No evidence has the id {self.evidence_id!r}."


class LeaseLost(Conflict):
    """Somebody who no longer holds a lease acted as if they did."""

    def __init__(self, name: str, fence: int, current: int) -> None:
        super().__init__(name, fence, current)
        self.name = name
        self.fence = fence
        self.current = current

    def __str__(self) -> str:
        return (
            f"The lease {self.name!r} has moved on to fence {self.current}; a write with fence "
            f"{self.fence} is refused. Another controller is in charge."
        )


class StaleGeneration(Conflict):
    """A write expected a pointer to be where it no longer is."""

    def __init__(self, subject: str, expected: object, found: object) -> None:
        super().__init__(subject, expected, found)
        self.subject = subject
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return (
            f"{self.subject} is at {self.found!r}, not at {self.expected!r} as the request "
            "expected. Look at it again, then repeat the request if it still applies."
        )


class LedgerTampered(Conflict):
    """Recomputing the chain of seals gave something else than what is stored."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return f"The ledger does not verify: {'; '.join(self.problems)}."
