from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from trivet.cli.output import to_json
from trivet.kernel.digests import canonical_json, digest_json
from trivet.ledger import Evidence, EvidenceId, Fact, Verdict, Verification
from trivet.monitoring import Alert, AlertStatus
from trivet.rollout import deploy
from trivet.scorecard import answers
from trivet.scorecard.validation import validation
from trivet.scorecard.velocity import Origin, release, velocity
from trivet.scorecard.versioning import versioning
from trivet.testing.homes import Home, open_home

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = open_home(tmp_path)
    yield home
    home.close()


def fact(minute: float, kind: str, **payload: Any) -> Fact:
    return Fact(
        seq=int(minute * 10),
        id=f"f{minute}",
        at=NOON + minute * MINUTE,
        actor="control",
        kind=kind,
        subject="rollout:r1",
        generation=None,
        payload=payload,
        digest=digest_json([kind, minute]),
    )


ORIGIN = Origin(
    deployment="delay",
    revision=2,
    model="model:delay@2",
    data="dataset:flights@c1",
    committed_at=NOON - 30 * MINUTE,
    run="run:r",
    run_started_at=NOON - 10 * MINUTE,
    registered_at=NOON - 8 * MINUTE,
)

ROLLOUT = [
    fact(0, "rollout.started", phase="pending"),
    fact(1, "rollout.preparing", phase="preparing"),
    fact(2, "rollout.stepping", phase="stepping", step_name="shadow"),
    fact(4, "rollout.holding", phase="holding", step_name="shadow"),
    fact(9, "rollout.stepping", phase="stepping", step_name="canary 1 %"),
    fact(10, "rollout.promoting", phase="promoting"),
    fact(11, "rollout.succeeded", phase="succeeded"),
]


def test_the_links_of_a_release_add_up_and_the_slowest_is_named() -> None:
    way = release(ORIGIN, ROLLOUT)

    assert way is not None
    assert [(link.name, link.seconds / 60) for link in way.links] == [
        ("data commit to training", 20),
        ("training and gates", 2),
        ("registration to release", 8),
        ("gateways load it", 2),
        ("shadow", 7),
        ("canary 1 %", 1),
        ("full traffic confirmed", 1),
    ]
    assert sum(link.seconds for link in way.links) == way.seconds == 41 * 60
    assert way.slowest == "data commit to training"


def test_a_release_that_did_not_succeed_has_no_way() -> None:
    assert release(ORIGIN, ROLLOUT[:-1]) is None
    assert release(ORIGIN, []) is None


def test_over_all_releases_the_slowest_link_is_the_sum() -> None:
    way = release(ORIGIN, ROLLOUT)
    assert way is not None

    found = velocity([way, way])

    assert (found.slowest, found.slowest_seconds) == ("data commit to training", 2400)
    assert "2 releases" in found.summary
    assert velocity([]).slowest is None


def alert(harm_to_alert: float, **detail: Any) -> Alert:
    return Alert(
        id="a1",
        deployment="delay",
        rule="rollout",
        severity="page",
        summary="",
        evidence="e1",
        samples=(),
        harm_at=NOON,
        opened_at=NOON + timedelta(seconds=harm_to_alert),
        triage_due_at=NOON,
        resolve_due_at=NOON,
        playbook="",
        status=AlertStatus.OPEN,
        detail=detail,
    )


def test_how_fast_one_would_know_is_what_was_measured() -> None:
    found = validation(
        [alert(2.0, alert_to_rollback_seconds=1.5), alert(700.0)],
        on_call="anna",
        owners={"delay": "anna"},
        precision=[],
    )

    assert (found.slowest_alert_seconds, found.slowest_rollback_seconds) == (700.0, 1.5)
    assert (found.knows_in_time, found.is_back_in_time) == (False, True)
    assert found.summary.startswith("anna would be told")


def test_without_incidents_and_without_anybody_named_it_says_so() -> None:
    found = validation([], on_call="", owners={}, precision=[])

    assert (found.knows_in_time, found.is_back_in_time) == (None, None)
    assert "Nobody" in found.summary
    assert "not known" in found.summary


def certificate(verdict: Verdict, run: str) -> Evidence:
    return Evidence(
        id=EvidenceId(run),
        at=NOON,
        actor="user:anna",
        kind="reproduction",
        subject=run,
        verdict=verdict,
        summary="",
    )


def test_reproductions_are_counted_and_versions_nobody_tried_are_named() -> None:
    intact = Verification(facts=9, seals=1, unsealed=0)

    found = versioning(
        [certificate(Verdict.PASSED, "run:a"), certificate(Verdict.FAILED, "run:b")],
        runs_at={"run:a": NOON},
        runs_of={"model:delay@1": ["run:a"], "model:delay@2": ["run:c"]},
        facts=9,
        verification=intact,
    )

    assert (found.passed, found.failed, found.is_intact) == (1, 1, True)
    assert found.never_tried == ("model:delay@2",)
    assert found.oldest_run_at == NOON


def test_a_ledger_that_does_not_verify_is_said_loudly() -> None:
    broken = Verification(facts=9, seals=1, unsealed=0, problems=("seal 1",))

    found = versioning([], runs_at={}, runs_of={}, facts=9, verification=broken)

    assert "DOES NOT VERIFY" in found.summary


def test_an_empty_home_answers_that_nothing_is_known(home: Home) -> None:
    found = answers(home)

    assert found.velocity.releases == ()
    assert found.delivery.failure_rate is None
    assert found.versioning.is_intact is True
    canonical_json(to_json(found))


def test_a_home_answers_from_its_facts(home: Home) -> None:
    home.ledger.note("dataset.committed", "dataset:flights@c1", {})
    home.ledger.note("run.started", "run:r1", {})
    home.register(1)
    deploy(home, "delay", "model:delay@1", strategy="direct")
    home.ledger.judge("reproduction", "run:r1", Verdict.PASSED, "The same to the last bit.")

    found = answers(home, on_call="anna")

    [way] = found.velocity.releases
    assert (way.model, way.links[0].ref) == ("model:delay@1", "dataset:flights@c1")
    assert found.versioning.never_tried == ()
    assert found.versioning.summary.startswith("Yes: 1 of 1")
    assert (found.delivery.releases, found.delivery.failed) == (1, 0)
    assert found.delivery.lead_seconds == way.seconds
    canonical_json(to_json(found))
