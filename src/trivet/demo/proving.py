"""The last chapters: what the year came to with and without repair, and the three answers."""

from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from trivet.demo.plots import Mark, Series, line_plot
from trivet.demo.report import Plot
from trivet.demo.story import DEPLOYMENT, Story
from trivet.kernel.durations import format_duration
from trivet.kernel.refs import Ref
from trivet.ledger import Verdict
from trivet.lookup import look_up
from trivet.registry.onnx_session import OnnxModel
from trivet.registry.scores import score_metrics
from trivet.serving import JournalReader, Prediction, Role

_BATCH = 20_000


def compare_with_frozen(story: Story) -> list[Plot]:
    """Score the model that was never repaired on the very features that were served.

    Returns plots of accuracy and log loss by week, with and without repair.
    """
    story.claims.open_chapter("With and without repair, on the features that were served")
    repaired_at = min(
        (
            repair.event_at
            for repair in story.app.repairs.list_repairs(DEPLOYMENT)
            if repair.phase == "done"
        ),
        default=None,
    )
    weeks = _weekly(story)
    after = [week for week in weeks if repaired_at and week["start"] >= repaired_at]
    with_repair = _mean(after, "log_loss.with")
    without = _mean(after, "log_loss.without")
    story.check(
        bool(after) and with_repair < without,
        f"after the first repair the log loss is {with_repair:.4f}, without repair it would be "
        f"{without:.4f}; accuracy {_mean(after, 'accuracy.with'):.4f} against "
        f"{_mean(after, 'accuracy.without'):.4f}",
    )
    return [
        _plot(
            story, weeks, "accuracy", f"Accuracy by week, of {len(story.replay.given):,} answers"
        ),
        _plot(story, weeks, "log_loss", "Log loss by week: repair keeps it lower"),
    ]


def _weekly(story: Story) -> list[dict[str, float | datetime]]:
    frozen_plan = story.app.models.get_version(DEPLOYMENT, 2).content.signature.inputs
    frozen = OnnxModel(
        story.app.blobs.get(
            story.app.models.get_version(DEPLOYMENT, 2).content.artifacts["model.onnx"]
        )
    )
    plan_of = {
        spec.number: tuple(spec.signature["inputs"])
        for spec in story.app.deployments.list_revisions(DEPLOYMENT)
    }
    outcome_of = dict(
        zip(
            story.tables.landings["flight_id"].to_pylist(),
            story.tables.landings["late"].to_pylist(),
            strict=True,
        )
    )
    flight_of = {given.id: given.flight for given in story.replay.given}
    rows: dict[datetime, list[tuple[int, float, list[float | None]]]] = defaultdict(list)
    for answer in _answers(story):
        usable = answer.output is not None and plan_of[answer.revision] == frozen_plan
        if usable and answer.id in flight_of and answer.output is not None:
            monday = answer.event_at.date() - timedelta(days=answer.event_at.weekday())
            start = answer.event_at.replace(
                year=monday.year, month=monday.month, day=monday.day, hour=0, minute=0
            )
            late = outcome_of[flight_of[answer.id]]
            rows[start].append((late, answer.output, answer.features))
    return [_week(start, rows[start], frozen) for start in sorted(rows)]


def _week(
    start: datetime, rows: list[tuple[int, float, list[float | None]]], frozen: OnnxModel
) -> dict[str, float | datetime]:
    labels = np.array([late for late, _, _ in rows])
    served = np.array([output for _, output, _ in rows])
    inputs: NDArray[np.float32] = np.array([features for _, _, features in rows], np.float32)
    found: dict[str, float | datetime] = {"start": start, "rows": float(len(rows))}
    for name, scores in (("with", served), ("without", frozen.predict(inputs))):
        metrics = score_metrics(labels, scores)
        found[f"accuracy.{name}"] = metrics["accuracy"]
        found[f"log_loss.{name}"] = metrics["log_loss"]
    return found


def _answers(story: Story) -> list[Prediction]:
    reader, position = JournalReader(story.app.settings.journal), None
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


def _mean(weeks: list[dict[str, float | datetime]], name: str) -> float:
    total = sum(float(week["rows"]) for week in weeks)  # type: ignore[arg-type]  # a number
    weighted = sum(float(week["rows"]) * float(week[name]) for week in weeks)  # type: ignore[arg-type]  # numbers
    return weighted / total if total else float("nan")


def _plot(story: Story, weeks: list[dict[str, float | datetime]], name: str, finding: str) -> Plot:
    starts = [week["start"] for week in weeks]
    ticks = [f"{start:%d %b}" for start in starts]
    lines = [
        Series("with repair", "--ember", [week[f"{name}.with"] for week in weeks]),  # type: ignore[misc]  # numbers
        Series(
            "without",
            "--ink-3",
            [week[f"{name}.without"] for week in weeks],  # type: ignore[misc]  # numbers
            dashed=True,
        ),
    ]
    marks = [
        Mark((at - starts[0]).total_seconds() / timedelta(days=7).total_seconds(), label)
        for at, label in story.marks
        if starts and isinstance(starts[0], datetime) and at >= starts[0]
    ]
    return Plot(
        finding=finding,
        svg=line_plot(ticks, lines, marks, title=finding),
        columns=("week", "rows", "with repair", "without"),
        rows=tuple(
            (
                tick,
                f"{week['rows']:,.0f}",
                f"{week[f'{name}.with']:.4f}",
                f"{week[f'{name}.without']:.4f}",
            )
            for tick, week in zip(ticks, weeks, strict=True)
        ),
    )


def tell_answers(story: Story) -> tuple[tuple[str, str, str], ...]:
    """Reproduce the first run, verify the ledger, and answer the three questions."""
    story.claims.open_chapter("Answers: from facts")
    first = f"run:{story.figures['first_run']}"
    began = story.watch()
    made = story.trivet("reproduce", first)
    certificate = look_up(story.app, Ref.parse(f"evidence:{made['evidence']}"))
    story.check(
        certificate.verdict is Verdict.PASSED,
        f"{certificate.summary} ({format_duration(story.watch() - began)}, "
        f"evidence:{certificate.id})",
    )
    verified = story.trivet("ledger", "verify")
    story.check(
        verified["intact"],
        f"the ledger verifies: {verified['facts']:,} facts under {verified['seals']} seals",
    )
    asked = story.trivet("ask")
    answers = []
    for leg in ("velocity", "validation", "versioning"):
        answer = asked[leg]
        answers.append((leg.capitalize(), str(answer["answer"]), str(answer["detail"])))
        story.check(bool(answer["answer"]), f"{leg.capitalize()}: {answer['answer']}")
        story.tell(str(answer["detail"]))
    return tuple(answers)
