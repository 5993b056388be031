import fcntl
import json
import subprocess
import sys
import threading
from pathlib import Path

from trivet.control import open_controller
from trivet.control.training import Training, train
from trivet.testing.homes import Home
from trivet.tracking import RunStatus, this_process

ANSWER = {"model": "model:delay@2"}


def job(folder: Path) -> None:
    command = [sys.executable, "-c", f"print({json.dumps(json.dumps(ANSWER))})"]
    values = {"command": command, "project": str(folder), "limit": 30}
    (folder / "job.json").write_text(json.dumps(values))


def test_a_training_waits_for_who_only_asks_whether_it_runs(tmp_path: Path) -> None:
    job(tmp_path)
    trainer = threading.Thread(target=train, args=(tmp_path,))
    with (tmp_path / "lock").open("w") as asking:
        fcntl.flock(asking, fcntl.LOCK_EX)
        trainer.start()
        trainer.join(0.1)
    trainer.join(30)

    result = Training(tmp_path).find_result()
    assert result is not None
    assert result.model == "model:delay@2"


def test_what_was_started_once_is_not_started_again(tmp_path: Path) -> None:
    job(tmp_path)
    (tmp_path / "started").touch()
    train(tmp_path)
    assert Training(tmp_path).find_result() is None


def test_a_controller_marks_runs_whose_process_is_gone(home: Home) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        process = {**this_process(), "pid": gone.pid}
    run = home.runs.create_run("delay", process=process)

    controller = open_controller(
        home, home=home.folder, journal=home.folder / "journal", holder="first"
    )
    turn = controller.tick()

    assert turn.failed == {}
    assert home.runs.get_run(run.id).status is RunStatus.LOST
