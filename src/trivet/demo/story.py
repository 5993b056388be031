"""What the chapters of the demo share: the home, its processes, the replay and what was learnt."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trivet.app import App
from trivet.demo.claims import Claims
from trivet.demo.gateway_client import GatewayClient
from trivet.demo.replay import Replay
from trivet.demo.shell import Shell
from trivet.demo.source import FlightTables
from trivet.kernel.clock import Sleep, Stopwatch, sleep, stopwatch
from trivet.kernel.errors import Unavailable
from trivet.rollout import Rollout
from trivet.serving import Role

DEPLOYMENT = "delay"
PROJECT = Path(__file__).parent / "flights"
PIPELINE = PROJECT / "pipeline.py"
DATASETS = {"flights": "scheduled_at", "landings": "known_at", "weather": "observed_at"}
"""The datasets that grow with time, and the column by which a month of them is cut."""

_SETTLE_SECONDS = 60.0
_TICKS_SECONDS = 0.25
_LOOK_EVERY = timedelta(hours=6)


class NotSettled(Unavailable):
    """The controller did not catch up with what the gateway answered."""

    def __init__(self, folded: int, answered: int) -> None:
        super().__init__(folded, answered)
        self.folded = folded
        self.answered = answered

    def __str__(self) -> str:
        return (
            f"The controller counted {self.folded} of {self.answered} answers and came no "
            "further; look at up.log in the home."
        )


def day(month: int, number: int = 1) -> datetime:
    """Return midnight UTC of a day of 2013."""
    return datetime(2013, month, number, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Story:
    """The demo as far as it has come.

    Attributes:
        fast: Whether this is the smoke version: fewer months and repairs, every mechanism.
        figures: What was measured, by name, for the last chapter and the report.
        extra_answers: Answers that were given outside of the replay.
    """

    app: App
    home: Path
    shell: Shell
    claims: Claims
    tables: FlightTables
    client: GatewayClient
    replay: Replay
    port: int
    fast: bool
    watch: Stopwatch = stopwatch
    sleep: Sleep = sleep
    figures: dict[str, Any] = field(default_factory=dict)
    marks: list[tuple[datetime, str]] = field(default_factory=list)
    extra_answers: int = 0

    def trivet(self, *arguments: str, quiet: bool = False, silent: bool = False) -> Any:
        """Run a command of the command line, and return what it prints as JSON."""
        return self.shell.run(*arguments, quiet=quiet, silent=silent)

    def tell(self, sentence: str) -> None:
        """Say what is going on."""
        self.claims.tell(sentence)

    def check(self, holds: bool, sentence: str) -> None:
        """State a claim and whether it holds."""
        self.claims.check(holds, sentence)

    def mark(self, label: str) -> None:
        """Remember what happened at this event time, for the plots."""
        self.marks.append((self.replay.at, label))

    def write_rows(self, rows: pa.Table, name: str) -> str:
        """Write rows to a Parquet file as an upstream system delivers them; return its path."""
        folder = self.home / "incoming"
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.parquet"
        pq.write_table(rows, path)
        return str(path)

    def rows_between(self, dataset: str, start: datetime, end: datetime) -> pa.Table:
        """Return a growing table's rows of a span of time."""
        table: pa.Table = getattr(self.tables, dataset)
        times = table[DATASETS[dataset]]
        return table.filter(pc.and_(pc.greater_equal(times, start), pc.less(times, end)))

    def commit_month(self, month: int) -> list[dict[str, Any]]:
        """Commit a month that is over to every dataset that grows, as a nightly job would."""
        start, end = day(month), day(month + 1)
        commits = []
        for dataset in DATASETS:
            file = self.write_rows(self.rows_between(dataset, start, end), f"{dataset}-{month:02}")
            commits.append(
                self.trivet(
                    "data", "commit", dataset, file, "-m", f"{start:%B %Y}", quiet=month > 2
                )
            )
        return commits

    def replay_until(self, end: datetime, share: float) -> None:
        """Replay to `end`, predicting this share of the flights, and let the controller look."""
        self.replay.share = share
        self.replay.until(end)
        self.settle()

    def settle(self) -> None:
        """Wait until the controller has counted every answer and outcome, and acted on them."""
        deadline = self.watch() + _SETTLE_SECONDS
        while (seen := self._counted()) < self._answered():
            if self.watch() > deadline:
                raise NotSettled(seen, self._answered())
            self.sleep(0.05)
        self.sleep(_TICKS_SECONDS)

    def _counted(self) -> int:
        tallies = self.app.windows.tallies(DEPLOYMENT)
        return sum(
            tally.requests + tally.labelled
            for (_, role), tally in tallies.items()
            if role is Role.PRIMARY
        )

    def _answered(self) -> int:
        return len(self.replay.given) + self.extra_answers + self.replay.fed_back

    def release(self, *arguments: str, share: float = 1.0, days: int = 14) -> Rollout:
        """Deploy as told, and replay with the controller looking until the rollout is over."""
        started = self.trivet("deploy", *arguments)
        return self.watch_rollout(str(started["rollout"]["id"]), share=share, days=days)

    def watch_rollout(self, rollout_id: str, *, share: float = 1.0, days: int = 14) -> Rollout:
        """Replay until the rollout is over, or `days` of event time have gone by."""
        end = self.replay.at + timedelta(days=days)
        rollout = self.app.rollouts.get(rollout_id)
        while not rollout.phase.is_final and self.replay.at < end:
            self.replay_until(self.replay.at + _LOOK_EVERY, share)
            rollout = self.app.rollouts.get(rollout_id)
        return rollout
