"""Errors of rollout. Each keeps its facts as attributes and words them in `__str__`."""

from trivet.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable


class DeploymentNotFound(NotFound):
    """No deployment has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"No deployment is named {self.name!r}. 'trivet deploy list' shows those there are."


class RevisionNotFound(NotFound):
    """The deployment has no revision of this number."""

    def __init__(self, deployment: str, number: int) -> None:
        super().__init__(deployment, number)
        self.deployment = deployment
        self.number = number

    def __str__(self) -> str:
        return f"The deployment {self.deployment!r} has no revision {self.number}."


class RolloutNotFound(NotFound):
    """No rollout has this id, or the deployment has none."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return (
            f"No rollout is known for {self.what!r}. 'trivet deploy list' shows those there are."
        )


class RolloutActive(Conflict):
    """The deployment has a rollout under way that leaves no room for this one."""

    def __init__(self, deployment: str, detail: str) -> None:
        super().__init__(deployment, detail)
        self.deployment = deployment
        self.detail = detail

    def __str__(self) -> str:
        return f"The deployment {self.deployment!r} cannot start this rollout: {self.detail}."


class VerbRefused(Conflict):
    """The rollout is in a phase in which the verb means nothing."""

    def __init__(self, verb: str, rollout: str, phase: str) -> None:
        super().__init__(verb, rollout, phase)
        self.verb = verb
        self.rollout = rollout
        self.phase = phase

    def __str__(self) -> str:
        return f"The rollout {self.rollout!r} is {self.phase}, so it cannot {self.verb}."


class GatesNotGreen(Conflict):
    """The model version's gates did not all pass, and no reason to go on was given."""

    def __init__(self, model: str, problems: tuple[str, ...]) -> None:
        super().__init__(model, problems)
        self.model = model
        self.problems = problems

    def __str__(self) -> str:
        return (
            f"{self.model} may not be released: {'; '.join(self.problems)}. To release it all "
            "the same, say why with --force-reason; the reason is recorded."
        )


class NothingToRollBackTo(Conflict):
    """The deployment has no revision before the one that serves."""

    def __init__(self, deployment: str, stable: int | None) -> None:
        super().__init__(deployment, stable)
        self.deployment = deployment
        self.stable = stable

    def __str__(self) -> str:
        if self.stable is None:
            return f"The deployment {self.deployment!r} serves nothing yet."
        return (
            f"Revision {self.stable} of {self.deployment!r} replaced no other, so there is none "
            "to go back to; name one with --to."
        )


class NothingServed(Conflict):
    """A rollout in steps needs a revision to compare with, and none serves."""

    def __init__(self, deployment: str, strategy: str) -> None:
        super().__init__(deployment, strategy)
        self.deployment = deployment
        self.strategy = strategy

    def __str__(self) -> str:
        return (
            f"The deployment {self.deployment!r} serves nothing that a {self.strategy} could be "
            "compared with. Release the first revision with 'trivet deploy direct'."
        )


class StrategyNotBuilt(InvalidInput):
    """A strategy of progressive delivery that this version cannot do."""

    def __init__(self, strategy: str) -> None:
        super().__init__(strategy)
        self.strategy = strategy

    def __str__(self) -> str:
        return (
            f"The strategy {self.strategy!r} is not built in this version; there are 'direct', "
            "'canary' and 'shadow'."
        )


class RolloutFailed(Conflict):
    """A rollout that somebody waited for did not succeed."""

    def __init__(self, rollout: str, phase: str, reason: str) -> None:
        super().__init__(rollout, phase, reason)
        self.rollout = rollout
        self.phase = phase
        self.reason = reason

    def __str__(self) -> str:
        return f"The rollout {self.rollout!r} ended {self.phase}: {self.reason}"


class RolloutUnfinished(Unavailable):
    """A rollout that somebody waited for is still under way."""

    def __init__(self, rollout: str, phase: str, reason: str) -> None:
        super().__init__(rollout, phase, reason)
        self.rollout = rollout
        self.phase = phase
        self.reason = reason

    def __str__(self) -> str:
        return f"The rollout {self.rollout!r} is still {self.phase}: {self.reason}"


class NotConfirmed(Unavailable):
    """Gateways did not take a routing table in the time allowed."""

    def __init__(self, deployment: str, generation: int, gateways: tuple[str, ...]) -> None:
        super().__init__(deployment, generation, gateways)
        self.deployment = deployment
        self.generation = generation
        self.gateways = gateways

    def __str__(self) -> str:
        who = ", ".join(self.gateways) if self.gateways else "no gateway is up; none"
        return (
            f"Generation {self.generation} of {self.deployment!r} is in force, but not confirmed: "
            f"{who} has not reported it."
        )
