"""The whole controller on real stores, a real journal and real training processes."""

import sys
import time
from datetime import timedelta
from typing import Any

import pytest

from trivet.control import Repairer, RepairPhase
from trivet.control.stores import Stores
from trivet.ledger import Lease, Verdict
from trivet.monitoring import AlertStatus
from trivet.rollout import CONTROLLER_LEASE, Phase, deploy, latest
from trivet.serving import Role
from trivet.testing.homes import Home

_TRAIN = """
import json, sys
from pathlib import Path
from trivet.testing.homes import open_home
home = open_home(Path(sys.argv[1]), seed=int(sys.argv[2]))
version = home.register(int(sys.argv[2]))
with (Path(sys.argv[1]) / "trained").open("a") as file:
    file.write("once\\n")
print(json.dumps({"run": "run:r", "outputs": {"register": version.ref}}))
"""

REPAIR = {
    "level": "auto",
    "project": ".",
    "pipeline": "pipeline.py:train",
    "datasets": ["flights"],
    "cooldown": "7d",
    "min_pairs": 100,
    "steps": "50:40:20",
}


def serve(home: Home, **settings: Any) -> None:
    """Serve the first version."""
    home.register(1)
    home.deployments.create_deployment("delay", "delay", settings=settings)
    deploy(home, "delay", "model:delay@1", strategy="direct")
    home.report()


def lease_of(home: Home) -> Lease:
    lease = home.leases.acquire(CONTROLLER_LEASE, "first", timedelta(days=1))
    assert lease is not None
    return lease


def train_second(home: Home) -> Repairer:
    def command(repair: object, policy: object) -> list[str]:
        return [sys.executable, "-c", _TRAIN, str(home.folder), "2"]

    stores: Stores = home
    return Repairer(stores, home.folder, command)


def run_until(home: Home, repairer: Repairer, *phases: RepairPhase) -> RepairPhase:
    """Look at repairs until the newest is in one of the phases."""
    for _ in range(400):
        repairer.run(lease_of(home))
        repairs = home.repairs.list_repairs("delay", limit=1)
        if repairs and (repairs[0].phase in phases or repairs[0].phase is RepairPhase.FAILED):
            assert repairs[0].phase in phases, repairs[0].reason
            return repairs[0].phase
        time.sleep(0.02)  # a process of its own trains
    raise AssertionError(home.repairs.list_repairs("delay"))


def test_what_gateways_wrote_is_counted_and_judged(home: Home) -> None:
    serve(home)
    home.ask(600, wrong=0.2)

    turn = home.controller().tick()

    assert turn.failed == {}
    tally = home.windows.tallies("delay")[1, Role.PRIMARY]
    assert (tally.requests, tally.labelled) == (600, 600)
    assert tally.accuracy == pytest.approx(0.8, abs=0.02)
    verdicts = {state.rule: state.verdict for state in home.alerts.list_states("delay")}
    assert verdicts["errors"] is Verdict.PASSED
    assert verdicts["harm"] in (Verdict.PASSED, Verdict.INCONCLUSIVE)
    assert home.alerts.list_alerts() == []
    assert set(home.windows.feature_counts("delay", 1)) == {"distance"}
    assert {w.slice for w in home.windows.query("delay", slice=None)} == {
        "",
        "carrier=UA",
        "carrier=DL",
    }


def test_harm_raises_one_alert_with_evidence_samples_and_a_playbook(home: Home) -> None:
    serve(home)
    loop = home.controller()
    for _ in range(3):
        home.ask(300, wrong=0.5)
        assert loop.tick().failed == {}

    [alert] = home.alerts.list_alerts()

    assert (alert.rule, alert.severity) == ("harm", "page")
    assert home.ledger.get_evidence(alert.evidence).verdict is Verdict.FAILED
    assert len(alert.samples) == 10
    assert "trivet rollback delay" in alert.playbook
    assert f"prediction:{alert.samples[0]}" in alert.playbook
    assert alert.harm_at < alert.opened_at
    wrong = home.windows.get_answer(alert.samples[0])
    assert wrong.label != wrong.outcome


def test_an_alert_that_was_dismissed_stays_quiet_while_nothing_changes(home: Home) -> None:
    serve(home)
    loop = home.controller()
    home.ask(600, wrong=0.5)
    loop.tick()
    home.alerts.dismiss(home.alerts.list_alerts()[0].id, reason="a load test")

    home.ask(300, wrong=0.5)
    home.controller("first").tick()

    assert home.alerts.list_alerts(open_only=True) == []


def test_an_aborted_release_raises_an_alert_with_its_times(home: Home) -> None:
    serve(home)
    home.register(2)
    deploy(home, "delay", "model:delay@2", strategy="canary")
    loop = home.controller()
    for _ in range(60):
        home.report()
        home.ask(40, wrong=0.2, shadow_wrong=0.9)
        assert loop.tick().failed == {}
        if latest(home, "delay").phase is Phase.ROLLED_BACK:
            break
    home.clock.now += timedelta(seconds=2)
    loop.tick()

    [alert] = [a for a in home.alerts.list_alerts() if a.rule == "rollout"]

    assert latest(home, "delay").phase is Phase.ROLLED_BACK
    assert alert.detail["rollout"] == latest(home, "delay").id
    assert alert.detail["seen_by_callers"] is False
    assert alert.detail["exposed_answers"] == 0
    assert alert.detail["harm_to_alert_seconds"] > 0
    assert alert.detail["harm_to_rollback_seconds"] > 0
    assert "rolled back to deployment:delay#1" in alert.action


def test_harm_is_repaired_by_a_better_model_without_a_human(home: Home) -> None:
    serve(home, repair=REPAIR)
    loop = home.controller()
    home.ask(600, wrong=0.5)
    loop.tick()
    repairer = train_second(home)

    run_until(home, repairer, RepairPhase.SHADOW)
    for _ in range(60):
        home.report()
        home.ask(40, wrong=0.5, shadow_wrong=0.1)
        assert loop.tick().failed == {}
        repairer.run(lease_of(home))
        if home.repairs.find_active("delay") is None:
            break

    [repair] = home.repairs.list_repairs("delay")
    assert (repair.phase, repair.model) == (RepairPhase.DONE, "model:delay@2")
    duel = home.ledger.get_evidence(repair.detail["duel"])
    assert duel.verdict is Verdict.PASSED
    assert home.deployments.get_revision("delay", home.table.stable).model == "model:delay@2"
    [alert] = [a for a in home.alerts.list_alerts() if a.rule == "harm"]
    assert alert.status is AlertStatus.CONFIRMED
    assert alert.detail["alert_to_repair_seconds"] > 0
    assert (home.folder / "trained").read_text() == "once\n"


def test_a_challenger_that_is_no_better_does_not_take_over(home: Home) -> None:
    serve(home, repair=REPAIR)
    loop = home.controller()
    home.ask(600, wrong=0.5)
    loop.tick()
    repairer = train_second(home)

    run_until(home, repairer, RepairPhase.SHADOW)
    for _ in range(60):
        home.report()
        home.ask(40, wrong=0.3, shadow_wrong=0.5)
        loop.tick()
        repairer.run(lease_of(home))
        if home.repairs.find_active("delay") is None:
            break

    [repair] = home.repairs.list_repairs("delay")
    assert repair.phase is RepairPhase.FAILED
    assert home.table.stable == 1
    assert home.rollouts.find_active("delay") is None or not home.table.weight
    assert home.alerts.list_alerts(open_only=True)[-1].action.startswith("a repair failed")


def test_nothing_is_trained_while_data_are_red(home: Home) -> None:
    serve(home, repair=REPAIR)
    red = home.ledger.judge("contract", "dataset:flights@c9", Verdict.FAILED, "30 % are null.")
    home.ask(600, wrong=0.5)
    home.controller().tick()
    repairer = train_second(home)

    assert run_until(home, repairer, RepairPhase.REFUSED) is RepairPhase.REFUSED
    for _ in range(3):
        repairer.run(lease_of(home))

    [repair] = home.repairs.list_repairs("delay")
    assert repair.detail["data_evidence"] == red.id
    assert "30 % are null." in repair.reason
    assert f"evidence:{red.id}" in home.alerts.list_alerts(open_only=True)[0].action
    assert not (home.folder / "trained").exists()

    home.ledger.judge("contract", "dataset:flights@d1", Verdict.PASSED, "All checks passed.")
    assert run_until(home, repairer, RepairPhase.REGISTERED) is RepairPhase.REGISTERED


def test_a_repair_goes_on_after_every_restart_and_trains_once(home: Home) -> None:
    serve(home, repair=REPAIR)
    home.ask(600, wrong=0.5)
    home.controller().tick()

    killed = [train_second(home) for _ in range(4)]
    for repairer in killed:
        repairer.run(lease_of(home))  # as if each controller were killed right after its look
    run_until(home, train_second(home), RepairPhase.REGISTERED)
    run_until(home, train_second(home), RepairPhase.SHADOW)
    train_second(home).run(lease_of(home))

    assert (home.folder / "trained").read_text() == "once\n"
    assert len(home.models.list_versions("delay")) == 2
    assert len(home.rollouts.list_rollouts("delay")) == 2


def test_a_manual_policy_waits_and_one_that_asks_waits_for_a_confirmation(home: Home) -> None:
    serve(home, repair={**REPAIR, "level": "ask"})
    home.ask(600, wrong=0.5)
    home.controller().tick()
    repairer = train_second(home)

    repairer.run(lease_of(home))
    assert home.repairs.list_repairs() == []
    [alert] = home.alerts.list_alerts(open_only=True)
    home.alerts.confirm(alert.id)
    repairer.run(lease_of(home))

    assert [repair.alert for repair in home.repairs.list_repairs()] == [alert.id]


def test_after_a_failure_a_repair_cools_down(home: Home) -> None:
    serve(home, repair=REPAIR)
    home.ask(600, wrong=0.5)
    home.controller().tick()

    def command(repair: object, policy: object) -> list[str]:
        return [sys.executable, "-c", "import sys; sys.exit('the gate auc is 0.4')"]

    repairer = Repairer(home, home.folder, command)
    run_until(home, repairer, RepairPhase.FAILED)
    for _ in range(3):
        repairer.run(lease_of(home))

    [repair] = home.repairs.list_repairs()
    assert repair.reason == "the gate auc is 0.4"
    home.ask(6 * 24 * 8, wrong=0.5)
    home.controller().tick()
    repairer.run(lease_of(home))
    assert len(home.repairs.list_repairs()) == 2


def test_an_alert_that_has_outlived_its_cause_does_not_hide_the_next(home: Home) -> None:
    serve(home)
    loop = home.controller()
    home.ask(600, wrong=0.5)
    loop.tick()
    [first] = home.alerts.list_alerts(open_only=True)

    home.ask(6000, wrong=0.1)
    home.controller("first").tick()

    assert home.alerts.get(first.id).status is AlertStatus.DISMISSED
    assert "passes again" in home.alerts.get(first.id).action

    home.ask(6000, wrong=0.6)
    home.controller("first").tick()

    [second] = home.alerts.list_alerts(open_only=True)
    assert second.id != first.id


def test_an_alert_about_a_revision_that_was_replaced_is_closed(home: Home) -> None:
    serve(home)
    home.ask(600, wrong=0.5)
    home.controller().tick()
    [alert] = home.alerts.list_alerts(open_only=True)
    home.register(2)
    deploy(home, "delay", "model:delay@2", strategy="direct")
    home.report()

    home.ask(50, wrong=0.1)
    home.controller("first").tick()

    assert home.alerts.get(alert.id).status is AlertStatus.DISMISSED
    assert "does not serve" in home.alerts.get(alert.id).action
