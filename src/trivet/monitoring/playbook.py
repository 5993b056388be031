"""What to do about an alert, as Markdown with the commands to type. Pure."""

from collections.abc import Sequence

_WHAT_TO_DO = {
    "harm": (
        "The model does worse than at training time, measured on outcomes that are known.",
        (
            "Look at a few wrong answers: {samples}",
            "See when it began and where it is worst: `trivet monitoring show {deployment} "
            "--by week`",
            "Make sure that the data are sound before anything is trained on them: "
            "`trivet data list`",
            "If a release came just before: `trivet rollback {deployment}`",
            "If not, the world has changed: retrain (control does so by itself where the "
            "deployment's repair level is `auto`).",
        ),
    ),
    "errors": (
        "Answers fail.",
        (
            "Look at some: {samples}",
            "See which gateways and revisions serve: `trivet status`",
            "Go back to the previous revision, still warm: `trivet rollback {deployment}`",
        ),
    ),
    "invalid": (
        "The model answers outside what its signature allows.",
        (
            "Look at some: {samples}",
            "Go back to the previous revision, still warm: `trivet rollback {deployment}`",
        ),
    ),
    "no_labels": (
        "Outcomes no longer come in, so nobody can know whether the model is right.",
        (
            "Find out whether feedback is still sent to `POST /feedback/{deployment}`.",
            "Look at answers that wait: {samples}",
            "Releases hold until outcomes come again.",
        ),
    ),
    "rollout": (
        "A release was aborted and rolled back.",
        (
            "See what was found: `trivet show {evidence}`",
            "Look at answers it harmed: {samples}",
            "Nothing needs to be rolled back; make sure of it: `trivet status`",
            "Find out how its version passed the gates: `trivet lineage {revision}`",
        ),
    ),
}


def playbook(
    rule: str, deployment: str, *, evidence: str, samples: Sequence[str], revision: int | None
) -> str:
    """Return the playbook of an alert.

    Example:
        >>> print(playbook("errors", "delay", evidence="e1", samples=["p1"], revision=2))
        Answers fail.
        <BLANKLINE>
        1. Look at some: `trivet show prediction:p1`
        2. See which gateways and revisions serve: `trivet status`
        3. Go back to the previous revision, still warm: `trivet rollback delay`
        4. Say what came of it: `trivet alerts confirm ID` or `trivet alerts dismiss ID`.
    """
    meaning, steps = _WHAT_TO_DO.get(rule, _WHAT_TO_DO["harm"])
    shown = ", ".join(f"`trivet show prediction:{sample}`" for sample in samples[:3])
    facts = {
        "deployment": deployment,
        "evidence": f"evidence:{evidence}",
        "samples": shown or "there are none on record.",
        "revision": f"deployment:{deployment}#{revision}" if revision else deployment,
    }
    closing = "Say what came of it: `trivet alerts confirm ID` or `trivet alerts dismiss ID`."
    numbered = [f"{n}. {step.format(**facts)}" for n, step in enumerate((*steps, closing), 1)]
    return "\n".join([meaning, "", *numbered])
