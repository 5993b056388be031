"""Fold the prediction log into windows: read what is new, count it, write it down once."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trivet.monitoring.records import Answer
from trivet.monitoring.references import FeatureReference, Reference
from trivet.monitoring.store import Added, Batch, FeatureHour, Outcome, WindowStore
from trivet.monitoring.tallying import hour_of
from trivet.serving import Feedback, Prediction, RevisionSpec

_LONGEST_SLICE = 200
_LONGEST_FORESIGHT = timedelta(days=366)

FindRevision = Callable[[str, int], RevisionSpec | None]
"""Returns a deployment's revision by its number, or None if there is none."""

FindReference = Callable[[RevisionSpec], Reference | None]
"""Returns the reference of the model that a revision serves, or None if it has none."""


class JournalSource(Protocol):
    """What a fold reads; `trivet.serving.JournalReader` is one."""

    def read(
        self, position: dict[str, Any], limit: int
    ) -> tuple[list[Prediction | Feedback], dict[str, Any]]:
        """Return up to `limit` records after `position`, and the position after them."""
        ...


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What one run of the fold came to.

    Attributes:
        records: Records read from the journal.
        answers: New answers among them.
        outcomes: Outcomes that were not known before.
        labelled: Answers that got their outcome.
        refused: Records left out: outcomes outside [0, 1].
        deployments: Those that something new is known of.
    """

    records: int
    answers: int
    outcomes: int
    labelled: int
    refused: int
    deployments: frozenset[str]


class Fold:
    """Adds what gateways wrote to the windows, each record exactly once.

    The windows and the journal position behind them are one transaction; a fold that dies is
    run again from the old position, and a second fold at the same time gets `FoldOvertaken`.
    """

    def __init__(
        self,
        windows: WindowStore,
        journal: JournalSource,
        *,
        find_revision: FindRevision,
        find_reference: FindReference,
        limit: int = 20_000,
    ) -> None:
        self._windows = windows
        self._journal = journal
        self._find_revision = find_revision
        self._find_reference = find_reference
        self._limit = limit
        self._revisions: dict[tuple[str, int], RevisionSpec | None] = {}

    def run(self) -> FoldResult:
        """Add up to `limit` new records; `records` is 0 where there were none."""
        position, version = self._windows.position()
        records, after = self._journal.read(position, self._limit)
        if not records:
            return FoldResult(0, 0, 0, 0, 0, frozenset())
        predictions = [record for record in records if isinstance(record, Prediction)]
        feedback = [record for record in records if isinstance(record, Feedback)]
        outcomes = [_outcome(item) for item in feedback if _is_share(item.outcome)]
        added = self._windows.add(
            Batch(
                answers=[self._answer(prediction) for prediction in predictions],
                outcomes=outcomes,
                features=self._feature_hours(predictions),
                position=after,
                expected=version,
            )
        )
        return _result(records, added, refused=len(feedback) - len(outcomes))

    def _revision(self, deployment: str, number: int) -> RevisionSpec | None:
        # A revision never changes, so a found one is kept; one that is not there is asked again.
        found = self._revisions.get((deployment, number))
        if found is None:
            found = self._revisions[deployment, number] = self._find_revision(deployment, number)
        return found

    def _answer(self, prediction: Prediction) -> Answer:
        revision = self._revision(prediction.deployment, prediction.revision)
        columns = revision.signature.get("slices", ()) if revision else ()
        return Answer(
            id=prediction.id,
            request=prediction.primary or prediction.id,
            deployment=prediction.deployment,
            revision=prediction.revision,
            role=prediction.role,
            status=prediction.status,
            at=prediction.at,
            event_at=_event_at(prediction),
            output=prediction.output,
            label=prediction.label,
            latency_ms=prediction.latency_ms,
            primary_label=prediction.primary_label,
            outcome=None,
            slices=tuple(_slices(columns, prediction.inputs)),
        )

    def _feature_hours(self, predictions: Iterable[Prediction]) -> list[FeatureHour]:
        by_revision: dict[tuple[str, int], list[Prediction]] = defaultdict(list)
        for prediction in predictions:
            if prediction.features:
                by_revision[prediction.deployment, prediction.revision].append(prediction)
        hours: list[FeatureHour] = []
        for (deployment, number), served in by_revision.items():
            revision = self._revision(deployment, number)
            reference = self._find_reference(revision) if revision else None
            if revision is not None and reference is not None:
                hours += _count_features(revision, reference, served)
        return hours


def _result(records: Sequence[Prediction | Feedback], added: Added, *, refused: int) -> FoldResult:
    return FoldResult(
        records=len(records),
        answers=added.answers,
        outcomes=added.outcomes,
        labelled=added.labelled,
        refused=refused,
        deployments=frozenset(record.deployment for record in records),
    )


def _count_features(
    revision: RevisionSpec, reference: Reference, served: Sequence[Prediction]
) -> list[FeatureHour]:
    """Count, hour by hour, between which deciles of the reference each feature fell.

    Shadow answers count too: they were given the same features that a primary answer would be.
    """
    names = list(revision.signature.get("inputs", ()))
    fitting = [prediction for prediction in served if len(prediction.features) == len(names)]
    if not fitting:
        return []
    values = np.array([prediction.features for prediction in fitting], dtype=np.float64)
    hours = [hour_of(_event_at(prediction)) for prediction in fitting]
    distinct = sorted(set(hours))
    row_of = {hour: row for row, hour in enumerate(distinct)}
    rows = np.array([row_of[hour] for hour in hours])
    counted = {
        name: _counts(values[:, column], rows, len(distinct), reference.features[name])
        for column, name in enumerate(names)
        if name in reference.features
    }
    return [
        FeatureHour(
            deployment=revision.deployment,
            revision=revision.number,
            hour=hour,
            counts={name: counts[row] for name, counts in counted.items()},
        )
        for row, hour in enumerate(distinct)
    ]


def _counts(
    values: NDArray[Any],
    rows: NDArray[Any],
    hours: int,
    reference: FeatureReference,
) -> NDArray[Any]:
    """Return counts, shape (hours, bins + 1); the last column counts missing values."""
    bins = len(reference.edges) + 1
    bin_of = np.searchsorted(reference.edges, values, side="right")
    bin_of[np.isnan(values)] = bins
    cells: NDArray[Any] = np.bincount(rows * (bins + 1) + bin_of, minlength=hours * (bins + 1))
    return cells.reshape(hours, bins + 1)


def _slices(columns: Iterable[str], inputs: dict[str, Any]) -> list[str]:
    shown = (f"{name}={inputs[name]}" for name in columns if inputs.get(name) is not None)
    # A value with a control character in it is no slice that anybody could name.
    return [text for text in shown if len(text) <= _LONGEST_SLICE and text.isprintable()]


def _event_at(prediction: Prediction) -> datetime:
    # A request's own event time is a claim; one far in the future would hold "the newest event"
    # there for ever.
    if prediction.event_at > prediction.at + _LONGEST_FORESIGHT:
        return prediction.at
    return prediction.event_at


def _is_share(outcome: float) -> bool:
    return math.isfinite(outcome) and 0.0 <= outcome <= 1.0


def _outcome(feedback: Feedback) -> Outcome:
    return Outcome(
        request=feedback.prediction,
        deployment=feedback.deployment,
        at=feedback.at,
        event_at=feedback.event_at,
        outcome=feedback.outcome,
    )
