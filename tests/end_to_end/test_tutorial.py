"""The commands of the tutorial, run in their order."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from trivet.cli.main import main
from trivet.testing.processes import Caller, Everything, await_true, everything_up

pytestmark = pytest.mark.slow
TUTORIAL = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", TUTORIAL, re.DOTALL)
    for line in block.splitlines()
]

AWAITED = {
    "trivet deploy promote": {"stepping", "holding"},
    "trivet rollback": {"succeeded"},
}
"""Where the rollout must be before a command, as the tutorial says."""


@dataclass
class Reader:
    """Somebody who types what the tutorial says, and puts in the ids that it leaves open."""

    folder: Path
    opened: ExitStack
    said: dict[str, str] = field(default_factory=dict)
    prediction: str = ""
    everything: Everything | None = None

    def type(self, line: str) -> None:
        words = shlex.split(line)
        if words[0] == "cd":
            self.folder /= words[1]
        elif words[0] == "curl":
            self.said[line] = self.curl(words)
        elif words == ["trivet", "up"]:
            self.everything = self.opened.enter_context(everything_up(self.folder / ".trivet"))
        else:
            assert words[0] == "trivet", line
            self.said[line] = self.trivet(*(self.filled(word) for word in words[1:]))

    def filled(self, word: str) -> str:
        if word == "run:0193…":
            first = json.loads(self.trivet("runs", "list", "--json"))[-1]
            return f"run:{first['id']}"
        return word.replace("0193…", self.prediction)

    def trivet(self, *words: str) -> str:
        """Run a command: as a process where it loads the project's code, else in this one."""
        if words[0] in ("run", "reproduce"):
            done = subprocess.run(
                [sys.executable, "-m", "trivet.cli.main", *words],
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout
        out = StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
            patch.chdir(self.folder)
            patch.setattr("sys.argv", ["trivet", *words])
            try:
                main()
            except SystemExit as end:
                ended = end
            else:
                ended = SystemExit(0)
        assert not ended.code, (words, out.getvalue())
        return out.getvalue()

    def curl(self, words: list[str]) -> str:
        path = words[2].removeprefix("127.0.0.1:5051")
        assert self.everything is not None
        body = json.loads(words[words.index("-d") + 1].replace("0193…", self.prediction))
        caller = Caller(self.everything.address("gateway"))
        reply = caller.post(path, body)
        caller.close()
        for answer in reply.get("predictions", []):
            self.prediction = answer["id"]
        return json.dumps(reply)

    def await_phase(self, phases: set[str]) -> None:
        await_true(lambda: self.deployment()["rollout"] in phases, f"the rollout is {phases}")

    def deployment(self) -> Any:
        return json.loads(self.trivet("deploy", "show", "churn", "--json"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with ExitStack() as opened:
        reader = Reader(tmp_path_factory.mktemp("tutorial"), opened)
        for line in COMMANDS:
            for start, phases in AWAITED.items():
                if line.startswith(start):
                    reader.await_phase(phases)
            reader.type(line)
        yield reader


def test_every_command_of_the_tutorial_works_in_its_order(reader: Reader) -> None:
    assert reader.deployment()["model"] == "model:churn@1"
    verified = next(said for line, said in reader.said.items() if line.endswith("ledger verify"))
    assert "passed" in verified


def test_its_text_is_true(reader: Reader) -> None:
    told = " ".join("".join(reader.said.values()).split())
    for promised in ("First customers", "was read by 1 run", "rolled back", "same to the bit"):
        assert promised in told, promised
    assert '"probability"' in told
    steps = json.loads(reader.said["trivet runs list --json"])
    assert steps[0]["status"] == "finished"


def test_its_links_lead_somewhere() -> None:
    pages = Path(__file__).parents[2] / "docs"
    for link in re.findall(r"\]\(([\w/-]+\.md)\)", TUTORIAL):
        assert (pages / link).is_file(), link
