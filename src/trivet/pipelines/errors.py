"""Errors of pipelines. Each keeps its facts as attributes and words them in `__str__`."""

from trivet.kernel.errors import Conflict, InvalidInput


class StepFailed(Conflict):
    """A step raised an error, so its pipeline run failed."""

    def __init__(self, step: str, run_ref: str, reason: str) -> None:
        super().__init__(step, run_ref, reason)
        self.step = step
        self.run_ref = run_ref
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"Step {self.step!r} failed: {self.reason.rstrip('.')}. "
            f"'trivet runs show {self.run_ref}' has the traceback."
        )


class OutputUnknown(InvalidInput):
    """A pipeline function looked into the output of a step before any step has run."""

    def __init__(self, step: str, action: str) -> None:
        super().__init__(step, action)
        self.step = step
        self.action = action

    def __str__(self) -> str:
        return (
            f"The output of step {self.step!r} is not known while the pipeline is put together, "
            f"so {self.action}. Do it in a step."
        )


class PipelineNotFound(InvalidInput):
    """A file holds no pipeline of the name asked for."""

    def __init__(self, file: str, name: str | None, found: tuple[str, ...]) -> None:
        super().__init__(file, name, found)
        self.file = file
        self.name = name
        self.found = found

    def __str__(self) -> str:
        there = f"it has {', '.join(self.found)}" if self.found else "it has no @pipeline at all"
        if self.name is None and self.found:
            return f"{self.file} has several pipelines; write {self.file}:NAME ({there})."
        wanted = "no pipeline" if self.name is None else f"no pipeline {self.name!r}"
        return f"{self.file} has {wanted}; {there}."


class NotReproducible(InvalidInput):
    """A run cannot be run again."""

    def __init__(self, run_ref: str, reason: str) -> None:
        super().__init__(run_ref, reason)
        self.run_ref = run_ref
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.run_ref} cannot be reproduced: {self.reason}."


class Differs(Conflict):
    """A run that was run again gave something else."""

    def __init__(self, run_ref: str, differences: tuple[str, ...]) -> None:
        super().__init__(run_ref, differences)
        self.run_ref = run_ref
        self.differences = differences

    def __str__(self) -> str:
        return f"{self.run_ref} was not reproduced: {'; '.join(self.differences[:5])}."
