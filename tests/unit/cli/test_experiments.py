import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from trivet.cli.main import cli
from trivet.kernel.errors import TrivetError
from trivet.tracking import ExperimentConcluded


def call(home: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(cli, ["--home", str(home), *arguments])
    if isinstance(result.exception, TrivetError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if "--json" in arguments else result.stdout


def test_an_experiment_is_stated_and_concluded(tmp_path: Path) -> None:
    made = call(
        tmp_path, "experiments", "create", "delay", "--objective", "AUC", "--kill", "x", "--json"
    )
    assert (made["name"], made["kill_criteria"], made["outcome"]) == ("delay", ["x"], "open")
    call(tmp_path, "experiments", "conclude", "delay", "supported", "--reason", "AUC 0.8")
    shown = call(tmp_path, "experiments", "show", "delay")
    assert "supported" in shown
    assert "AUC 0.8" in shown
    assert [one["name"] for one in call(tmp_path, "experiments", "list", "--json")] == ["delay"]
    with pytest.raises(ExperimentConcluded):
        call(tmp_path, "experiments", "conclude", "delay", "refuted", "--reason", "no")


def test_lists_that_are_empty_name_the_command_that_fills_them(tmp_path: Path) -> None:
    assert "trivet experiments create" in call(tmp_path, "experiments", "list")
    assert "trivet run" in call(tmp_path, "runs", "list")
