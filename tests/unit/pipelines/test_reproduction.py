import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.kernel.digests import Digest
from trivet.ledger import SqlLedger, Verdict
from trivet.pipelines import (
    NotReproducible,
    PipelineNotFound,
    Workspace,
    load_pipeline,
    reproduce,
    run,
)
from trivet.tracking import RunKind

TEXT = """
import os
import random
from pathlib import Path

from trivet.pipelines import pipeline, step
from trivet.tracking import current_run


class Model:
    def __init__(self, weight):
        self.weight = weight


@step
def train(seed: int) -> Model:
    weight = random.Random(seed).random()
    current_run().log_metric("loss", 1 - weight)
    return Model(weight)


@step
def score(model: Model) -> dict:
    return {"auc": model.weight + SHIFT}


@step(repeatable=False)
def measure(model: Model) -> float:
    return random.SystemRandom().random()


@step(effects=True)
def register(model: Model, place: str) -> str:
    with Path(place).open("a") as file:
        file.write("registered\\n")
    return "model:m@1"


@pipeline
def training(place: str, seed: int = 7):
    model = train(seed)
    return score(model), measure(model), register(model, place)
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "project"
    folder.mkdir()
    file = folder / "training_of_test.py"
    file.write_text(TEXT.replace("SHIFT", "0.0"))
    monkeypatch.chdir(folder)
    before = list(sys.path)
    yield file
    sys.path[:] = before
    sys.modules.pop("training_of_test", None)


def test_a_run_is_reproduced_to_the_bit(
    workspace: Workspace, ledger: SqlLedger, file: Path, tmp_path: Path
) -> None:
    place = tmp_path / "effects"
    first = run(load_pipeline(str(file)), {"place": str(place)}, workspace=workspace)
    done = reproduce(first.run.id, workspace=workspace, ledger=ledger)
    assert done.evidence.verdict is Verdict.PASSED
    assert done.differences == ()
    assert done.certificate["metrics"]["train/loss"]["same"]
    assert done.certificate["code"]["state"] == "in place"
    assert set(done.certificate["left_out"]) == {"measure", "register"}
    assert place.read_text() == "registered\n"
    stored = ledger.list_evidence(subject=first.run.ref, kind="reproduction")
    assert [one.id for one in stored] == [done.evidence.id]
    text = workspace.blobs.get(Digest(stored[0].inputs["text"].removeprefix("blob:sha256:")))
    assert text.decode() == done.text
    assert "CERTIFICATE OF REPRODUCTION: PASSED" in done.text


def test_code_that_changed_since_is_restored_from_the_run(
    workspace: Workspace, ledger: SqlLedger, file: Path, tmp_path: Path
) -> None:
    first = run(load_pipeline(str(file)), {"place": str(tmp_path / "p")}, workspace=workspace)
    file.write_text("this is no Python any more")
    done = reproduce(first.run.id, workspace=workspace, ledger=ledger)
    assert done.evidence.verdict is Verdict.PASSED
    assert done.certificate["code"]["state"] == "restored"
    assert done.certificate["code"]["changed"] == ["training_of_test.py"]


def test_a_difference_fails_and_is_named(
    workspace: Workspace, ledger: SqlLedger, file: Path, tmp_path: Path
) -> None:
    drifting = TEXT.replace("SHIFT", "0.0").replace(
        "random.Random(seed).random()", "float(os.environ['WEIGHT_OF_TEST'])"
    )
    file.write_text(drifting)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEIGHT_OF_TEST", "0.25")
        first = run(load_pipeline(str(file)), {"place": str(tmp_path / "p")}, workspace=workspace)
        patch.setenv("WEIGHT_OF_TEST", "0.2500000000000001")
        done = reproduce(first.run.id, workspace=workspace, ledger=ledger)
    assert done.evidence.verdict is Verdict.FAILED
    # The model is a pickle, whose bytes do not count; what was made of it does.
    assert done.differences == ("metric train/loss", "output of step score")
    assert "DIFFERS" in done.text


def test_what_the_pipeline_looked_up_is_not_looked_up_again(
    workspace: Workspace, ledger: SqlLedger, file: Path
) -> None:
    looking = (
        "import os\nfrom trivet.pipelines import pipeline, step\n"
        "@step\ndef same(value: str) -> str:\n    return value\n"
        "@pipeline\ndef looking():\n    return same(os.environ['LOOKED_UP_BY_TEST'])\n"
    )
    file.write_text(looking)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOOKED_UP_BY_TEST", "then")
        first = run(load_pipeline(str(file)), workspace=workspace)
        patch.setenv("LOOKED_UP_BY_TEST", "now")
        done = reproduce(first.run.id, workspace=workspace, ledger=ledger)
    assert done.evidence.verdict is Verdict.PASSED


def test_only_finished_runs_of_pipelines_can_be_run_again(
    workspace: Workspace, ledger: SqlLedger
) -> None:
    plain = workspace.runs.create_run("churn")
    running = workspace.runs.create_run("churn", kind=RunKind.PIPELINE)
    with pytest.raises(NotReproducible, match="only runs of pipelines"):
        reproduce(plain.id, workspace=workspace, ledger=ledger)
    with pytest.raises(NotReproducible, match="it is running"):
        reproduce(running.id, workspace=workspace, ledger=ledger)


def test_a_pipeline_is_found_by_its_name(file: Path) -> None:
    assert load_pipeline(f"{file}:training").name == "training"
    with pytest.raises(PipelineNotFound, match="it has training"):
        load_pipeline(f"{file}:other")
