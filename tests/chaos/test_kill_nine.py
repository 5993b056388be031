"""Kill -9 at random moments, under load and while a canary is under way, loses nothing."""

import http.client
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from trivet.app import App
from trivet.control.assembly import open_fold
from trivet.features import key_from_text
from trivet.rollout import Phase, RolloutSpec, RolloutStep, Strategy, deploy
from trivet.serving import Feedback, JournalReader, Prediction, Role, find_prediction
from trivet.testing.processes import (
    NEW_YEAR,
    Caller,
    Everything,
    await_true,
    command,
    everything_up,
    make_served_home,
    open_app,
)
from trivet.tracking import RunStatus

VICTIMS = ("server", "controller", "gateway")
KILLS_EACH = 3
CANARY = RolloutSpec(
    strategy=Strategy.CANARY,
    steps=(
        RolloutStep(name="shadow", shadow=1.0, min_requests=50, min_labels=20, min_seconds=5),
        RolloutStep(name="a tenth", weight=0.1, min_requests=20, min_labels=5, min_seconds=6),
        RolloutStep(name="half", weight=0.5, min_requests=50, min_labels=20, min_seconds=6),
    ),
)
UNFINISHED_RUN = """
import sys, time, trivet
trivet.open(sys.argv[1])
with trivet.start_run("chaos"):
    trivet.log_metric("loss", 1.0)
    print("begun", flush=True)
    time.sleep(600)
"""


@dataclass
class Traffic:
    """Callers of one gateway, and everything that was acknowledged to them."""

    address: str
    rng: random.Random
    answers: list[dict[str, Any]] = field(default_factory=list)
    generations: list[int] = field(default_factory=list)
    fed_back: set[str] = field(default_factory=set)
    sales: set[str] = field(default_factory=set)
    errors: list[BaseException] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def predict(self, caller: Caller) -> None:
        number = len(self.answers)
        rows = [
            {
                "shop": "ab"[(number + row) % 2],
                "x": (number % 100) / 100,
                "event_at": (NEW_YEAR + timedelta(hours=30, seconds=number + row)).isoformat(),
            }
            for row in range(self.rng.randint(1, 4))
        ]
        reply = caller.post("/predict/churn", {"rows": rows})
        self.generations.append(reply["generation"])
        self.answers += [
            {**item, "generation": reply["generation"]} for item in reply["predictions"]
        ]
        time.sleep(0.004)

    def feed_back(self, caller: Caller) -> None:
        ids = [answer["id"] for answer in list(self.answers)]
        owed = [each for each in ids if each not in self.fed_back][:50]
        # Some of it is told twice; it must count once.
        told = [*owed, *self.rng.sample(sorted(self.fed_back), k=min(3, len(self.fed_back)))]
        items = [
            {"prediction": each, "outcome": 1, "event_at": "2026-01-03T00:00:00Z"} for each in told
        ]
        caller.post("/feedback/churn", {"items": items})
        self.fed_back |= set(owed)
        time.sleep(0.02)

    def push(self, caller: Caller) -> None:
        number = len(self.sales)
        known_at = (NEW_YEAR + timedelta(hours=20, seconds=number)).isoformat()
        sale = {"sale_id": [f"p{number}"], "shop": ["a"], "known_at": [known_at], "amount": [1.0]}
        caller.post("/push", {"source": "sales", "df": sale, "to": "online"})
        self.sales.add(f"p{number}")
        time.sleep(0.02)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Let it flow while the block runs."""
        threads = [
            threading.Thread(target=self._repeat, args=(act,))
            for act in (self.predict, self.feed_back, self.push)
        ]
        with ExitStack() as ended:
            for thread in threads:
                thread.start()
                ended.callback(thread.join)
            ended.callback(self._stopping.set)
            yield
        assert self.errors == []

    def _repeat(self, act: Callable[[Caller], None]) -> None:
        caller = Caller(self.address)
        try:
            while not self._stopping.is_set():
                act(caller)
        except BaseException as error:  # noqa: BLE001 - the test's thread raises it again
            self.errors.append(error)
        finally:
            caller.close()


def kill_at_random(trivet: Everything, app: App, rng: random.Random) -> list[str]:
    """Kill each process some times in a random order; return those hit during the rollout."""
    victims = list(VICTIMS * KILLS_EACH)
    rng.shuffle(victims)
    hit = []
    for victim in victims:
        time.sleep(rng.uniform(0.2, 1.6))
        await_true(partial(trivet.kill, victim), f"there is a {victim} to kill")
        if app.rollouts.find_active("churn") is not None:
            hit.append(victim)
    return hit


def read_pages(address: str, stop: threading.Event, statuses: set[int]) -> None:
    """Look at the server all the time, whatever becomes of it."""
    caller = Caller(address, statuses)
    while not stop.wait(0.05):
        for path in ("/health", "/deployments/churn.json", "/"):
            try:
                caller.exchange("GET", path)
            except (OSError, http.client.HTTPException):
                break
    caller.close()


@pytest.mark.slow
def test_killing_anything_at_any_moment_loses_nothing_acknowledged(tmp_path: Path) -> None:
    home, rng = tmp_path / "home", random.Random(20260101)
    make_served_home(home)
    begun = subprocess.Popen(
        [sys.executable, "-c", UNFINISHED_RUN, home], stdout=subprocess.PIPE, text=True
    )
    statuses: set[int] = set()
    stop_reading = threading.Event()
    with everything_up(home) as trivet, open_app(home) as app:
        traffic = Traffic(trivet.address("gateway"), rng)
        reader = threading.Thread(
            target=read_pages, args=(trivet.address("server"), stop_reading, statuses)
        )
        reader.start()
        try:
            with traffic.flowing():
                await_true(lambda: len(traffic.answers) > 50, "answers come")
                deploy(app, "churn", "model:churn@2", spec=CANARY)
                hit = kill_at_random(trivet, app, rng)
                await_true(
                    lambda: app.rollouts.find_active("churn") is None,
                    "the rollout comes to an end",
                )
        finally:
            stop_reading.set()
            reader.join()
            assert begun.stdout is not None
            assert begun.stdout.readline() == "begun\n"
            begun.kill()
            begun.communicate()
    assert len(hit) >= 8
    assert statuses == {200}
    with open_app(home) as app:
        assert_every_answer_is_in_the_journal(home / "journal", traffic)
        assert_every_outcome_counts_once(app, traffic)
        assert_every_sale_counts_once(app, traffic)
        assert_the_rollout_ended_as_it_says(app)
        assert traffic.generations == sorted(traffic.generations)
        assert_no_run_is_left_running(app)
    verified = subprocess.run(command(home, "ledger", "verify"), check=False)
    assert verified.returncode == 0


def assert_every_answer_is_in_the_journal(journal: Path, traffic: Traffic) -> None:
    records, _ = JournalReader(journal).read({}, limit=10_000_000)
    kept = {record.id: record for record in records if isinstance(record, Prediction)}
    assert len(traffic.answers) > 500
    for answer in traffic.answers:
        record = kept[answer["id"]]
        assert (record.revision, record.output) == (answer["revision"], answer["probability"])
        assert (record.generation, record.role) == (answer["generation"], Role.PRIMARY)
    for answer in traffic.answers[:: max(1, len(traffic.answers) // 20)]:
        assert find_prediction(journal, answer["id"]) == kept[answer["id"]]
    told = {record.prediction for record in records if isinstance(record, Feedback)}
    assert traffic.fed_back <= told


def assert_every_outcome_counts_once(app: App, traffic: Traffic) -> None:
    fold = open_fold(app, app.settings.journal)
    while fold.run().records:
        continue
    tallies = app.windows.tallies("churn").items()
    primary = [tally for (_, role), tally in tallies if role is Role.PRIMARY]
    assert len(traffic.fed_back) > 100
    assert sum(tally.labelled for tally in primary) == len(traffic.fed_back)
    records, _ = JournalReader(app.settings.journal).read({}, limit=10_000_000)
    answered = {r.id for r in records if isinstance(r, Prediction) and r.role is Role.PRIMARY}
    assert sum(tally.requests for tally in primary) == len(answered)


def assert_every_sale_counts_once(app: App, traffic: Traffic) -> None:
    view = app.features.get_view("by_shop")
    (row,) = app.online.read([(view.online_name, key_from_text(("shop",), ["shop=a"]))])
    assert row is not None
    before = 1
    assert list(row.values) == [len(traffic.sales) + before]


def assert_the_rollout_ended_as_it_says(app: App) -> None:
    (rollout,) = app.rollouts.list_rollouts("churn", limit=1)
    table = app.routing.find_table("churn")
    assert table is not None
    assert (table.candidate, table.weight, table.shadow) == (None, 0.0, 0.0)
    stable = {Phase.SUCCEEDED: 2, Phase.ROLLED_BACK: 1}[rollout.phase]
    assert table.stable == stable
    assert app.models.get_version("churn", "champion").version == stable


def assert_no_run_is_left_running(app: App) -> None:
    listed = subprocess.run(command(app.settings.home, "runs", "list"), check=False)
    assert listed.returncode == 0
    assert app.runs.list_runs(status=RunStatus.RUNNING) == []
    assert len(app.runs.list_runs(status=RunStatus.LOST)) == 1
