"""What must always be true, while somebody does their worst: I4, I5, I6, full disks, kill -9."""

import json
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv

from trivet.app import App
from trivet.ledger import LeaseLost
from trivet.monitoring import Tally
from trivet.rollout import (
    CONTROLLER_LEASE,
    Phase,
    RolloutEngine,
    RolloutSpec,
    RolloutStep,
    Strategy,
    deploy,
    rollback,
    wait_for_gateways,
)
from trivet.serving import Feedback, JournalReader, Prediction, Role
from trivet.serving.errors import FenceTooOld
from trivet.testing.processes import (
    Caller,
    await_true,
    command,
    everything_up,
    make_served_home,
    open_app,
)

ROW = {"shop": "a", "x": 0.5, "event_at": "2026-01-02T00:00:00Z"}
HALF = RolloutSpec(
    strategy=Strategy.CANARY,
    steps=(RolloutStep(name="half", weight=0.5, min_requests=10**6),),
)
FEW = RolloutSpec(
    strategy=Strategy.CANARY,
    steps=(RolloutStep(name="half", weight=0.5, min_requests=10),),
)


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made") / "home"
    make_served_home(home)
    return home


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    """A home with two versions of a model, of which the first is released."""
    return Path(shutil.copytree(made_home, tmp_path / "home"))


@contextmanager
def running(home: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one process of the home until the end of the block, once it says that it is ready."""
    name = "gateway-main" if arguments[0] == "gateway" else arguments[0]
    ready = home / "run" / f"{name}.json"
    process = subprocess.Popen(command(home, *arguments), stderr=subprocess.DEVNULL)

    def is_ready() -> bool:
        assert process.poll() is None, f"the {arguments[0]} did not start"
        with suppress(FileNotFoundError, ValueError):
            return bool(json.loads(ready.read_text())["pid"] == process.pid)
        return False

    try:
        await_true(is_ready, f"the {arguments[0]} is ready")
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


@contextmanager
def gateway(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], Caller]]:
    with running(home, "gateway", "--port", "0") as process:
        url = json.loads((home / "run" / "gateway-main.json").read_text())["url"]
        caller = Caller(url.removeprefix("http://"))
        with closing(caller):
            yield process, caller


@contextmanager
def moved_away(home: Path, *patterns: str) -> Iterator[None]:
    away = Path(tempfile.mkdtemp(dir=home.parent))
    moved = {path: away / path.name for pattern in patterns for path in home.glob(pattern)}
    for path, elsewhere in moved.items():
        path.rename(elsewhere)
    yield
    for path, elsewhere in moved.items():
        elsewhere.rename(path)


def predict(caller: Caller) -> dict[str, Any]:
    reply = caller.post("/predict/churn", {"rows": [ROW]})
    return {**reply["predictions"][0], "generation": reply["generation"]}


def push(caller: Caller, sale: str) -> None:
    columns = {
        "sale_id": [sale],
        "shop": ["a"],
        "known_at": ["2026-01-02T00:00:00Z"],
        "amount": [1],
    }
    caller.post("/push", {"source": "sales", "df": columns, "to": "online"})


def test_a_gateway_needs_neither_database_nor_blobs_even_to_start(home: Path) -> None:
    with gateway(home) as (process, caller):
        push(caller, "p1")
        before = predict(caller)
        with moved_away(home, "trivet.db*", "blobs"):
            after = predict(caller)
            assert after["probability"] == before["probability"]
            push(caller, "p2")
            assert predict(caller)["probability"] > before["probability"]
            item = {"prediction": after["id"], "outcome": 1}
            caller.post("/feedback/churn", {"items": [item]})
            process.kill()
            process.wait()
            with gateway(home) as (_, again):
                assert predict(again)["generation"] == before["generation"]
                push(again, "p3")
                assert not (home / "trivet.db").exists()
    with gateway(home) as (_, caller), open_app(home) as app:
        deploy(app, "churn", "model:churn@2")
        await_true(lambda: predict(caller)["revision"] == 2, "the new release is taken")


@pytest.mark.slow
def test_what_dies_while_the_database_is_away_waits_for_it_and_makes_none(home: Path) -> None:
    with everything_up(home) as trivet:
        caller = Caller(trivet.address("gateway"))
        with moved_away(home, "trivet.db*"):
            for name in ("controller", "server"):
                assert trivet.kill(name)
            # Long enough for both to have been started again, more than once.
            for _ in range(5):
                predict(caller)
                time.sleep(0.5)
            assert list(home.glob("trivet.db*")) == []
        with open_app(home) as app:
            deploy(app, "churn", "model:churn@2", spec=FEW)
            await_true(lambda: predict(caller) and is_over(app), "the rollout is carried on")
            table = app.routing.find_table("churn")
            assert table is not None
            assert table.stable == 2
        caller.close()


def is_over(app: App) -> bool:
    return app.rollouts.find_active("churn") is None


@dataclass
class Asker:
    """Asks without a pause, and remembers when it asked and who answered."""

    caller: Caller
    answers: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._ask)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def _ask(self) -> None:
        while not self._stopping.is_set():
            asked = time.monotonic()
            self.answers.append((asked, predict(self.caller)))

    def await_answer(self, model: str) -> None:
        seen = len(self.answers)
        await_true(
            lambda: any(answer["model"] == model for _, answer in self.answers[seen:]),
            f"{model} answers",
        )


@pytest.mark.parametrize("spec", [None, HALF], ids=["released", "in a canary"])
def test_a_rollback_loads_nothing_and_no_later_answer_is_of_the_bad_revision(
    home: Path, spec: RolloutSpec | None
) -> None:
    rng = random.Random(7)
    with gateway(home) as (_, caller), open_app(home) as app:
        asker = Asker(caller)
        with asker.asking():
            for _ in range(3):
                deploy(app, "churn", "model:churn@2", spec=spec)
                tick_until(app, lambda: True if spec is None else is_stepping(app))
                asker.await_answer("model:churn@2")
                time.sleep(rng.uniform(0, 0.2))
                with moved_away(home, "blobs", "gateway/main/artifacts/*"):
                    table = rollback(app, "churn", reason="wrong answers")
                    wait_for_gateways(app, "churn")
                    confirmed_at = time.monotonic()
                    asker.await_answer("model:churn@1")
                tick_until(app, lambda: is_over(app))
                check_rollback(asker, table.generation, confirmed_at)
                asker.answers.clear()


def check_rollback(asker: Asker, generation: int, confirmed_at: float) -> None:
    for asked, answer in list(asker.answers):
        if answer["generation"] >= generation:
            assert answer["model"] == "model:churn@1"
        if asked >= confirmed_at:
            assert answer["generation"] >= generation
    generations = [answer["generation"] for _, answer in asker.answers]
    assert generations == sorted(generations)


def is_stepping(app: App) -> bool:
    rollout = app.rollouts.find_active("churn")
    return rollout is not None and rollout.phase is Phase.STEPPING


def tick_until(app: App, condition: Callable[[], bool]) -> None:
    """Do what a controller does until the condition holds."""
    engine = RolloutEngine(app)
    lease = app.leases.acquire(CONTROLLER_LEASE, "test", timedelta(minutes=5))
    assert lease is not None

    def looked() -> bool:
        engine.tick(lease.fence, lambda _: {})
        return condition()

    await_true(looked, "the rollout gets there")


def test_a_controller_that_stalls_between_looking_and_writing_moves_no_traffic(home: Path) -> None:
    with open_app(home) as app:
        deploy(app, "churn", "model:churn@2", spec=HALF)
        engine, short = RolloutEngine(app), timedelta(microseconds=1)
        first = app.leases.acquire(CONTROLLER_LEASE, "first", short)
        assert first is not None
        seconds: list[int] = []

        def stall(_: str) -> dict[tuple[int, Role], Tally]:
            # While the first looks at what was counted, its lease ends and another takes over.
            second = app.leases.acquire(CONTROLLER_LEASE, "second", timedelta(minutes=5))
            assert second is not None
            seconds.append(second.fence)
            RolloutEngine(app).tick(second.fence, lambda _: {})
            return {}

        with pytest.raises(LeaseLost):
            engine.tick(first.fence, stall)
        table = app.routing.find_table("churn")
        assert table is not None
        assert seconds == [first.fence + 1]
        assert table.fence == first.fence + 1
        written = len(app.ledger.list_facts(kind="routing.*", limit=1000))
        with pytest.raises(LeaseLost):
            engine.tick(first.fence, lambda _: {})
        with pytest.raises(FenceTooOld):
            app.routing.swap(
                replace(table, candidate=None, weight=0.0, fence=first.fence),
                expected=table.generation,
                reason="The first does not know yet.",
                evidence=None,
            )
        assert len(app.ledger.list_facts(kind="routing.*", limit=1000)) == written


def lease(home: Path) -> tuple[str, int]:
    with sqlite3.connect(home / "trivet.db", timeout=30) as database:
        query = "SELECT holder, fence FROM leases WHERE name = 'controller'"
        found = database.execute(query).fetchone()
    database.close()
    return found or ("", 0)


def stop_outside_a_transaction(home: Path, process: subprocess.Popen[bytes]) -> None:
    """Stop the process where it does not hold SQLite's one write lock, which would stop all."""
    while True:
        process.send_signal(signal.SIGSTOP)
        database = sqlite3.connect(home / "trivet.db", timeout=0.5, isolation_level=None)
        try:
            database.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
        finally:
            database.close()


@pytest.mark.slow
def test_a_controller_stopped_past_its_lease_finds_another_in_charge(home: Path) -> None:
    with gateway(home) as (_, caller), open_app(home) as app, running(home, "controller") as first:
        await_true(lambda: lease(home)[0], "the first is in charge")
        holder, fence = lease(home)
        deploy(app, "churn", "model:churn@2", spec=HALF)
        stop_outside_a_transaction(home, first)
        with running(home, "controller"):
            await_true(lambda: lease(home)[0] != holder, "the second takes over")
            assert lease(home)[1] > fence
            first.send_signal(signal.SIGCONT)
            await_true(lambda: is_stepping(app), "the second carries the rollout on")
            asked = predict(caller)["generation"]
            await_true(lambda: predict(caller)["generation"] >= asked, "it is served")
            assert first.poll() is None
            assert lease(home)[1] == fence + 1
        facts = app.ledger.list_facts(kind="routing.swapped", limit=1000)
        fences = [fact.payload["fence"] for fact in facts]
        assert fences == sorted(fences)
        assert max(fences) == fence + 1
        assert app.ledger.verify().is_intact


def test_a_gateway_on_a_full_disk_answers_but_takes_no_feedback(home: Path) -> None:
    with gateway(home) as (process, caller):
        before = predict(caller)
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (10, hard))
        unlogged = predict(caller)
        assert unlogged["probability"] == before["probability"]
        told = {"items": [{"prediction": before["id"], "outcome": 1}]}
        status, reply = caller.exchange("POST", "/feedback/churn", json.dumps(told).encode())
        assert status == 507
        assert "acknowledged" in json.loads(reply)["error"]
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        after = predict(caller)
        caller.post("/feedback/churn", told)
    records, _ = JournalReader(home / "journal").read({})
    kept = [record.id for record in records if isinstance(record, Prediction)]
    assert kept == [before["id"], after["id"]]
    assert [r.prediction for r in records if isinstance(r, Feedback)] == [before["id"]]


def write_rows(file: Path, start: int, count: int) -> Path:
    rng = random.Random(start)
    rows = {
        "id": list(range(start, start + count)),
        "note": [f"{rng.getrandbits(256):x}" for _ in range(count)],
    }
    csv.write_csv(pa.table(rows), file)
    return file


def trivet(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(home, *arguments),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def committed(home: Path) -> int:
    """Return how many rows the newest commit has, after reading every one of them."""
    assert trivet(home, "data", "verify", "notes").returncode == 0
    assert trivet(home, "ledger", "verify").returncode == 0
    log = json.loads(trivet(home, "data", "log", "notes", "--json").stdout)
    with open_app(home) as app:
        assert app.datasets.read("notes").num_rows == log[0]["rows"]
        facts = app.ledger.list_facts(kind="dataset.committed", subject="dataset:notes*")
        assert len(facts) == len(log)
    return int(log[0]["rows"])


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A home with a dataset of ten rows."""
    home = tmp_path / "home"
    assert trivet(home, "data", "create", "notes", "--key", "id").returncode == 0
    first = write_rows(tmp_path / "first.csv", 0, 10)
    assert trivet(home, "data", "commit", "notes", str(first), "-m", "first").returncode == 0
    return home


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [0, 8, 120, 800])
def test_a_commit_on_a_full_disk_is_refused_in_a_sentence_and_leaves_nothing(
    notes: Path, tmp_path: Path, blocks: int
) -> None:
    many = write_rows(tmp_path / "many.csv", 10, 20_000)
    limited = ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh"]
    done = subprocess.run(
        [*limited, *command(notes, "data", "commit", "notes", str(many))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (1, 75)
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert ".rs:" not in done.stderr
    assert committed(notes) == 10
    assert trivet(notes, "data", "commit", "notes", str(many), "-m", "more").returncode == 0
    assert committed(notes) == 20_010


@pytest.mark.slow
def test_kill_9_in_the_middle_of_a_commit_leaves_the_old_rows_or_the_new(
    notes: Path, tmp_path: Path
) -> None:
    rng, rows = random.Random(7), 10
    for number in range(4):
        more = write_rows(tmp_path / "more.csv", 1_000_000 * (number + 1), 50_000)
        files = set(notes.rglob("*"))
        process = subprocess.Popen(
            command(notes, "data", "commit", "notes", str(more), "-m", "more"),
            stdout=subprocess.DEVNULL,
        )
        # It has begun to write once there is a new file; then it is killed somewhere later.
        while not set(notes.rglob("*")) - files:
            assert process.poll() is None
        with suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, 0.15))
        process.kill()
        acknowledged = process.wait() == 0
        now = committed(notes)
        assert now in ((rows + 50_000,) if acknowledged else (rows, rows + 50_000))
        rows = now
