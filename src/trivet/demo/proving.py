"""The last chapters: what the year came to with and without repair, and the three answers."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.control import RepairPhase
from trivet.demo.plots import Mark, Series, line_plot
from trivet.demo.report import Plot
from trivet.demo.story import DEPLOYMENT, Story
from trivet.features import make_plan, training_set
from trivet.kernel.durations import format_duration
from trivet.kernel.refs import Ref
from trivet.ledger import Verdict
from trivet.lookup import look_up
from trivet.registry.onnx_session import OnnxModel
from trivet.registry.scores import score_metrics
from trivet.serving import JournalReader, Prediction, Role

_BATCH = 20_000
_PARITY_ROWS = 2_000
_PARITY_LIMIT = 0.001
_MOMENT = timedelta(microseconds=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """How the served models did in a week, and how the one that was never repaired would have."""

    start: datetime
    rows: int
    served: dict[str, float]
    frozen: dict[str, float]


def compare_with_frozen(story: Story) -> list[Plot]:
    """Score the model that was never repaired on the very features that were served.

    Returns plots of accuracy and log loss by week, with and without repair.
    """
    story.claims.open_chapter("With and without repair, on the features that were served")
    done = [
        repair.event_at
        for repair in story.app.repairs.list_repairs(DEPLOYMENT)
        if repair.phase is RepairPhase.DONE
    ]
    weeks = _weeks(story)
    after = [week for week in weeks if done and week.start >= min(done)]
    loss, frozen_loss = _mean(after, "log_loss")
    accuracy, frozen_accuracy = _mean(after, "accuracy")
    sentence = (
        f"after the first repair the log loss is {loss:.4f}, without repair it would be "
        f"{frozen_loss:.4f}; accuracy {accuracy:.4f} against {frozen_accuracy:.4f}"
    )
    if story.fast:
        story.tell(f"{sentence} (a few days only: no claim)")
    else:
        story.check(bool(after) and loss < frozen_loss, sentence)
    return [
        _plot(story, weeks, "accuracy", _finding("accuracy", after, accuracy, frozen_accuracy)),
        _plot(story, weeks, "log_loss", _finding("log loss", after, loss, frozen_loss)),
    ]


def _finding(metric: str, after: Sequence[Week], served: float, frozen: float) -> str:
    if not after:
        return f"{metric.capitalize()} by week, with repair and without"
    return (
        f"Since the first repair {metric} is {_written(metric, served)}; "
        f"without it, it would be {_written(metric, frozen)}"
    )


def _written(metric: str, value: float) -> str:
    return f"{value:.1%}".replace("%", " %") if metric == "accuracy" else f"{value:.3f}"


def _weeks(story: Story) -> list[Week]:
    version = story.app.models.get_version(DEPLOYMENT, 2)
    frozen = OnnxModel(story.app.blobs.get(version.content.artifacts["model.onnx"]))
    takes_the_same = {
        spec.number
        for spec in story.app.deployments.list_revisions(DEPLOYMENT)
        if tuple(spec.signature["inputs"]) == version.content.signature.inputs
    }
    landings = story.tables.landings
    late_of = dict(
        zip(landings["flight_id"].to_pylist(), landings["late"].to_pylist(), strict=True)
    )
    flight_of = {given.id: given.flight for given in story.replay.given}
    rows: dict[datetime, list[tuple[int, float, list[float | None]]]] = defaultdict(list)
    for answer in _answers(story):
        if (
            answer.output is not None
            and answer.revision in takes_the_same
            and answer.id in flight_of
        ):
            midnight = answer.event_at.replace(hour=0, minute=0, second=0, microsecond=0)
            start = midnight - timedelta(days=midnight.weekday())
            rows[start].append((late_of[flight_of[answer.id]], answer.output, answer.features))
    return [_week(start, rows[start], frozen) for start in sorted(rows)]


def _week(
    start: datetime, rows: list[tuple[int, float, list[float | None]]], frozen: OnnxModel
) -> Week:
    labels = np.array([late for late, _, _ in rows])
    served = np.array([output for _, output, _ in rows])
    inputs: NDArray[np.float32] = np.array([features for _, _, features in rows], np.float32)
    return Week(
        start=start,
        rows=len(rows),
        served=score_metrics(labels, served),
        frozen=score_metrics(labels, frozen.predict(inputs)),
    )


def _answers(story: Story) -> list[Prediction]:
    reader = JournalReader(story.app.settings.journal)
    position: dict[str, int] = {}
    answers: list[Prediction] = []
    while True:
        records, position = reader.read(position, _BATCH)
        answers += [
            record
            for record in records
            if isinstance(record, Prediction) and record.role is Role.PRIMARY
        ]
        if not records:
            return answers


def check_parity(story: Story) -> None:
    """Join the features of served answers offline, and count the values that differ."""
    story.claims.open_chapter("Parity: what was served against what training would have seen")
    service = story.app.features.get_service("delay")
    views = [story.app.features.get_view(name) for name, _ in service.views]
    known = {
        spec.number: spec.signature for spec in story.app.deployments.list_revisions(DEPLOYMENT)
    }
    answers = [
        answer
        for answer in _answers(story)
        if (known[answer.revision]["plan"] or {}).get("service") == service.name
    ][-_PARITY_ROWS:]
    # An answer saw what had been pushed before its hour began.
    asked_at = [answer.event_at.replace(minute=0) - _MOMENT for answer in answers]
    asked = pa.table(
        {name: [answer.inputs[name] for answer in answers] for name in answers[0].inputs}
        | {"asked_at": pa.array(asked_at, pa.timestamp("us", "UTC"))}
    )
    joined = training_set(
        service,
        views,
        lambda view: getattr(story.tables, view.source),
        asked,
        event_time="asked_at",
    )
    plan = make_plan(service, views)
    served = np.array([answer.features for answer in answers], np.float32)
    positions = [place for place, item in enumerate(plan.inputs) if item.view is not None]
    offline = np.stack([joined[plan.names[place]].to_numpy() for place in positions], axis=1)
    same = np.isclose(served[:, positions], offline, rtol=1e-5, atol=1e-5, equal_nan=True)
    worst = plan.names[positions[int((~same).sum(axis=0).argmax())]]
    differ = 1 - same.mean()
    story.check(
        differ <= _PARITY_LIMIT,
        f"{differ:.3%} of {same.size:,} served feature values differ from the offline join"
        + (f"; most in {worst}" if differ else ""),
    )


def _mean(weeks: Sequence[Week], metric: str) -> tuple[float, float]:
    """Return the metric with and without repair, each week by its rows; NaN of no weeks."""
    rows = sum(week.rows for week in weeks)
    if rows == 0:
        return math.nan, math.nan
    return (
        sum(week.rows * week.served[metric] for week in weeks) / rows,
        sum(week.rows * week.frozen[metric] for week in weeks) / rows,
    )


def _plot(story: Story, weeks: Sequence[Week], metric: str, finding: str) -> Plot:
    ticks = [f"{week.start:%d %b}" for week in weeks]
    lines = [
        Series("with repair", "--ember", [week.served[metric] for week in weeks]),
        Series("without", "--ink-3", [week.frozen[metric] for week in weeks], dashed=True),
    ]
    first = weeks[0].start if weeks else None
    marks = [
        Mark((at - first) / _WEEK, label) for at, label in story.marks if first and at >= first
    ]
    return Plot(
        finding=finding,
        svg=line_plot(ticks, lines, marks, title=finding, percent=metric == "accuracy"),
        columns=("week", "rows", "with repair", "without"),
        rows=tuple(
            (
                tick,
                f"{week.rows:,}",
                f"{week.served[metric]:.4f}",
                f"{week.frozen[metric]:.4f}",
            )
            for tick, week in zip(ticks, weeks, strict=True)
        ),
    )


def tell_answers(story: Story) -> tuple[tuple[str, str, str], ...]:
    """Reproduce the first run, verify the ledger, and answer the three questions."""
    story.claims.open_chapter("Answers: from facts")
    first = str(story.figures["first_run"])
    began = story.watch()
    made = story.trivet("reproduce", first)
    certificate = look_up(story.app, Ref.parse(made["evidence"]))
    story.check(
        certificate.verdict is Verdict.PASSED,
        f"{certificate.summary} ({format_duration(story.watch() - began)}, {made['evidence']})",
    )
    verified = story.trivet("ledger", "verify")
    story.check(
        verified["intact"],
        f"the ledger verifies: {verified['facts']:,} facts under {verified['seals']} seals",
    )
    asked = story.trivet("ask")
    velocity, validation, versioning = (
        asked[leg] for leg in ("velocity", "validation", "versioning")
    )
    holds = {
        "Velocity": bool(velocity["releases"]),
        "Validation": bool(validation["knows_in_time"] and validation["is_back_in_time"]),
        "Versioning": versioning["passed"] > 0 and versioning["failed"] == 0,
    }
    summaries = [str(leg["summary"]) for leg in (velocity, validation, versioning)]
    for (leg, answered), summary in zip(holds.items(), summaries, strict=True):
        story.check(answered, f"{leg}: {summary}")
    return tuple((leg, *_headline(summary)) for leg, summary in zip(holds, summaries, strict=True))


def _headline(summary: str) -> tuple[str, str]:
    """Return the first sentence, and the rest."""
    first, _, rest = summary.partition(". ")
    return (f"{first}.", rest) if rest else (summary, "")
