import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from trivet.serving import JournalReader, Prediction
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.testing.serving import House, open_house

_JSON = {"Content-Type": "application/json"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    migrate(database)
    database.close()
    home = tmp_path / "home"
    home.mkdir()
    with open_house(home, tmp_path / "empty.db") as house:
        yield house


def command(home: Path, *arguments: str) -> list[str]:
    base = [sys.executable, "-m", "trivet.cli.main", "--home", str(home), "gateway"]
    return [*base, "--port", "0", *arguments]


@contextmanager
def gateway(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    ready = home / "run" / "gateway-main.json"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen(command(home), stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 30
        while not ready.exists():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline, "the gateway is not ready"
            time.sleep(0.02)
        yield process, json.loads(ready.read_text())["url"]
    finally:
        process.kill()
        process.communicate()


def post(url: str, body: Any) -> Any:
    address, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("POST", f"/{path}", json.dumps(body), _JSON)
        return json.load(connection.getresponse())
    finally:
        connection.close()


def predict(url: str) -> Any:
    return post(f"{url}/predict/delay", {"rows": [{"x": 0.5}]})


def test_a_gateway_outlives_its_database_and_its_own_death(house: House) -> None:
    house.release(house.models.put(1))
    with gateway(house.home) as (process, url):
        assert predict(url)["generation"] == 1
        (house.home / "blobs").rename(house.home / "blobs.away")
        for file in house.home.glob("trivet.db*"):
            file.rename(f"{file}.away")
        assert predict(url)["generation"] == 1
        process.kill()
        process.wait()
    with gateway(house.home) as (process, url):
        assert predict(url)["predictions"][0]["revision"] == 1
        assert not (house.home / "trivet.db").exists()
        for file in house.home.glob("trivet.db*.away"):
            file.rename(str(file).removesuffix(".away"))
        (house.home / "blobs.away").rename(house.home / "blobs")
        house.release(house.models.put(2, factor=0.5))
        deadline = time.monotonic() + 10
        while predict(url)["generation"] == 1:
            assert time.monotonic() < deadline, "the new table was not taken"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not (house.home / "run" / "gateway-main.json").exists()


def test_kill_9_under_load_loses_no_answer(house: House) -> None:
    house.release(house.models.put(1))
    answered: list[str] = []

    def ask(url: str) -> None:
        try:
            while True:
                answered.append(predict(url)["predictions"][0]["id"])
        except (OSError, ValueError, http.client.HTTPException):
            return

    with gateway(house.home) as (process, url):
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(answered) < 200:
            time.sleep(0.01)
        process.kill()
        for thread in threads:
            thread.join()
    records, _ = JournalReader(house.home / "journal").read({}, limit=100_000)
    kept = {record.id for record in records if isinstance(record, Prediction)}
    assert len(answered) >= 200
    assert [prediction_id for prediction_id in answered if prediction_id not in kept] == []


def test_a_gateway_that_cannot_start_says_why_in_a_sentence(house: House) -> None:
    for arguments, reason in (
        (["--host", "0.0.0.0"], "loopback"),  # noqa: S104 - it is refused
        (["--id", "../elsewhere"], "is no name"),
    ):
        done = subprocess.run(
            command(house.home, *arguments),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 1
        assert reason in done.stderr
        assert "Traceback" not in done.stderr


def test_two_gateways_need_two_names(house: House) -> None:
    house.release(house.models.put(1))
    with gateway(house.home):
        done = subprocess.run(
            command(house.home), capture_output=True, text=True, timeout=30, check=False
        )
    assert done.returncode == 1
    assert "--id" in done.stderr
