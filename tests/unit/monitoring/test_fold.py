import math
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from trivet.control import open_fold
from trivet.monitoring import Answer, Tally, series
from trivet.rollout import deploy
from trivet.serving import Feedback, Role
from trivet.testing.homes import MARCH, Home, open_home

_FOLD = """
import sys
from pathlib import Path
from trivet.control import open_fold
from trivet.testing.homes import open_home
folder = Path(sys.argv[1])
home = open_home(folder)
fold = open_fold(home, folder / "journal")
fold._limit = 25
print("ready", flush=True)
while True:
    fold.run()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = open_home(tmp_path)
    home.register(1)
    deploy(home, "delay", "model:delay@1", strategy="direct")
    yield home
    home.close()


def test_a_fold_that_is_killed_again_and_again_counts_everything_once(
    home: Home, tmp_path: Path
) -> None:
    home.ask(1500)
    rng = random.Random(5)

    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", _FOLD, str(tmp_path)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(rng.uniform(0.02, 0.15))
            os.kill(process.pid, signal.SIGKILL)
    fold = open_fold(home, tmp_path / "journal")
    while fold.run().records:
        pass

    tally = home.windows.tallies("delay")[1, Role.PRIMARY]
    assert (tally.requests, tally.labelled) == (1500, 1500)
    windows = home.windows.query("delay", slice=None)
    assert sum((w.tally for w in windows if not w.slice), start=Tally()).requests == 1500
    assert sum(w.tally.requests for w in windows if w.slice) == 1500
    counts = home.windows.feature_counts("delay", 1)["distance"]
    assert sum(counts) == 1500
    assert max(counts[:4]) - min(counts[:4]) < 20


def test_outcomes_that_are_no_shares_are_left_out(home: Home) -> None:
    home.ask(1, labelled=False)
    [answer] = _folded(home)
    for outcome in (math.nan, 7.0, -1.0):
        home.journal.append(
            [
                Feedback(
                    prediction=answer.id,
                    deployment="delay",
                    at=home.clock(),
                    event_at=MARCH,
                    outcome=outcome,
                )
            ]
        )
    home.journal.sync()

    result = open_fold(home, home.folder / "journal").run()

    assert (result.refused, result.outcomes, result.labelled) == (3, 0, 0)


def test_with_nothing_new_nothing_is_written(home: Home) -> None:
    home.ask(3)
    fold = open_fold(home, home.folder / "journal")
    fold.run()
    before = home.windows.position()

    result = fold.run()

    assert result.records == 0
    assert home.windows.position() == before


def test_weeks_have_sample_sizes_and_intervals(home: Home) -> None:
    home.ask(2000)
    open_fold(home, home.folder / "journal").run()

    points = series(home.windows.query("delay"), "week")

    assert [point.start for point in points] == [
        MARCH - timedelta(days=4) + week * timedelta(days=7) for week in range(3)
    ]
    assert sum(point.tally.requests for point in points) == 2000
    for point in points:
        assert point.accuracy is not None
        assert point.accuracy_low is not None
        assert point.accuracy_high is not None
        assert point.accuracy_low < point.accuracy < point.accuracy_high
        assert point.log_loss_low is not None
        assert point.log_loss is not None
        assert point.log_loss_low < point.log_loss
    assert len(series(home.windows.query("delay"), "day")) == 14


def _folded(home: Home) -> list[Answer]:
    open_fold(home, home.folder / "journal").run()
    return home.windows.list_answers("delay")
