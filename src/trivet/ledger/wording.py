"""Facts as sentences. A kind without a sentence of its own is told by its name."""

from collections.abc import Mapping
from typing import Any

from trivet.ledger.records import Fact

_SENTENCES = {
    "alert.acted_on": "Acted on: {action}.",
    "alert.confirmed": "The alert was confirmed.",
    "alert.dismissed": "The alert was dismissed: {action}.",
    "alert.opened": "The rule {rule!r} raised the alert: {summary}",
    "alert.triaged": "Somebody looks at the alert.",
    "alias.moved": "The alias moved from version {from} to version {to}.",
    "dataset.branched": "The branch {branch!r} begins here.",
    "dataset.committed": (
        "Committed to {branch!r}: {rows_added} rows added, {rows_changed} changed, "
        "{rows_deleted} deleted; the contract says {contract}: {message}."
    ),
    "dataset.contracted": "Version {version} of the contract is in force.",
    "dataset.created": "The dataset was created, its key is {key}.",
    "dataset.tagged": "Tagged {tag!r}.",
    "deployment.configured": "The settings were changed.",
    "deployment.created": "The deployment was created for versions of model:{model}.",
    "deployment.rolled_back": "Rolled back from revision {from} to revision {to}.",
    "experiment.concluded": "The experiment was concluded: {outcome}.",
    "experiment.created": "The experiment was begun: {objective}.",
    "features.applied": "It became the current {kind}.",
    "features.materialized": "{rows} rows known by {until} were put online, of {commit}.",
    "model.created": "The model was named.",
    "model.registered": "Registered; run:{run} made it.",
    "revision.created": "The revision was made of {model}.",
    "routing.swapped": (
        "Revision {stable} answers, beside it {candidate} at {weight:.0%}: {reason}"
    ),
    "run.finished": "The run is {status} after {seconds:.3g} s.",
    "run.started": "A {kind} run of experiment:{experiment} began.",
    "step.stored": "The step {step!r} gave a result that later runs may use.",
    "weights.verified": "The gateway {gateway!r} serves this generation.",
}


_ABSENT = (" from version None", ", beside it None at 0%", ": None")


def word_fact(fact: Fact) -> str:
    """Return one sentence on what happened."""
    payload = fact.payload
    if fact.kind == "run.linked":
        refs = [ref for side in ("inputs", "outputs") for ref, _ in payload.get(side, [])]
        return f"It read or made {', '.join(dict.fromkeys(refs))}."
    if "verdict" in payload and "summary" in payload:
        return str(payload["summary"])
    sentence = _SENTENCES.get(fact.kind)
    if sentence is None:
        return _plainly(fact.kind, payload)
    try:
        return _tidy(sentence.format_map(payload))
    except (KeyError, TypeError, ValueError):
        return _plainly(fact.kind, payload)  # An older fact, which said other things.


def _plainly(kind: str, payload: Mapping[str, Any]) -> str:
    noun, _, verb = kind.partition(".")
    told = f"{noun.capitalize()} {verb.replace('_', ' ')}"
    return _tidy(f"{told}: {payload['reason']}" if payload.get("reason") else f"{told}.")


def _tidy(sentence: str) -> str:
    """Return the sentence with one full stop at its end, and without what is not there."""
    for absent in _ABSENT:
        sentence = sentence.replace(absent, "")
    return sentence.rstrip(" .:") + "."
