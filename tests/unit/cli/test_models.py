import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.linear_model import LogisticRegression

from trivet.app import App
from trivet.cli.main import cli
from trivet.ledger import Verdict
from trivet.registry.onnx_export import export_onnx
from trivet.settings import Settings
from trivet.testing.model_store import content


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two versions of `delay`: one that passed its gates, one that was forced."""
    folder = tmp_path / "home"
    with App.open(Settings(home=folder, actor="user:test")) as app:
        passed = app.ledger.judge(
            "gate",
            "run:run1",
            Verdict.PASSED,
            "AUC 0.7 is enough.",
            inputs={"gate": "auc"},
            numbers={"value": 0.7, "bound": 0.6},
        )
        forced = app.ledger.judge("force", "run:run1", Verdict.FORCED, "To see it fail.")
        app.models.register("delay", content(evidence=(passed.id,), missing=()))
        app.models.register("delay", content(2, evidence=(forced.id,)))
    return folder


def trivet(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), "models", *arguments])


def test_models_and_versions_are_listed(home: Path) -> None:
    assert json.loads(trivet(home, "list", "--json").output) == [
        {"model": "delay", "versions": 2, "aliases": {}, "owner": "user:test"}
    ]
    assert "delay" in trivet(home, "list").output
    versions = json.loads(trivet(home, "versions", "delay", "--json").output)
    assert [version["ref"] for version in versions] == ["model:delay@2", "model:delay@1"]
    assert "0.7" in trivet(home, "versions", "delay").output


def test_an_empty_registry_says_what_fills_it(tmp_path: Path) -> None:
    assert "trivet run" in trivet(tmp_path, "list").output


def test_a_version_is_shown_by_number_ref_or_alias(home: Path) -> None:
    assert trivet(home, "alias", "delay@1", "champion").exit_code == 0
    for name in ("delay@1", "model:delay@1", "delay@champion"):
        assert json.loads(trivet(home, "show", name, "--json").output)["version"] == 1
    assert "dataset:flights@4f0c" in trivet(home, "show", "delay@1").output


def test_gates_are_shown_with_value_and_bound(home: Path) -> None:
    shown = trivet(home, "gates", "delay@1").output
    assert "AUC 0.7 is enough." in shown
    assert "0.6" in shown


def test_an_alias_of_a_forced_version_needs_force(home: Path) -> None:
    refused = trivet(home, "alias", "delay@2", "champion", "--reason", "I like it")
    assert refused.exit_code == 1
    assert "--force" in str(refused.exception)
    assert trivet(home, "alias", "delay@2", "champion", "--force", "A test").exit_code == 0
    with App.open(Settings(home=home, actor="user:test")) as app:
        (alias,) = app.models.list_aliases("delay")
        evidence = app.ledger.get_evidence(alias.evidence)
    assert evidence.verdict is Verdict.FORCED
    assert evidence.summary == "champion: A test"


def test_an_alias_moves_from_where_it_is(home: Path) -> None:
    trivet(home, "alias", "delay@2", "champion", "--force", "A test")
    moved = json.loads(trivet(home, "alias", "delay@1", "champion", "--json").output)
    assert (moved["version"], moved["generation"]) == (1, 2)


def test_a_file_is_registered_with_its_signature(home: Path, tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(50, 2))
    model = LogisticRegression().fit(rows, (rows[:, 0] > 0).astype(int))
    (tmp_path / "churn.onnx").write_bytes(export_onnx(model, 2))
    (tmp_path / "churn.json").write_text('{"inputs": ["a", "b"], "threshold": 0.4}')
    made = trivet(
        home,
        "register",
        "churn",
        str(tmp_path / "churn.onnx"),
        "--signature",
        str(tmp_path / "churn.json"),
        "--json",
    )
    shown = json.loads(made.output)
    assert shown["ref"] == "model:churn@1"
    assert shown["signature"]["threshold"] == 0.4
    assert "seed" in shown["missing"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "delay"), "names no version"),
        (("show", "delay@9"), "no version or alias '9'"),
        (("versions", "churn"), "No model is named 'churn'"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    home: Path, arguments: tuple[str, ...], said: str
) -> None:
    refused = trivet(home, *arguments)
    assert refused.exit_code == 1
    assert said in str(refused.exception)
