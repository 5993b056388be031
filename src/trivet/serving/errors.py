"""Errors of serving. Each keeps its facts as attributes and words them in `__str__`."""

from trivet.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable


class MoveWithoutEvidence(Conflict):
    """Traffic was to move towards a revision on evidence that does not carry it (I3)."""

    def __init__(self, deployment: str, evidence: str | None, problem: str) -> None:
        super().__init__(deployment, evidence, problem)
        self.deployment = deployment
        self.evidence = evidence
        self.problem = problem

    def __str__(self) -> str:
        cited = "no evidence is cited" if self.evidence is None else f"{self.evidence!r}"
        return f"Traffic of {self.deployment!r} does not move: {cited}; {self.problem}."


class FenceTooOld(Conflict):
    """A controller that lost its lease tried to move traffic (I6)."""

    def __init__(self, deployment: str, fence: int, current: int) -> None:
        super().__init__(deployment, fence, current)
        self.deployment = deployment
        self.fence = fence
        self.current = current

    def __str__(self) -> str:
        return (
            f"The routing table of {self.deployment!r} was written with fence {self.current}; a "
            f"write with fence {self.fence} is refused. Another controller is in charge."
        )


class BadTable(InvalidInput):
    """A routing table contradicts itself."""

    def __init__(self, deployment: str, problem: str) -> None:
        super().__init__(deployment, problem)
        self.deployment = deployment
        self.problem = problem

    def __str__(self) -> str:
        return f"The routing table of {self.deployment!r} is refused: {self.problem}."


class ModelRefused(InvalidInput):
    """A model's artifacts may not be loaded, or did not pass the self-test."""

    def __init__(self, model: str, problem: str) -> None:
        super().__init__(model, problem)
        self.model = model
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.model} is not served: {self.problem}."


class DeploymentNotServed(NotFound):
    """The gateway has no routing table for this deployment."""

    def __init__(self, deployment: str) -> None:
        super().__init__(deployment)
        self.deployment = deployment

    def __str__(self) -> str:
        return (
            f"No deployment {self.deployment!r} is served here. "
            "'trivet deploy' releases a model version."
        )


class BadRequest(InvalidInput):
    """A request cannot be answered as it stands; `field` says what is wrong with it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}."


class PredictionNotFound(NotFound):
    """No journal holds a prediction with this id."""

    def __init__(self, prediction_id: str) -> None:
        super().__init__(prediction_id)
        self.prediction_id = prediction_id

    def __str__(self) -> str:
        return f"No prediction in the journal has the id {self.prediction_id!r}."


class JournalFailed(Unavailable):
    """The journal could not be written, so nothing was acknowledged."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"The journal could not be written: {self.problem}. Nothing was acknowledged."


class JournalInUse(Conflict):
    """Another process writes this journal."""

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        self.directory = directory

    def __str__(self) -> str:
        return (
            f"Another gateway writes {self.directory!r}. Give this one an id of its own: "
            "'trivet gateway --id NAME'."
        )


class Unreadable(InvalidInput):
    """The body of a request is not JSON."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"The body is not readable JSON: {self.problem}."
