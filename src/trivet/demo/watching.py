"""The chapters in which the world changes: a broken partition, and harm that is repaired."""

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivet.control import Repair, RepairPhase
from trivet.demo.flights.features import VIEWS
from trivet.demo.releasing import USUAL_SHARE
from trivet.demo.story import DEPLOYMENT, PIPELINE, Story, day
from trivet.kernel.durations import format_duration
from trivet.kernel.errors import TrivetError
from trivet.ledger import Verdict

_LOOK_EVERY = timedelta(hours=12)
_TRAINING_SECONDS = 120.0


def tell_bad_partition(story: Story) -> None:
    """Let one week arrive broken: it is quarantined, and nothing is trained on it."""
    story.claims.open_chapter("A bad partition: one week in the wrong unit, three in ten missing")
    start = story.replay.at
    week = broken(story.rows_between("flights", start - timedelta(days=7), start))
    file = story.write_rows(week, "flights-broken-week")
    head = story.app.datasets.resolve("flights").id
    refusal = _refusal(story, "data", "commit", "flights", file, "-m", "One week, as delivered")
    story.check("contract" in refusal.lower(), f"refused: {refusal}")
    story.check(
        story.app.datasets.resolve("flights").id == head, "flights@main is where it was before"
    )
    kept = story.trivet("data", "quarantine", "flights", file, "-m", "One week, as delivered")[
        "commit"
    ]
    ref = f"dataset:flights@{kept['id']}"
    story.check(kept["contract"] == Verdict.FAILED, f"the week is quarantined as {ref[:28]}…")
    versions = len(story.app.models.list_versions(DEPLOYMENT))
    refusal = _refusal(
        story,
        "run",
        f"{PIPELINE}:train",
        "--param",
        f"until={start.isoformat()}",
        "--param",
        f"flights={ref}",
    )
    story.check(bool(refusal), f"training on it is refused: {refusal}")
    table = story.app.routing.find_table(DEPLOYMENT)
    story.check(
        len(story.app.models.list_versions(DEPLOYMENT)) == versions
        and table is not None
        and table.candidate is None,
        "no model came of it, and the one that serves is kept",
    )
    story.mark("bad week")


def broken(week: pa.Table) -> pa.Table:
    """Return the week with departure times in minutes since midnight, and 30 % nulls in three
    columns, as a changed upstream export would deliver it.
    """  # noqa: D205 - one thought
    rng = np.random.default_rng(2013)
    for name in ("dep_time", "sched_dep_time"):
        clock = week[name]
        minutes = pc.add(
            pc.multiply(pc.divide(clock, 100), 60),
            pc.subtract(clock, pc.multiply(pc.divide(clock, 100), 100)),
        )
        week = week.set_column(week.column_names.index(name), name, minutes.cast(clock.type))
    for name in ("tailnum", "dep_time", "arr_time"):
        missing = pa.array(rng.random(week.num_rows) < 0.3)
        column = pc.if_else(missing, pa.scalar(None, week[name].type), week[name])
        week = week.set_column(week.column_names.index(name), name, column)
    return week


def _refusal(story: Story, *arguments: str) -> str:
    """Return the sentence a command is refused with, empty if it is not refused."""
    try:
        story.trivet(*arguments)
    except TrivetError as error:
        return " ".join(str(error).split())
    return ""


def tell_repair(story: Story, end: datetime) -> None:
    """Live on to `end`; harm is noticed from matured labels, and control repairs it."""
    story.claims.open_chapter(f"Repair: on to {end:%d %B} at most, watched by control")
    if story.fast:
        _skip_to(story, day(4, 24))
    while story.replay.at < end and not (story.fast and _repairs_done(story)):
        _live_until(story, min(_next_look(story.replay.at), end))
        repair = story.app.repairs.find_active(DEPLOYMENT)
        if repair is not None:
            _follow(story, repair, end)
    repairs = _repairs_done(story)
    story.check(
        bool(repairs),
        f"{len(repairs)} repair(s) done without a human: "
        + "; ".join(f"{repair.event_at:%d %b} {repair.model}" for repair in reversed(repairs)),
    )
    _check_alerts(story, repairs)
    story.check(
        len(story.replay.given) >= (2_000 if story.fast else 20_000),
        f"{len(story.replay.given):,} predictions answered over HTTP in all, "
        f"{story.replay.pushed:,} rows pushed into the feature views",
    )


def _check_alerts(story: Story, repairs: list[Repair]) -> None:
    """Say what the alerts that led to repairs had to show."""
    alerts = [story.app.alerts.get(repair.alert) for repair in repairs if repair.alert]
    for alert in alerts:
        judged = story.app.ledger.get_evidence(alert.evidence)
        story.check(
            bool(alert.samples and alert.playbook) and judged.verdict is Verdict.FAILED,
            f"alert:{alert.id[:12]}… rests on evidence:{judged.id[:12]}…, shows "
            f"{len(alert.samples)} predictions and a playbook, and is {alert.status}",
        )


def _repairs_done(story: Story) -> list[Repair]:
    return [
        repair
        for repair in story.app.repairs.list_repairs(DEPLOYMENT)
        if repair.phase is RepairPhase.DONE
    ]


def _skip_to(story: Story, at: datetime) -> None:
    """Go on at a later time: what was not replayed is committed and materialised instead."""
    for month in range(story.replay.at.month, at.month):
        story.commit_month(month)
    for dataset in ("landings", "weather"):
        rows = story.rows_between(dataset, day(at.month), at)
        file = story.write_rows(rows, f"{dataset}-until-{at:%m-%d}")
        story.trivet("data", "commit", dataset, file, "-m", f"Until {at:%d %B}", quiet=True)
    views = [view.name for view in VIEWS]
    story.trivet("features", "materialize", *views, "--until", at.isoformat())
    story.replay.at = at
    story.tell(f"the weeks until {at:%d %B} were committed and materialised, not replayed")


def _next_look(at: datetime) -> datetime:
    midnight = at.replace(hour=0)
    return midnight + timedelta(days=7 - midnight.weekday())


def _live_until(story: Story, end: datetime) -> None:
    while story.replay.at < end:
        month_end = day(story.replay.at.month + 1)
        story.replay_until(min(end, month_end), USUAL_SHARE)
        if story.replay.at == month_end:
            story.commit_month(month_end.month - 1)


def _follow(story: Story, repair: Repair, end: datetime) -> None:
    """See a repair through: training takes wall-clock time, its release needs traffic."""
    began = story.watch()
    story.tell(f"{story.replay.at:%d %B}: {repair.reason}")
    story.mark(repair.cause)
    while not (now := story.app.repairs.get(repair.id)).phase.is_final:
        if now.phase in (RepairPhase.NOTICED, RepairPhase.TRAINING, RepairPhase.REGISTERED):
            if story.watch() - began > _TRAINING_SECONDS:
                break
            story.sleep(0.1)
        elif story.replay.at >= end:
            break
        else:
            _look(story)
    seconds = format_duration(story.watch() - began)
    story.tell(f"{story.replay.at:%d %B}: {now.phase} after {seconds}. {now.reason}")
    if now.phase is RepairPhase.DONE:
        story.mark(str(now.model).partition(":")[2])


def _look(story: Story) -> None:
    month_end = day(story.replay.at.month + 1)
    story.replay_until(min(story.replay.at + _LOOK_EVERY, month_end), 1.0)
    if story.replay.at == month_end:
        story.commit_month(month_end.month - 1)
