"""The ports of monitoring: windows of tallies, and alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec
from numpy.typing import NDArray

from trivet.monitoring.records import (
    Alert,
    AlertStatus,
    Answer,
    NewAlert,
    Precision,
    RuleState,
    Tally,
    Window,
)
from trivet.serving import Role

FeatureCounts = dict[str, tuple[int, ...]]
"""Counts by feature: ten bins between the reference's deciles, then the missing values."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The label of an answered request, as feedback brought it."""

    request: str
    deployment: str
    at: datetime
    event_at: datetime
    outcome: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureHour:
    """Counts of the features that one revision was given in one hour of event time."""

    deployment: str
    revision: int
    hour: datetime
    counts: dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a fold adds in one transaction.

    Attributes:
        answers: New answers; the store fills in outcomes it knows already.
        outcomes: Feedback; what is known already is left out by the store.
        features: Feature counts to add.
        position: Where the journal is to be read on.
        expected: The version of the position that the batch was read from.
    """

    answers: Sequence[Answer]
    outcomes: Sequence[Outcome]
    features: Sequence[FeatureHour]
    position: dict[str, Any]
    expected: int


@dataclass(frozen=True, slots=True)
class Added:
    """What a batch came to, once duplicates were left out."""

    answers: int = 0
    outcomes: int = 0
    labelled: int = 0
    windows: int = 0


class WindowStore(Protocol):
    """Keeps tallies by hour of event time, revision, role and slice.

    Every implementation promises, and `trivet.testing.WindowStoreContract` checks, that

    - a batch and the position behind it are written together or not at all, so that a fold
      which is killed and run again counts every answer exactly once;
    - of two folds from one position, one gets `FoldOvertaken` and adds nothing;
    - an outcome counts once, however often and in whatever order it arrives;
    - the tallies of hours, revisions and slices add up to the totals.
    """

    def position(self) -> tuple[dict[str, Any], int]:
        """Return where the journal is to be read on, and the position's version."""
        ...

    def add(self, batch: Batch) -> Added:
        """Add a batch, join outcomes to answers, and move the position."""
        ...

    def query(
        self,
        deployment: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        revision: int | None = None,
        role: Role | None = Role.PRIMARY,
        slice: str | None = "",  # noqa: A002 - the domain's word
        histograms: bool = True,
    ) -> list[Window]:
        """Return windows with `since` <= hour < `until`, by hour; `slice` None means every one.

        Without `histograms` they come without their latencies and scores, which is much quicker.
        """
        ...

    def slice_totals(
        self,
        deployment: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        revision: int | None = None,
    ) -> dict[str, Tally]:
        """Return what callers were answered in each slice, without histograms."""
        ...

    def tallies(self, deployment: str) -> dict[tuple[int, Role], Tally]:
        """Return what each revision did since its first answer, in each role."""
        ...

    def latest_event(self, deployment: str) -> datetime | None:
        """Return the newest event time the deployment was asked about."""
        ...

    def feature_counts(
        self,
        deployment: str,
        revision: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> FeatureCounts:
        """Return how a revision's features were spread over their reference's deciles."""
        ...

    def list_answers(
        self,
        deployment: str,
        *,
        revision: int | None = None,
        role: Role | None = Role.PRIMARY,
        harmful: bool = False,
        since: datetime | None = None,
        event_since: datetime | None = None,
        limit: int = 10,
        oldest_first: bool = False,
    ) -> list[Answer]:
        """Return answers by the wall clock; `harmful` keeps those that failed or were wrong."""
        ...

    def pairs(
        self, deployment: str, champion: int, challenger: int, *, limit: int = 10_000
    ) -> list[tuple[Answer, Answer]]:
        """Return labelled requests both revisions computed: the champion's answer first."""
        ...


class AlertStore(Protocol):
    """Keeps alerts and what rules last said.

    Every implementation promises, and `trivet.testing.AlertStoreContract` checks, that

    - while an alert is open, raising it again returns it and changes nothing;
    - a closed alert never changes;
    - every change and the fact that records it are one transaction (I2).
    """

    def open(self, alert: NewAlert) -> Alert:
        """Raise an alert, or return the one that is open already.

        Raises:
            EvidenceNotFound: The evidence it rests on is not stored.
        """
        ...

    def get(self, alert_id: str) -> Alert:
        """Return the alert with this id, or with a unique start of it."""
        ...

    def list_alerts(
        self,
        *,
        deployment: str | None = None,
        status: AlertStatus | None = None,
        open_only: bool = False,
        limit: int = 100,
    ) -> list[Alert]:
        """Return alerts, newest first."""
        ...

    def triage(self, alert_id: str) -> Alert:
        """Note that somebody has looked at it; the first look counts."""
        ...

    def confirm(self, alert_id: str, *, action: str = "") -> Alert:
        """Close it: there was harm."""
        ...

    def dismiss(self, alert_id: str, *, reason: str) -> Alert:
        """Close it: there was none."""
        ...

    def note_action(self, alert_id: str, action: str, detail: dict[str, Any]) -> Alert:
        """Write down what was done about it, and numbers such as `alert_to_rollback_seconds`."""
        ...

    def precision(self) -> list[Precision]:
        """Return, by rule, how many of the closed alerts were confirmed."""
        ...

    def put_states(self, states: Sequence[RuleState]) -> None:
        """Write down what rules say now."""
        ...

    def list_states(self, deployment: str) -> list[RuleState]:
        """Return what each rule last said of the deployment, by rule."""
        ...
