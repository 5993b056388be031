"""A pipeline killed in the middle of a step goes on from that step."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PIPELINE = """
import os
import time
from pathlib import Path

from trivet import pipeline, step

FOLDER = Path(os.environ["FOLDER_OF_TEST"])


@step
def plus(number: int, position: int) -> int:
    with (FOLDER / "ran").open("a") as file:
        file.write(f"{position}\\n")
    if position == 15 and not (FOLDER / "go").exists():
        (FOLDER / "there").touch()
        time.sleep(600)
    return number + 1


@pipeline
def twenty():
    number = 0
    for position in range(1, 21):
        number = plus(number, position)
    return number
"""


def trivet(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "trivet.cli.main", "--home", str(folder / "home"), *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "FOLDER_OF_TEST": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(folder: Path, *arguments: str) -> tuple[Any, str]:
    process = trivet(folder, *arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return json.loads(out), err


def test_a_killed_run_is_marked_at_the_next_command_and_resumes_there(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    killed = trivet(tmp_path, "run", "pipeline.py")
    assert killed.stderr is not None
    fourteenth = next(line for line in killed.stderr if "[14/20]" in line)
    assert "plus#14" in fourteenth
    while not (tmp_path / "there").exists():
        assert killed.poll() is None
    killed.send_signal(signal.SIGKILL)
    killed.communicate()

    runs, said = answer(tmp_path, "runs", "list", "--steps", "--json")
    lost = {run["name"]: run["ended_at"] for run in runs if run["status"] == "lost"}
    assert set(lost) == {"twenty", "plus#15"}
    assert "is lost" in said

    (tmp_path / "go").touch()
    (tmp_path / "ran").unlink()
    done, _ = answer(tmp_path, "run", "pipeline.py", "--json")
    assert (done["status"], done["outputs"]) == ("finished", 20)
    assert (tmp_path / "ran").read_text().split() == ["15", "16", "17", "18", "19", "20"]
    graph, _ = answer(tmp_path, "runs", "graph", done["run"], "--json")
    states = [node["status"] for node in graph["nodes"]]
    assert states == ["cached"] * 14 + ["finished"] * 6


def test_a_failing_pipeline_exits_with_one_sentence_and_a_ref(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text(
        "from trivet import pipeline, step\n"
        "@step\ndef bad(n: int) -> int:\n    return 1 // n\n"
        "@pipeline\ndef failing(n: int = 0):\n    return bad(n)\n"
    )
    process = trivet(tmp_path, "run", "pipeline.py", "--json")
    out, err = process.communicate(timeout=60)
    said = json.loads(out)
    assert process.returncode == 1
    assert said["status"] == "failed"
    assert "Traceback" not in err
    assert f"Error: Step 'bad' failed: ZeroDivisionError: {'integer division'}" in err
    assert said["run"] in err
    shown, _ = answer(tmp_path, "runs", "show", said["run"], "--json")
    assert "Traceback" in shown["run"]["error"]


def test_two_runs_are_compared_and_the_first_reproduced(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text(
        "from trivet import log_metric, pipeline, step\n"
        "@step\ndef train(rate: float) -> float:\n"
        "    log_metric('loss', 1 / 3 + rate)\n    return rate\n"
        "@pipeline\ndef training(rate: float = 0.1):\n    return train(rate)\n"
    )
    first, _ = answer(tmp_path, "run", "pipeline.py", "--json")
    second, _ = answer(tmp_path, "run", "pipeline.py", "--param", "rate=0.2", "--json")
    compared, _ = answer(tmp_path, "runs", "compare", first["run"], second["run"], "--json")
    assert {row["name"]: row["values"] for row in compared["rows"]} == {
        "rate": ["0.1", "0.2"],
        "loss": [1 / 3 + 0.1, 1 / 3 + 0.2],
    }
    certificate, _ = answer(tmp_path, "reproduce", first["run"], "--json")
    assert certificate["verdict"] == "passed"
    assert certificate["metrics"]["train/loss"]["now"] == (1 / 3 + 0.1).hex()
