"""The card of a model version: what it is, what it was made of, and how it was judged."""

from collections.abc import Mapping, Sequence
from typing import Any

from trivet.ledger import Evidence
from trivet.registry.records import Alias, Model, ModelVersion, NewVersion


def model_card(
    model: Model,
    version: ModelVersion,
    evidence: Sequence[Evidence],
    *,
    aliases: Sequence[Alias] = (),
    reference: dict[str, Any] | None = None,
    test_reads: Mapping[str, int] | None = None,
) -> str:
    """Return the card as Markdown, from what is on record and from nothing else.

    Args:
        model: The model.
        version: The version of it.
        evidence: What the version was admitted on.
        aliases: The model's aliases; those that point at the version are named.
        reference: Its reference, for the numbers of each slice.
        test_reads: How many runs have read each commit that its run was judged by (I11).
    """
    content = version.content
    names = [alias.alias for alias in aliases if alias.version == version.version]
    sections = [
        [f"# {version.ref}", *_paragraphs(model.description, content.description)],
        _list(
            "What it is",
            {
                "registered": f"{version.at:%Y-%m-%d %H:%M} UTC by {version.author}",
                "aliases": ", ".join(names),
                "owner": model.owner,
                "format": content.format,
                "takes": ", ".join(content.signature.inputs),
                "answers": ", ".join(content.signature.outputs),
                "digest": version.digest,
            },
        ),
        _list("What it was made of", _made_of(content)),
        _list("How it did", {key: f"{value:.4g}" for key, value in content.metrics.items()}),
        _test_reads(test_reads or {}),
        _gates(evidence),
        _slices(reference or {}),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _paragraphs(*texts: str) -> list[str]:
    return [part for text in texts if text for part in ("", text)]


def _list(title: str, facts: dict[str, str]) -> list[str]:
    told = [f"- **{name}**: {value}" for name, value in facts.items() if value]
    return [f"## {title}", "", *told] if told else []


def _made_of(content: NewVersion) -> dict[str, str]:
    return {
        "run": f"run:{content.run}" if content.run else "",
        "data": ", ".join(content.datasets),
        "features": ", ".join(content.features),
        "code": str(content.code.get("commit", "")),
        "environment": content.environment or "",
        "params": ", ".join(f"{key}={value}" for key, value in content.params.items()),
        "seed": "" if content.seed is None else str(content.seed),
        "missing": ", ".join(content.missing),
    }


def _test_reads(test_reads: Mapping[str, int]) -> list[str]:
    told = [
        f"- The test split of {ref} was read by {count} run{'' if count == 1 else 's'}."
        for ref, count in test_reads.items()
    ]
    return ["## What it was judged by", "", *told] if told else []


def _gates(evidence: Sequence[Evidence]) -> list[str]:
    if not evidence:
        return ["## Gates", "", "No gate has judged it."]
    rows = [f"| {item.verdict} | {_cell(item.summary)} | `{item.id}` |" for item in evidence]
    return ["## Gates", "", "| verdict | what was found | evidence |", "|---|---|---|", *rows]


def _slices(reference: dict[str, Any]) -> list[str]:
    slices = reference.get("slices") or {}
    rows = [
        f"| {_cell(name)} | {part['rows']} | {part['accuracy']:.3f} | {part['log_loss']:.3f} |"
        for name, part in slices.items()
    ]
    head = ["## Slices", "", "| slice | rows | accuracy | log loss |", "|---|---:|---:|---:|"]
    return [*head, *rows] if rows else []


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
