"""`trivet deploy` and `trivet rollback` on a home."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from trivet.cli.main import cli
from trivet.kernel.clock import utc_now
from trivet.kernel.errors import TrivetError
from trivet.ledger import Verdict
from trivet.rollout import (
    GatesNotGreen,
    NotConfirmed,
    Phase,
    RolloutUnfinished,
    StrategyNotBuilt,
    deploy,
)
from trivet.storage.sql import Database
from trivet.testing.releases import Clock, World

Invoke = Callable[..., Result]


@pytest.fixture
def home(world: World, tmp_path: Path) -> Iterator[World]:
    """A world in the home `tmp_path`, whose clock starts now, with two versions registered."""
    database = Database(f"sqlite:///{tmp_path}/trivet.db")
    homely = World(database, Clock(utc_now()))
    homely.register()
    homely.register()
    yield homely
    database.close()


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    def run(*words: str) -> Result:
        return runner.invoke(cli, ["--home", str(tmp_path), *words])

    return run


def error_of(result: Result) -> BaseException | None:
    assert isinstance(result.exception, TrivetError)
    return result.exception


def test_a_release_from_first_to_rollback(home: World, invoke: Invoke) -> None:
    first = invoke("deploy", "direct", "model:delay@1", "--json")
    assert json.loads(first.stdout)["rollout"]["phase"] == "succeeded"
    second = invoke("deploy", "canary", "model:delay@2", "--steps", "shadow:5:0,10:5:0")
    assert second.exit_code == 0
    assert "It goes on while a controller runs" in second.stdout
    assert home.active().phase is Phase.PENDING

    home.clock.now = utc_now()
    home.run(12)
    assert home.rollouts.find_active("delay") is None
    shown = json.loads(invoke("deploy", "show", "delay", "--json").stdout)
    assert (shown["model"], shown["revision"]) == ("model:delay@2", 2)
    assert [item["verdict"] for item in shown["evidence"]] == ["passed"] * 3
    assert "model:delay@2" in invoke("deploy", "list").stdout

    home.routing.report("g1", "http://127.0.0.1:1", {"delay": 99})
    back = json.loads(invoke("rollback", "delay", "--reason", "test", "--json").stdout)
    assert (back["revision"], back["model"]) == (1, "model:delay@1")
    assert 0 < back["seconds"] < 10


def test_pause_resume_promote_and_abort(home: World, invoke: Invoke) -> None:
    deploy(home, "delay", "model:delay@1")
    invoke("deploy", "canary", "model:delay@2")
    home.clock.now = utc_now()
    home.run(3)
    for verb, phase in (
        ("pause", "holding"),
        ("resume", "stepping"),
        ("promote", "promoting"),
        ("abort", "aborting"),
    ):
        result = invoke("deploy", verb, "delay", "--reason", "by hand", "--json")
        assert json.loads(result.stdout)["rollout"]["phase"] == phase
    assert "deployment:delay#2" in invoke("deploy", "abort", "delay").stdout


def test_without_a_gateway_a_rollback_says_so(home: World, invoke: Invoke) -> None:
    deploy(home, "delay", "model:delay@1")
    deploy(home, "delay", "model:delay@2")
    result = invoke("rollback", "delay")
    assert result.exit_code == 0
    assert "no gateway is up" in result.stdout


def test_waiting_without_gateway_or_controller_ends_in_try_again(
    home: World, invoke: Invoke
) -> None:
    direct = invoke("deploy", "direct", "model:delay@1", "--wait", "--timeout", "0")
    assert isinstance(error_of(direct), NotConfirmed)
    canary = invoke("deploy", "canary", "model:delay@2", "--wait", "--timeout", "0")
    assert isinstance(error_of(canary), RolloutUnfinished)


def test_no_shadow_leaves_out_the_steps_that_answer_nobody(home: World, invoke: Invoke) -> None:
    deploy(home, "delay", "model:delay@1")
    result = invoke(
        "deploy", "canary", "model:delay@2", "--no-shadow", "--min-requests", "7", "--json"
    )
    steps = json.loads(result.stdout)["rollout"]["spec"]["steps"]
    assert [(step["weight"], step["min_requests"]) for step in steps] == [
        (0.01, 7),
        (0.1, 7),
        (0.5, 7),
    ]


def test_a_shadow_may_be_deployed(home: World, invoke: Invoke) -> None:
    deploy(home, "delay", "model:delay@1")
    result = invoke("deploy", "shadow", "model:delay@2", "--min-labels", "0", "--json")
    assert json.loads(result.stdout)["rollout"]["spec"]["strategy"] == "shadow"


@pytest.mark.parametrize("strategy", ["blue-green", "ab"])
def test_strategies_that_are_not_built_say_so(home: World, invoke: Invoke, strategy: str) -> None:
    assert isinstance(
        error_of(invoke("deploy", strategy, "model:delay@2", "--weight", "5")), StrategyNotBuilt
    )


def test_red_gates_are_refused(home: World, invoke: Invoke) -> None:
    other = home.register(Verdict.FORCED)
    assert isinstance(error_of(invoke("deploy", "direct", other.ref)), GatesNotGreen)


def test_settings_come_from_a_file(home: World, invoke: Invoke, tmp_path: Path) -> None:
    deploy(home, "delay", "model:delay@1")
    file = tmp_path / "deployment.yaml"
    file.write_text("repair: {level: auto}\n", encoding="utf-8")
    assert "repair" in invoke("deploy", "configure", "delay", str(file)).stdout
    shown = json.loads(invoke("deploy", "configure", "delay", str(file), "--json").stdout)
    assert shown["settings"] == {"repair": {"level": "auto"}}
    for text, said in (("- a\n", "mapping"), ("a: [\n", "not YAML")):
        file.write_text(text, encoding="utf-8")
        refused = error_of(invoke("deploy", "configure", "delay", str(file)))
        assert said in str(refused)
