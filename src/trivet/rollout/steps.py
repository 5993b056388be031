"""The steps of each strategy, and how they are written on a command line."""

from collections.abc import Sequence
from dataclasses import replace

from trivet.kernel.errors import InvalidInput
from trivet.rollout.errors import StrategyNotBuilt
from trivet.rollout.records import RolloutSpec, RolloutStep, Strategy

SHADOW = RolloutStep(name="shadow", shadow=1.0, min_requests=300, min_labels=100)
"""Computes every request and answers none, so no caller can see a candidate's faults."""

CANARY = (
    SHADOW,
    RolloutStep(name="canary 1 %", weight=0.01, min_requests=10, min_labels=0),
    RolloutStep(name="canary 10 %", weight=0.1, min_requests=100, min_labels=30),
    RolloutStep(name="canary 50 %", weight=0.5, min_requests=300, min_labels=100),
)
"""The usual way up. After the last step the candidate becomes the stable revision."""

_NOT_BUILT = ("blue-green", "bluegreen", "ab", "a/b", "rolling")


def read_strategy(name: str) -> Strategy:
    """Return the strategy of this name.

    Raises:
        StrategyNotBuilt: It is one of progressive delivery's, but not of this version's.
        InvalidInput: It is none at all.
    """
    if name.lower() in _NOT_BUILT:
        raise StrategyNotBuilt(name)
    try:
        return Strategy(name.lower())
    except ValueError:
        raise InvalidInput(
            f"{name!r} is no strategy; there are {', '.join(map(repr, map(str, Strategy)))}."
        ) from None


def default_steps(strategy: Strategy) -> tuple[RolloutStep, ...]:
    """Return the steps of a strategy for which none were given."""
    return {Strategy.DIRECT: (), Strategy.CANARY: CANARY, Strategy.SHADOW: (SHADOW,)}[strategy]


def read_steps(text: str) -> tuple[RolloutStep, ...]:
    """Return the steps that `text` lists, each `shadow` or a percentage, then what it must see.

    After a colon comes the least number of answers, after another that of known outcomes; left
    out, they are those of the usual steps.

    Raises:
        InvalidInput: A step is no step, or the weights do not rise.

    Example:
        >>> [(s.name, s.weight, s.min_requests) for s in read_steps("shadow:50,5:20:10")]
        [('shadow', 0.0, 50), ('canary 5 %', 0.05, 20)]
    """
    return tuple(_read_step(part.strip()) for part in text.split(","))


def _read_step(text: str) -> RolloutStep:
    name, *least = text.split(":")
    try:
        counts = [int(count) for count in least]
        step = SHADOW if name == "shadow" else _canary(float(name.rstrip("% ")))
    except ValueError:
        raise InvalidInput(
            f"{text!r} is no step; write 'shadow' or a percentage, then ':' and the least number "
            "of answers, then ':' and that of known outcomes: '10:100:30'."
        ) from None
    if len(counts) > 2:
        raise InvalidInput(f"{text!r} has more than two counts.")
    requests, labels = (*counts, *(step.min_requests, step.min_labels)[len(counts) :])
    return replace(step, min_requests=requests, min_labels=labels)


def _canary(percent: float) -> RolloutStep:
    usual = next((step for step in CANARY if step.weight == percent / 100), CANARY[2])
    return replace(usual, name=f"canary {percent:g} %", weight=percent / 100)


def plan(
    strategy: str | None = None, spec: RolloutSpec | None = None, force_reason: str | None = None
) -> RolloutSpec:
    """Return the spec that a release goes by, made whole with the usual values and checked."""
    if spec is None:
        chosen = read_strategy(strategy or Strategy.DIRECT)
        spec = RolloutSpec(strategy=chosen, steps=default_steps(chosen))
    elif strategy is not None and read_strategy(strategy) is not spec.strategy:
        raise InvalidInput(f"The spec is of a {spec.strategy}, not of a {strategy}.")
    if force_reason is not None:
        spec = replace(spec, force_reason=force_reason)
    return check_spec(spec)


def check_spec(spec: RolloutSpec) -> RolloutSpec:
    """Return the spec, or raise `InvalidInput` for what could never work."""
    if spec.strategy is Strategy.DIRECT and spec.steps:
        raise InvalidInput("A direct release has no steps; leave them out or choose 'canary'.")
    if spec.strategy is not Strategy.DIRECT and not spec.steps:
        raise InvalidInput(f"A {spec.strategy} needs at least one step.")
    if spec.strategy is Strategy.SHADOW and any(step.weight for step in spec.steps):
        raise InvalidInput("A shadow answers nobody; a step with a weight belongs to a canary.")
    _check_numbers(spec)
    for step in spec.steps:
        _check_step(step)
    weights = [step.weight for step in spec.steps]
    if weights != sorted(weights):
        raise InvalidInput(
            f"The steps' weights are {_listed(weights)}; expected each to be at least the one "
            "before, so that no unit goes back and forth."
        )
    return spec


def _check_numbers(spec: RolloutSpec) -> None:
    if not 0 < spec.alpha < 1:
        raise InvalidInput(f"alpha is {spec.alpha!r}; expected a number between 0 and 1.")
    if spec.error_ratio < 1:
        raise InvalidInput(f"error_ratio is {spec.error_ratio!r}; expected 1 or more.")
    if not 0 <= spec.accuracy_margin < 0.5:
        raise InvalidInput(f"accuracy_margin is {spec.accuracy_margin!r}; expected 0 to 0.5.")
    if spec.max_invalid < 0:
        raise InvalidInput(f"max_invalid is {spec.max_invalid!r}; expected 0 or more.")
    if not 0 <= spec.min_agreement <= 1:
        raise InvalidInput(f"min_agreement is {spec.min_agreement!r}; expected a share.")


def _check_step(step: RolloutStep) -> None:
    if not (0 <= step.weight <= 1 and 0 <= step.shadow <= 1) or step.weight + step.shadow == 0:
        raise InvalidInput(f"The step {step.name!r} needs a weight or a shadow between 0 and 1.")
    if step.min_requests < 1:
        # A step that asks for nothing would pass on no data (I12).
        raise InvalidInput(f"The step {step.name!r} needs min_requests of 1 or more.")
    if step.min_labels < 0 or step.min_seconds < 0:
        raise InvalidInput(f"The step {step.name!r}: what it must see cannot be negative.")


def _listed(weights: Sequence[float]) -> str:
    return ", ".join(f"{weight:g}" for weight in weights)
