"""A user's own table, from `trivet init` to a rollback, by the commands of the README."""

import csv
import json
import random
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from trivet.cli.main import main
from trivet.testing.processes import Caller, await_true, command, everything_up
from trivet.testing.serving import onnx_model

pytestmark = pytest.mark.slow

COLUMNS = ("customer_id", "asked_at", "plan", "months", "spend", "calls", "known_at", "left")
ASK = {"plan": "pro", "months": 3, "spend": 20.0, "calls": 4, "event_at": "2026-05-01T00:00:00Z"}


def write_customers(file: Path, count: int, *, first: int = 0) -> Path:
    """Write a table of one's own: newcomers leave who call, and others who do not."""
    rng = random.Random(first)
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(COLUMNS)
        for number in range(first, first + count):
            asked_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * number)
            known_at = asked_at + timedelta(days=rng.uniform(1, 9))
            months, calls = rng.randint(1, 60), rng.randint(0, 5)
            left = int(rng.random() < (0.8 if (months < 20) == (calls > 2) else 0.15))
            rows.writerow(
                [
                    f"m{number:05}",
                    f"{asked_at:%Y-%m-%dT%H:%M:%SZ}",
                    rng.choice(["basic", "family", "pro"]),
                    months,
                    round(rng.uniform(5, 90), 2),
                    calls,
                    f"{known_at:%Y-%m-%dT%H:%M:%SZ}",
                    left,
                ]
            )
    return file


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Project:
    """A project's folder, and what happened in it."""

    folder: Path
    run: str = ""
    answers: tuple[Any, ...] = ()
    reply: Any = None

    @property
    def home(self) -> Path:
        return self.folder / ".trivet"

    def call(self, *arguments: str) -> Ended:
        """Run a command: as a process where it loads the project's code, else in this one."""
        if arguments[0] in ("init", "run", "reproduce"):
            done = subprocess.run(
                command(self.home, *arguments),
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            return Ended(done.returncode, done.stdout, done.stderr)
        out, err, code = StringIO(), StringIO(), 0
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setattr("sys.argv", ["trivet", "--home", str(self.home), *arguments])
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Ended(code, out.getvalue(), err.getvalue())

    def tell(self, *arguments: str) -> str:
        """Return what a command prints; it must succeed."""
        done = self.call(*arguments)
        assert done.code == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.tell(*arguments, "--json"))

    def refuse(self, *arguments: str) -> str:
        """Return the one sentence with which a command is refused."""
        done = self.call(*arguments)
        assert done.code == 1, (done.code, done.stdout, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1, done.stderr
        assert "Traceback" not in done.stderr
        return lines[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("journey") / "churn"
    project = Project(folder)
    folder.mkdir()
    project.tell("init", ".")
    shutil.rmtree(folder / "data")
    table = write_customers(folder / "mine.csv", 5_000)
    project.tell("data", "create", "customers", "--key", "customer_id", "--event-time", "asked_at")
    project.tell("data", "contract", "set", "customers", "contract.yaml")
    project.tell("data", "commit", "customers", str(table), "-m", "My customers")
    project.tell("features", "apply", "features.py")
    project.run = project.json("run", "pipeline.py")["run"]
    project.json("run", "pipeline.py", "--param", "seed=8")
    project.tell("features", "materialize", "by_plan", "--until", "2026-05-01")
    with everything_up(project.home) as trivet:
        caller = Caller(trivet.address("gateway"))
        answers = []
        for version in ("churn@1", "churn@2"):
            project.tell("deploy", "direct", f"model:{version}", "--wait")
            answers.append(predict(caller))
        project.reply = project.json("rollback", "churn", "--reason", "it looks odd")
        answers.append(predict(caller))
        item = {"prediction": answers[0]["id"], "outcome": 1}
        caller.post("/feedback/churn", {"items": [item]})
        caller.close()
        await_true(lambda: count_labels(project), "the controller counts the feedback")
    project.answers = tuple(answers)
    return project


def predict(caller: Caller) -> Any:
    return caller.post("/predict/churn", {"rows": [ASK]})["predictions"][0]


def count_labels(project: Project) -> int:
    points = project.json("monitoring", "show", "churn")["points"]
    return sum(point["tally"]["labelled"] for point in points)


def test_each_release_and_the_rollback_were_served(project: Project) -> None:
    models = [answer["model"] for answer in project.answers]
    assert models == ["model:churn@1", "model:churn@2", "model:churn@1"]
    first, second, last = project.answers
    assert first["probability"] == last["probability"] != second["probability"]
    assert first["probability"] > 0.5
    assert project.reply["model"] == "model:churn@1"
    assert project.reply["seconds"] is not None


def test_a_rollback_moves_the_champion_too(project: Project) -> None:
    assert project.json("models", "show", "churn@champion")["version"] == 1
    summary = project.json("deploy", "show", "churn")
    assert summary["model"] == "model:churn@1"
    assert summary["candidate"] is None


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("dataset:customers@main", "My customers"),
        ("features:by_plan", "plan_left_30d"),
        ("experiment:churn", "churn"),
        ("model:churn", "model:churn@2"),
        ("model:churn@champion", "model.onnx"),
        ("deployment:churn", "generation"),
        ("deployment:churn#2", "model:churn@2"),
    ],
)
def test_whatever_a_ref_names_is_shown(project: Project, ref: str, said: str) -> None:
    assert said in project.tell("show", ref)
    assert said in json.dumps(project.json("show", ref))


def test_an_answer_leads_back_to_the_data_it_came_of(project: Project) -> None:
    answer = project.answers[1]
    shown = project.json("show", f"prediction:{answer['id']}")
    assert shown["inputs"]["plan"] == "pro"
    revision = f"deployment:churn#{answer['revision']}"
    upstream = {edge["from_ref"] for edge in project.json("lineage", revision)["edges"]}
    commit = project.json("show", "dataset:customers@main")["id"]
    assert {"model:churn@2", "features:by_plan@1", f"dataset:customers@{commit}"} <= upstream
    assert any(ref.startswith("run:") for ref in upstream)
    downstream = project.json("lineage", f"dataset:customers@{commit}", "--down")["edges"]
    assert revision in {edge["to_ref"] for edge in downstream}
    assert "model:churn@2" in project.tell("lineage", revision)


def test_the_first_run_is_reproduced_to_the_last_bit(project: Project) -> None:
    certificate = project.json("reproduce", project.run)
    assert certificate["verdict"] == "passed"
    asked = project.json("ask")
    assert any(each["verdict"] == "passed" for each in asked["versioning"]["certificates"])
    assert asked["velocity"]["releases"]
    assert "Velocity" in project.tell("ask")
    assert project.json("ledger", "verify")["intact"]


def test_what_reads_answers_in_json(project: Project) -> None:
    run = project.run
    runs = [each["id"] for each in project.json("runs", "list")]
    for arguments in (
        ("data", "branches", "customers"),
        ("data", "contract", "show", "customers"),
        ("data", "diff", "customers", "main", "main"),
        ("data", "list"),
        ("data", "log", "customers"),
        ("data", "profile", "customers"),
        ("data", "show", "customers"),
        ("data", "verify", "customers"),
        ("experiments", "list"),
        ("experiments", "show", "churn"),
        ("features", "get", "by_plan", "--entity", "plan=pro"),
        ("features", "list"),
        ("features", "plan", "churn"),
        ("features", "show", "by_plan"),
        ("ledger", "list"),
        ("models", "gates", "churn@1"),
        ("models", "list"),
        ("models", "show", "churn@1"),
        ("models", "versions", "churn"),
        ("monitoring", "show", "churn"),
        ("monitoring", "slices", "churn"),
        ("alerts", "list"),
        ("alerts", "precision"),
        ("deploy", "list"),
        ("deploy", "show", "churn"),
        ("runs", "compare", runs[0], runs[1]),
        ("runs", "graph", run),
        ("runs", "show", run),
        ("status",),
    ):
        assert project.json(*arguments) is not None, arguments


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("deploy", "direct", "model:churn@99"), "99"),
        (("deploy", "direct", "model:nobody@1"), "nobody"),
        (("deploy", "direct", "model:churn@1"), "already"),
        (("deploy", "canary", "model:churn@2", "--to", "other"), "other"),
        (("deploy", "blue-green", "model:churn@2"), "blue-green"),
        (("deploy", "promote", "churn", "--reason", "now"), "churn"),
        (("rollback", "nobody"), "nobody"),
        (("rollback", "churn", "--to", "99"), "99"),
        (("data", "create", "customers", "--key", "customer_id"), "customers"),
        (("data", "log", "nobody"), "nobody"),
        (("models", "alias", "churn@9", "champion", "--reason", "x"), "9"),
        (("show", "model:churn@best"), "best"),
        (("reproduce", "run:none"), "none"),
        (("run", "pipeline.py", "--param", "no_such=1"), "no_such"),
        (("run", "nowhere.py"), "nowhere.py"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    project: Project, arguments: tuple[str, ...], reason: str
) -> None:
    facts = len(project.json("ledger", "list", "--limit", "100000"))
    assert reason in project.refuse(*arguments)
    assert len(project.json("ledger", "list", "--limit", "100000")) == facts


def test_what_is_misspelt_is_a_matter_of_usage(project: Project) -> None:
    for arguments in (("deploy", "sideways"), ("data", "log"), ("runs", "list", "--nope")):
        done = project.call(*arguments)
        assert done.code == 2
        assert done.stderr.startswith("Usage: ")


def test_rows_that_break_the_contract_are_neither_taken_nor_trained_on(project: Project) -> None:
    bad = project.folder / "bad.csv"
    write_customers(bad, 50, first=10_000)
    bad.write_text(bad.read_text().replace("pro", "platinum"))
    assert project.call("data", "contract", "check", "customers", str(bad)).code == 1
    before = project.json("data", "log", "customers")
    assert "contract" in project.refuse("data", "commit", "customers", str(bad))
    assert project.json("data", "log", "customers") == before
    project.tell("data", "branch", "customers", "experiments")
    project.tell("data", "commit", "customers", str(bad), "--branch", "experiments")
    param = "customers=dataset:customers@experiments"
    assert "contract" in project.refuse("run", "pipeline.py", "--param", param)
    assert len(project.json("models", "versions", "churn")) == 2
    aside = project.json("data", "quarantine", "customers", str(bad), "-m", "An unknown plan")
    assert aside["branch"] != "main"


def test_a_model_without_gates_is_released_by_force_only(project: Project) -> None:
    model = project.folder / "made_elsewhere.onnx"
    model.write_bytes(onnx_model(("Sigmoid",)))
    signature = project.folder / "signature.json"
    signature.write_text(json.dumps({"inputs": ["x"]}))
    register = ("models", "register", "foreign", str(model), "--signature", str(signature))
    project.json(*register)
    assert "gate" in project.refuse("deploy", "direct", "model:foreign@1", "--to", "foreign")
    assert "gate" in project.refuse("models", "alias", "foreign@1", "champion")
    assert "already" in project.refuse(*register)
    forced = ("--force-reason", "a trial on a laptop")
    project.tell("deploy", "direct", "model:foreign@1", "--to", "foreign", *forced)
    assert "a trial on a laptop" in project.tell("deploy", "show", "foreign")
