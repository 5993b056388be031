"""What `trivet init` makes runs, by the commands that it prints."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from trivet.cli.init import NEXT_STEPS, ProjectExists, make_project

TRIVET = [sys.executable, "-m", "trivet.cli.main"]


def trivet(*arguments: str, folder: Path) -> str:
    done = subprocess.run(
        [*TRIVET, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with which everything was done that `trivet init` says."""
    root = tmp_path_factory.mktemp("init")
    trivet("init", "churn", folder=root)
    for command in NEXT_STEPS[1:]:
        trivet(*shlex.split(command)[1:], folder=root / "churn")
    return root / "churn"


def test_its_pipeline_registers_a_model_that_passed_its_gates(project: Path) -> None:
    gates = trivet("models", "gates", "churn@1", folder=project)
    assert "onnx_parity" in gates
    assert "failed" not in gates
    assert "the baseline's" in trivet("models", "card", "churn@1", folder=project)


def test_its_model_cites_data_features_and_code(project: Path) -> None:
    shown = trivet("models", "show", "churn@1", "--json", folder=project)
    for part in ("dataset:customers@", "features:by_plan@1", '"missing": []'):
        assert part in shown


def test_a_second_run_comes_from_the_cache(project: Path) -> None:
    assert "model:churn@1" in trivet("run", "pipeline.py", folder=project)
    assert trivet("models", "list", "--json", folder=project).count('"versions": 1') == 1


def test_its_own_tests_pass(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "features.py").write_text("mine")
    with pytest.raises(ProjectExists, match=r"features\.py"):
        make_project(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["features.py"]
    assert (tmp_path / "features.py").read_text() == "mine"
