"""The chapters in which models meet traffic: the first, a better one, and two bad ones."""

import json
from datetime import datetime, timedelta

from trivet.current import use
from trivet.demo.bad_models import Flaw, register_bad_model
from trivet.demo.building import FIRST_TRAINED_UNTIL
from trivet.demo.story import DEPLOYMENT, PIPELINE, PROJECT, Story, day
from trivet.kernel.durations import format_duration
from trivet.monitoring import Alert
from trivet.rollout import Phase, Rollout
from trivet.serving import Role

_TIMED, _TIMED_SECONDS = "alert_to_rollback_seconds", 15.0
USUAL_SHARE = 0.3
_STEPS = "shadow:300:100,1:8:0,10:80:30,50:250:100"
_FAST_STEPS = "shadow:150:50,1:4:0,10:40:15,50:120:40"
_WATCH = {"harm_window": "10d", "harm_ceiling": 0.92, "harm_alpha": 0.05, "min_days": 8}
"""On the flights of 2013 this notices a model that ages for weeks, and no single storm."""

_STRICT = {"harm_window": "7d", "harm_ceiling": 0.85, "harm_alpha": 0.2, "min_days": 5}
"""For the smoke version, which cannot wait until the model has aged."""

_REPAIR_STEPS = "10:80:30,50:250:100"


def _steps(story: Story) -> str:
    return _FAST_STEPS if story.fast else _STEPS


def tell_first_release(story: Story) -> None:
    """Serve the first model, and let control repair it by itself from here on."""
    story.claims.open_chapter("Serve: the first model answers")
    settings = {
        "repair": {
            "level": "auto",
            "project": str(PROJECT),
            "pipeline": f"{PIPELINE.name}:train",
            "params": {"until": "{until}"},
            "datasets": ["flights", "landings", "weather"],
            "cooldown": "28d",
            "max_per_30_days": 1,
            "min_pairs": 500 if story.fast else 1000,
            "steps": _REPAIR_STEPS,
            "time_limit": "5m",
        },
        "monitoring": _STRICT if story.fast else _WATCH,
    }
    story.trivet("deploy", "direct", "model:delay@1", "--to", DEPLOYMENT, "--wait")
    path = story.home / "deployment.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    story.trivet("deploy", "configure", DEPLOYMENT, str(path))
    end = day(3, 4) if story.fast else day(3, 8)
    story.replay_until(end, USUAL_SHARE)
    answers = story.replay.given
    story.check(
        bool(answers) and all(_is_probability(answer.probability) for answer in answers),
        f"{len(answers):,} flights predicted over HTTP at their scheduled departure, "
        f"{story.replay.fed_back:,} outcomes fed back as they landed",
    )
    _tell_protocols(story)


def _tell_protocols(story: Story) -> None:
    """Ask for one flight by both forms; the answers must be one."""
    at = story.replay.at
    flight = story.rows_between("flights", at, at + timedelta(hours=12)).slice(0, 1).to_pylist()[0]
    row = story.replay.request_of(flight)
    plain = story.client.predict(DEPLOYMENT, [row])[0]
    standard = story.client.infer(DEPLOYMENT, row)
    story.extra_answers += 2
    story.check(
        plain.probability == standard,
        f"POST /v2/models/{DEPLOYMENT}/infer and the plain form give the same answer to the last "
        f"bit: {standard:.4f} for {flight['flight_id']}, by revision {plain.revision}",
    )


def _is_probability(value: float | None) -> bool:
    return value is not None and 0 <= value <= 1


def tell_better_release(story: Story) -> None:
    """Train a better model and release it through shadow and canary."""
    story.claims.open_chapter("Release: a better candidate earns its traffic")
    story.trivet("run", f"{PIPELINE}:train", "--param", f"until={FIRST_TRAINED_UNTIL}")
    first, second = (story.app.models.get_version(DEPLOYMENT, number) for number in (1, 2))
    story.tell(
        f"{second.ref}: AUC {second.content.metrics['auc']:.3f} against "
        f"{first.content.metrics['auc']:.3f}"
    )
    began = story.watch()
    rollout = story.release("canary", "model:delay@2", "--steps", _steps(story))
    story.figures["release_seconds"] = story.watch() - began
    table = story.app.routing.find_table(DEPLOYMENT)
    story.check(
        rollout.phase is Phase.SUCCEEDED and table is not None and table.stable == 2,
        f"shadow → 1 % → 10 % → 50 % → full on {len(rollout.evidence)} pieces of evidence: "
        f"{rollout.reason}",
    )
    story.mark("delay@2")


def tell_bad_releases(story: Story) -> None:
    """Force two bad models into release; the analysis takes both back."""
    story.claims.open_chapter("Bad releases: caught, and taken back without a human")
    reason = "demo: show that the analysis takes a bad model back"
    use(story.app)
    until = datetime.fromisoformat(FIRST_TRAINED_UNTIL)
    flipped, silent = (
        register_bad_model(flaw, until=until, reason=reason, carrier="UA")
        for flaw in (Flaw.FLIPPED_LABELS, Flaw.NAN_FOR_A_CARRIER)
    )
    story.tell(f"registered by force, with the reason on record: {flipped.ref}, {silent.ref}")
    _tell_bad(story, flipped.ref, reason, "trained on flipped labels", "--steps", _steps(story))
    _tell_bad(story, silent.ref, reason, "no number for UA", "--steps", _steps(story))
    if not story.fast:
        _tell_bad(
            story, flipped.ref, reason, "flipped, without the shadow", "--steps", "1:8,10:80:30"
        )
    _confirm_alerts(story)


def _rollout_alerts(story: Story) -> list[Alert]:
    alerts = story.app.alerts.list_alerts(deployment=DEPLOYMENT, open_only=True)
    return [alert for alert in alerts if alert.rule == "rollout"]


def _confirm_alerts(story: Story) -> None:
    """Do what the person on call does: look at what was raised, and confirm it."""
    story.settle()
    raised = _rollout_alerts(story)
    deadline = story.watch() + _TIMED_SECONDS
    # A closed alert takes no more numbers, and control has yet to write how long it took.
    while any(_TIMED not in alert.detail for alert in raised) and story.watch() < deadline:
        story.sleep(0.1)
        raised = _rollout_alerts(story)
    for alert in raised:
        story.trivet("alerts", "confirm", alert.id, quiet=True)
    slowest = max((alert.opened_at - alert.harm_at for alert in raised), default=timedelta(0))
    story.check(
        len(raised) == (2 if story.fast else 3),
        f"{len(raised)} alerts raised, {format_duration(slowest.total_seconds())} after the first "
        "harm at most, and confirmed by the person on call",
    )


def _tell_bad(story: Story, model: str, reason: str, what: str, *options: str) -> None:
    begun = len(story.replay.given)
    rollout = story.release("canary", model, *options, "--force-reason", reason)
    story.check(rollout.phase is Phase.ROLLED_BACK, f"{what}: {rollout.phase}. {rollout.reason}")
    answers = story.replay.given[begun:]
    harmed = [answer for answer in answers if answer.revision == rollout.candidate]
    shadowed = story.app.windows.tallies(DEPLOYMENT).get((rollout.candidate, Role.SHADOW))
    computed = shadowed.requests if shadowed else 0
    story.tell(
        f"{len(harmed)} of {len(answers):,} answers during its release were its own "
        f"({len(harmed) / max(len(answers), 1):.2%}); it computed {computed:,} in the shadow"
    )
    _tell_harm(story, rollout, [answer.seconds for answer in harmed])


def _tell_harm(story: Story, rollout: Rollout, seconds: list[float]) -> None:
    ended = (rollout.ended_at or rollout.step_at) - rollout.started_at
    took = format_duration(ended.total_seconds())
    if seconds:
        lasted = format_duration(max(seconds) - min(seconds))
        story.tell(f"from the first harm to the last bad answer {lasted}; its release took {took}")
    else:
        story.tell(f"no caller got an answer of it; it was gone {took} after its release began")
    table = story.app.routing.find_table(DEPLOYMENT)
    story.check(
        table is not None and table.candidate is None and table.stable != rollout.candidate,
        f"revision {table.stable if table else '?'} answers everybody, as before",
    )
