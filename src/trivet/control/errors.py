"""Errors of control."""

from trivet.kernel.errors import Conflict, InvalidInput, NotFound


class RepairNotFound(NotFound):
    """No repair has this id."""

    def __init__(self, repair_id: str) -> None:
        super().__init__(repair_id)
        self.repair_id = repair_id

    def __str__(self) -> str:
        return f"No repair has the id {self.repair_id!r}."


class RepairActive(Conflict):
    """A deployment is under repair already."""

    def __init__(self, deployment: str) -> None:
        super().__init__(deployment)
        self.deployment = deployment

    def __str__(self) -> str:
        return f"Deployment {self.deployment!r} is under repair already."


class BadPolicy(InvalidInput):
    """A repair policy cannot be followed as it stands."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"The repair policy cannot be followed: {self.detail}."
