import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from trivet.cli.main import cli


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "DATABASE", "BLOBS", "TABLES", "ONLINE", "ACTOR", "ON_CALL", "PORT"):
        monkeypatch.delenv(f"TRIVET_{name}", raising=False)
    (tmp_path / "trivet.yaml").write_text("settings:\n  on_call: anna\n  port: 6000\n")
    return tmp_path


def shown(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, [*arguments, "config", "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_each_setting_says_where_it_came_from(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIVET_PORT", "7000")
    found = shown("--home", "here")
    assert found["home"] == {
        "value": str(project / "here"),
        "from": "command line",
        "variable": "TRIVET_HOME",
    }
    assert found["port"] == {"value": 7000, "from": "environment", "variable": "TRIVET_PORT"}
    assert (found["on_call"]["value"], found["on_call"]["from"]) == ("anna", "trivet.yaml")
    assert found["gateway_port"]["from"] == "default"
    assert found["database"]["value"] == f"sqlite:///{project}/here/trivet.db"


@pytest.mark.usefixtures("project")
def test_what_opens_a_back_end_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIVET_DATABASE", "postgresql://anna:hunter2@db/trivet")
    monkeypatch.setenv("TRIVET_ONLINE", "redis://:hunter2@cache:6379/0")
    monkeypatch.setenv("TRIVET_BLOBS", "s3://b/p?region=x&secret_access_key=hunter2")
    for form in (["config"], ["config", "--json"]):
        done = CliRunner().invoke(cli, form, catch_exceptions=False)
        assert "hunter2" not in done.output
        assert "postgresql://anna:***@db/trivet" in done.output
        assert "s3://b/p?region=x&secret_access_key=***" in done.output


def test_to_look_at_the_settings_makes_no_home(project: Path) -> None:
    shown()
    assert [file.name for file in project.iterdir()] == ["trivet.yaml"]
