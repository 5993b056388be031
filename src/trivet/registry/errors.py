"""Errors of the registry. Each keeps its facts as attributes and words them in `__str__`."""

from trivet.kernel.errors import Conflict, InvalidInput, NotFound


class ModelNotFound(NotFound):
    """No model has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"No model is named {self.name!r}. 'trivet models list' shows those that exist."


class VersionNotFound(NotFound):
    """The model has no version of this number, and no alias of this name."""

    def __init__(self, model: str, version: int | str) -> None:
        super().__init__(model, version)
        self.model = model
        self.version = version

    def __str__(self) -> str:
        return (
            f"Model {self.model!r} has no version or alias {str(self.version)!r}. "
            f"'trivet models versions {self.model}' shows those that exist."
        )


class IncompleteVersion(InvalidInput):
    """A version lacks parts that it does not declare missing."""

    def __init__(self, model: str, parts: tuple[str, ...]) -> None:
        super().__init__(model, parts)
        self.model = model
        self.parts = parts

    def __str__(self) -> str:
        return (
            f"A version of {self.model!r} lacks {', '.join(self.parts)}. Give them, or name them "
            "in 'missing', so that everybody sees that this version cannot be reproduced."
        )


class DuplicateVersion(Conflict):
    """The content is a version already."""

    def __init__(self, model: str, version: int) -> None:
        super().__init__(model, version)
        self.model = model
        self.version = version

    def __str__(self) -> str:
        return f"This content is model:{self.model}@{self.version} already."


class NotAdmitted(Conflict):
    """A version cites gates that did not pass, and no forced evidence beside them."""

    def __init__(self, model: str, summaries: tuple[str, ...]) -> None:
        super().__init__(model, summaries)
        self.model = model
        self.summaries = summaries

    def __str__(self) -> str:
        return (
            f"A version of {self.model!r} is not admitted: {' '.join(self.summaries)} "
            "Force it with a reason, which is recorded, or train a better one."
        )


class EvidenceMissing(Conflict):
    """A pointer was to move on evidence that does not carry it (I3)."""

    def __init__(self, subject: str, evidence: str, problem: str) -> None:
        super().__init__(subject, evidence, problem)
        self.subject = subject
        self.evidence = evidence
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.subject} does not move: evidence {self.evidence!r} {self.problem}."
