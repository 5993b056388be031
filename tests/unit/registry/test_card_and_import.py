from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from trivet.kernel.digests import Digest
from trivet.kernel.errors import InvalidInput
from trivet.ledger import Evidence, EvidenceId, Verdict
from trivet.registry import Model, ModelVersion, Signature, signature_from_json, signature_to_json
from trivet.registry.card import model_card
from trivet.registry.completeness import check_complete
from trivet.registry.golden import GoldenRows
from trivet.registry.imported import import_version
from trivet.registry.onnx_export import export_onnx
from trivet.storage.blobs import BlobStore, open_blob_store
from trivet.testing.model_store import content

AT = datetime(2026, 1, 2, tzinfo=UTC)
INPUTS = np.random.default_rng(2).normal(size=(200, 2)).astype(np.float32)
MODEL = LogisticRegression().fit(INPUTS, (INPUTS[:, 0] > 0).astype(int))
SIGNATURE = Signature(inputs=("a", "b"))


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return open_blob_store(f"file://{tmp_path}")


def golden(off: float = 0.0, names: tuple[str, ...] = ("a", "b")) -> GoldenRows:
    rows = INPUTS[:5]
    return GoldenRows(names=names, inputs=rows, expected=MODEL.predict_proba(rows)[:, 1] + off)


def test_an_imported_model_says_what_is_not_known_of_it(blobs: BlobStore) -> None:
    imported = import_version(blobs, export_onnx(MODEL, 2), SIGNATURE, golden=golden())
    assert imported.missing == ("run", "datasets", "code", "environment", "seed", "reference")
    assert set(imported.artifacts) == {"model.onnx", "golden.arrow"}
    check_complete("churn", imported)


def test_a_model_without_golden_rows_says_so(blobs: BlobStore) -> None:
    imported = import_version(blobs, export_onnx(MODEL, 2), SIGNATURE)
    assert "golden" in imported.missing
    check_complete("churn", imported)


def test_a_model_that_does_not_fit_what_is_said_of_it_is_refused(blobs: BlobStore) -> None:
    exported = export_onnx(MODEL, 2)
    with pytest.raises(InvalidInput, match="2 columns; the signature names 3"):
        import_version(blobs, exported, Signature(inputs=("a", "b", "c")))
    with pytest.raises(InvalidInput, match="off by 1"):
        import_version(blobs, exported, SIGNATURE, golden=golden(off=0.1))
    with pytest.raises(InvalidInput, match="other columns"):
        import_version(blobs, exported, SIGNATURE, golden=golden(names=("b", "a")))


def test_a_signature_is_read_as_it_was_written() -> None:
    signature = Signature(
        inputs=("a",), plan={"service": "s"}, request={"c": "string"}, slices=("c",)
    )
    assert signature_from_json(signature_to_json(signature)) == signature
    assert signature_from_json({"inputs": ["a"]}) == Signature(inputs=("a",))


@pytest.mark.parametrize("values", [{}, {"inputs": "a"}, {"inputs": ["a"], "colour": 1}])
def test_a_signature_that_says_too_little_or_too_much_is_refused(
    values: dict[str, Any],
) -> None:
    with pytest.raises(InvalidInput, match="signature"):
        signature_from_json(values)


def test_the_card_tells_what_is_on_record() -> None:
    version = ModelVersion(
        model="delay", version=2, digest=Digest("d" * 64), at=AT, author="anna", content=content()
    )
    gate = Evidence(
        id=EvidenceId("e1"),
        at=AT,
        actor="anna",
        kind="gate",
        subject="run:run1",
        verdict=Verdict.PASSED,
        summary="AUC 0.7 | at least 0.6",
    )
    model = Model(name="delay", description="Late or not.", owner="anna", created_at=AT)
    slices = {"carrier=UA": {"rows": 600, "accuracy": 0.8, "log_loss": 0.4}}
    reads = {"dataset:flights@1": 1, "dataset:flights@2": 3}
    card = model_card(model, version, [gate], reference={"slices": slices}, test_reads=reads)
    assert "The test split of dataset:flights@1 was read by 1 run." in card
    assert "The test split of dataset:flights@2 was read by 3 runs." in card
    for part in (
        "# model:delay@2",
        "Late or not.",
        "dataset:flights@4f0c",
        "`e1`",
        "- **seed**: 1",
    ):
        assert part in card
    assert r"AUC 0.7 \| at least 0.6" in card
    assert "| carrier=UA | 600 | 0.800 | 0.400 |" in card
    assert "No gate has judged it." in model_card(model, version, [])
