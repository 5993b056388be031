"""Errors of tracking. Each keeps its facts as attributes and words them in `__str__`."""

from trivet.kernel.errors import Conflict, InvalidInput, NotFound


class RunNotFound(NotFound):
    """No run has this id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id

    def __str__(self) -> str:
        return f"No run has the id {self.run_id!r}. 'trivet runs list' shows those that exist."


class AmbiguousRun(InvalidInput):
    """The start of an id fits several runs."""

    def __init__(self, start: str, found: tuple[str, ...]) -> None:
        super().__init__(start, found)
        self.start = start
        self.found = found

    def __str__(self) -> str:
        return f"Several runs start with {self.start!r}: {', '.join(self.found)}; write more."


class RunFinished(Conflict):
    """A write came to a run that is no longer running."""

    def __init__(self, run_id: str, status: str) -> None:
        super().__init__(run_id, status)
        self.run_id = run_id
        self.status = status

    def __str__(self) -> str:
        return f"Run {self.run_id!r} is {self.status}; only a running run accepts writes."


class ParamChanged(Conflict):
    """A param that has a value was given another."""

    def __init__(self, run_id: str, key: str, value: str, given: str) -> None:
        super().__init__(run_id, key, value, given)
        self.run_id = run_id
        self.key = key
        self.value = value
        self.given = given

    def __str__(self) -> str:
        return (
            f"Param {self.key!r} of run {self.run_id!r} is {self.value!r} and cannot become "
            f"{self.given!r}; what varies within a run is a metric or a tag."
        )


class ExperimentNotFound(NotFound):
    """No experiment has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return (
            f"There is no experiment {self.name!r}. 'trivet experiments list' shows those that "
            "exist."
        )


class ExperimentConcluded(Conflict):
    """An experiment was to be concluded a second time."""

    def __init__(self, name: str, outcome: str) -> None:
        super().__init__(name, outcome)
        self.name = name
        self.outcome = outcome

    def __str__(self) -> str:
        return (
            f"Experiment {self.name!r} was concluded as {self.outcome!r} already; start another "
            "one for a new hypothesis."
        )
