import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from trivet.pipelines.codecs import load_value, part_of, store_value
from trivet.pipelines.records import StoredValue
from trivet.storage.blobs import BlobStore, open_blob_store


@dataclass
class Model:
    weight: float


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return open_blob_store(f"file://{tmp_path}/blobs")


@pytest.mark.parametrize(
    ("value", "codec"),
    [
        (None, "json"),
        ({"a": [1, 2.5, "x", True, None]}, "json"),
        ({"long": "x" * 10_000}, "json"),
        ({"a": math.inf}, "json"),
        (b"bytes", "bytes"),
        ((1, "two"), "tuple"),
        ([1, (2, 3)], "list"),
        ({"a": b"b", "c": (1,)}, "dict"),
        ({1: 2}, "pickle"),
        (Model(0.5), "pickle"),
        (np.float64(0.5), "pickle"),
    ],
)
def test_values_come_back_as_they_were(value: Any, codec: str, blobs: BlobStore) -> None:
    stored = store_value(value, blobs)
    assert stored.codec == codec
    assert stored.is_stored
    again = StoredValue.from_json(stored.to_json())
    assert again == stored
    found = load_value(again, blobs)
    assert found == value
    assert type(found) is type(value)


def test_equal_tables_have_one_digest_however_they_are_chunked(blobs: BlobStore) -> None:
    whole = pa.table({"x": list(range(10)), "y": [str(number) for number in range(10)]})
    parts = pa.concat_tables([whole.slice(0, 4), whole.slice(4)])
    stored = store_value(parts, blobs)
    assert stored.codec == "arrow"
    assert stored.digest == store_value(whole, blobs).digest
    assert load_value(stored, blobs).equals(whole)


def test_arrays_come_back_with_their_bits(blobs: BlobStore) -> None:
    array = np.array([[0.1, math.nan], [-0.0, 1e300]])
    stored = store_value(array, blobs)
    assert stored.codec == "numpy"
    assert load_value(stored, blobs).tobytes() == array.tobytes()
    assert store_value(np.array([object()]), blobs).codec in ("pickle", "reference")


def test_what_cannot_be_pickled_is_a_reference_that_is_never_equal(blobs: BlobStore) -> None:
    lock = threading.Lock()
    first, second = store_value(lock, blobs), store_value(lock, blobs)
    assert first.codec == "reference"
    assert not store_value((1, lock), blobs).is_stored
    assert first.digest != second.digest


def test_a_pickle_is_marked_as_code_also_within_a_container(blobs: BlobStore) -> None:
    assert store_value({"model": Model(1.0)}, blobs).is_code
    assert not store_value({"table": pa.table({"x": [1]})}, blobs).is_code


def test_parts_have_records_of_their_own(blobs: BlobStore) -> None:
    stored = store_value({"a": (b"x", b"y"), "n": 1}, blobs)
    part = part_of(stored, ("a", 1))
    assert part is not None
    assert load_value(part, blobs) == b"y"
    assert part_of(stored, ("missing",)) is None
