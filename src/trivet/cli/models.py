"""`trivet models …`."""

import json
from pathlib import Path

import click

from trivet.app import App
from trivet.cli.context import with_app
from trivet.cli.output import as_json, print_facts, print_json, print_table
from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Kind, Ref
from trivet.ledger import Evidence, Verdict
from trivet.registry import ModelVersion, signature_from_json, signature_to_json
from trivet.registry.card import model_card
from trivet.registry.golden import read_golden
from trivet.registry.imported import import_version
from trivet.tracking import RunId, count_test_reads

_EMPTY = "No models yet. 'trivet run pipeline.py' trains and registers the first one."


@click.group()
def models() -> None:
    """Register models and move aliases.

    \b
    Example:
      trivet models list
    """


@models.command(name="list")
@as_json
@with_app
def list_(app: App, as_json: bool) -> None:
    """List the models with their newest version and their aliases.

    \b
    Example:
      trivet models list
    """
    rows = [
        (
            model.name,
            len(app.models.list_versions(model.name)),
            {alias.alias: alias.version for alias in app.models.list_aliases(model.name)},
            model.owner,
        )
        for model in app.models.list_models()
    ]
    columns = ["model", "versions", "aliases", "owner"]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    print_table(
        columns,
        [
            (name, count, ", ".join(f"{alias} → {to}" for alias, to in aliases.items()), owner)
            for name, count, aliases, owner in rows
        ],
        empty=_EMPTY,
    )


@models.command()
@click.argument("model")
@as_json
@with_app
def versions(app: App, model: str, as_json: bool) -> None:
    """List the versions of a model, newest first.

    \b
    Example:
      trivet models versions delay
    """
    found = app.models.list_versions(_parse(model).name)
    if as_json:
        print_json([_to_json(version) for version in found])
        return
    print_table(
        ["version", "at", "author", "auc", "log loss", "missing", "description"],
        [
            (
                version.version,
                version.at,
                version.author,
                _number(version, "auc"),
                _number(version, "log_loss"),
                ", ".join(version.content.missing),
                version.content.description,
            )
            for version in found
        ],
        empty=f"Model {model!r} has no versions yet.",
    )


@models.command()
@click.argument("version", metavar="MODEL@VERSION")
@as_json
@with_app
def show(app: App, version: str, as_json: bool) -> None:
    """Show a version, by its number or an alias: what it was made of and how it did.

    \b
    Example:
      trivet models show delay@champion
    """
    found = _find(app, version)
    if as_json:
        print_json(_to_json(found))
        return
    content = found.content
    print_facts(
        {
            "version": found.ref,
            "registered": found.at,
            "author": found.author,
            "description": content.description or None,
            "run": f"run:{content.run}" if content.run else None,
            "data": ", ".join(content.datasets) or None,
            "features": ", ".join(content.features) or None,
            "inputs": ", ".join(content.signature.inputs),
            "metrics": ", ".join(f"{key} {value:.4g}" for key, value in content.metrics.items()),
            "seed": content.seed,
            "missing": ", ".join(content.missing) or None,
            "artifacts": ", ".join(content.artifacts),
            "digest": found.digest,
        }
    )


@models.command()
@click.argument("model")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--signature",
    "signature_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON: {"inputs": ["age", "income"], "threshold": 0.5, …}.',
)
@click.option(
    "--golden",
    "golden_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Arrow file of inputs and expected answers; the model is held against it.",
)
@click.option("--description", default="", help="A sentence for people.")
@as_json
@with_app
def register(
    app: App,
    model: str,
    file: Path,
    signature_file: Path,
    golden_file: Path | None,
    description: str,
    as_json: bool,
) -> None:
    """Register an ONNX file that was made elsewhere.

    What is not known of it (run, data, code, environment, seed) is marked as missing for ever.

    \b
    Example:
      trivet models register churn churn.onnx --signature churn.json
    """
    content = import_version(
        app.blobs,
        file.read_bytes(),
        signature_from_json(_read_json(signature_file)),
        golden=read_golden(golden_file.read_bytes()) if golden_file else None,
        description=description,
    )
    version = app.models.register(_parse(model).name, content)
    if as_json:
        print_json(_to_json(version))
    else:
        click.echo(f"Registered {version.ref}.")


@models.command()
@click.argument("version", metavar="MODEL@VERSION")
@click.argument("alias")
@click.option("--reason", default="", help="Why, as the approval will say.")
@click.option("--evidence", help="Evidence to move it on, instead of an approval of yours.")
@click.option("--force", metavar="REASON", help="Move it though gates did not pass; recorded.")
@as_json
@with_app
def alias(
    app: App,
    version: str,
    alias: str,
    reason: str,
    evidence: str | None,
    force: str | None,
    as_json: bool,
) -> None:
    """Point an alias at a version; the gates it passed, or your reason, are the evidence.

    \b
    Example:
      trivet models alias delay@2 champion --reason "Better on every slice"
    """
    found = _find(app, version)
    now = {item.alias: item.version for item in app.models.list_aliases(found.model)}
    moved = app.models.set_alias(
        found.model,
        alias,
        found.version,
        evidence=evidence or _approve(app, found, alias, reason, force).id,
        expected=now.get(alias),
    )
    if as_json:
        print_json(moved)
    else:
        click.echo(f"model:{moved.model}@{moved.alias} is now version {moved.version}.")


@models.command()
@click.argument("version", metavar="MODEL@VERSION")
@as_json
@with_app
def gates(app: App, version: str, as_json: bool) -> None:
    """Show the evidence that a version was admitted on: each gate with number and bound.

    \b
    Example:
      trivet models gates delay@2
    """
    evidence = _evidence(app, _find(app, version))
    if as_json:
        print_json(evidence)
        return
    print_table(
        ["gate", "verdict", "value", "bound", "what was found"],
        [
            (
                item.inputs.get("gate", item.kind),
                item.verdict,
                _short(item.numbers.get("value")),
                _short(item.numbers.get("bound")),
                item.summary,
            )
            for item in evidence
        ],
        empty=f"{version} cites no evidence.",
    )


@models.command()
@click.argument("version", metavar="MODEL@VERSION")
@with_app
def card(app: App, version: str) -> None:
    """Print the card of a version as Markdown, made from what is on record.

    \b
    Example:
      trivet models card delay@champion > card.md
    """
    found = _find(app, version)
    digest = found.content.artifacts.get("reference.json")
    text = model_card(
        app.models.get_model(found.model),
        found,
        _evidence(app, found),
        aliases=app.models.list_aliases(found.model),
        reference=json.loads(app.blobs.get(digest)) if digest else None,
        test_reads=_test_reads(app, found),
    )
    click.echo(text, nl=False)


def _parse(text: str) -> Ref:
    """Return the model that `delay`, `delay@2` or `model:delay@2` names."""
    ref = Ref.parse(text if text.startswith("model:") else f"model:{text}")
    if ref.kind is not Kind.MODEL:
        raise InvalidInput(f"{text!r} is no model; write 'delay@2' or 'model:delay@2'.")
    return ref


def _find(app: App, text: str) -> ModelVersion:
    ref = _parse(text)
    if ref.version is None:
        raise InvalidInput(f"{text!r} names no version; write '{ref.name}@1' or an alias.")
    return app.models.get_version(ref.name, ref.version)


def _test_reads(app: App, version: ModelVersion) -> dict[str, int]:
    if not version.content.run:
        return {}
    run = app.runs.get_run(RunId(version.content.run))
    return count_test_reads(app.ledger, app.runs, run)


def _evidence(app: App, version: ModelVersion) -> list[Evidence]:
    return [app.ledger.get_evidence(one) for one in version.content.evidence]


def _approve(
    app: App, version: ModelVersion, alias: str, reason: str, force: str | None
) -> Evidence:
    """Record a person's approval; it is FORCED unless gates judged the version and all passed."""
    cited = _evidence(app, version)
    passed = bool(cited) and all(item.verdict is Verdict.PASSED for item in cited)
    if not passed and not (force or "").strip():
        raise InvalidInput(
            f"{version.ref} was not admitted by passed gates, so its move needs --force with a "
            "reason, which is recorded."
        )
    said = (force or "").strip() or reason or f"All {len(cited)} gates of {version.ref} passed."
    return app.ledger.judge(
        "approval",
        version.ref,
        Verdict.PASSED if passed else Verdict.FORCED,
        f"{alias}: {said}",
        inputs={"alias": alias, "reason": said, "evidence": [item.id for item in cited]},
    )


def _read_json(file: Path) -> dict[str, object]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidInput(f"{file.name} is no JSON: {error}.") from error
    if not isinstance(values, dict):
        raise InvalidInput(f"{file.name} must hold a JSON object.")
    return values


def _to_json(version: ModelVersion) -> dict[str, object]:
    content = version.content
    return {
        "ref": version.ref,
        "model": version.model,
        "version": version.version,
        "digest": version.digest,
        "at": version.at,
        "author": version.author,
        "run": content.run or None,
        "format": content.format,
        "artifacts": content.artifacts,
        "signature": signature_to_json(content.signature),
        "datasets": content.datasets,
        "features": content.features,
        "code": content.code,
        "environment": content.environment,
        "params": content.params,
        "metrics": content.metrics,
        "seed": content.seed,
        "evidence": content.evidence,
        "missing": content.missing,
        "description": content.description,
    }


def _number(version: ModelVersion, name: str) -> str:
    return _short(version.content.metrics.get(name))


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
