"""Store values by content, and read them back.

Arrow tables, numpy arrays, JSON values and bytes are stored as what they are; containers part by
part; any other object as a pickle, which is code: it is read back in a process that runs the
user's pipeline, never in a server.
"""

import json
import math
import pickle
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

from trivet.kernel.digests import digest_bytes, digest_json
from trivet.kernel.ids import new_id
from trivet.pipelines.records import StoredValue
from trivet.storage.blobs.store import BlobStore

_INLINE_BYTES = 8192
_CONTAINERS = {"tuple": tuple, "list": list}

# A codec's module is imported when there is a value for it: a pipeline that handles no table
# need not wait until Arrow is loaded.
_BINARY = {"arrow": "trivet.pipelines.arrow_codec", "numpy": "trivet.pipelines.numpy_codec"}
_CODEC_OF = {"pyarrow.lib.Table": "arrow", "numpy.ndarray": "numpy"}


def store_value(value: Any, blobs: BlobStore) -> StoredValue:
    """Store `value` and return the record by which `load_value` finds it."""
    if is_json(value):
        return _store_json(value, blobs)
    kind = type(value)
    if kind in (tuple, list) or (kind is dict and all(type(key) is str for key in value)):
        return _store_container(value, blobs)
    codec = _CODEC_OF.get(f"{kind.__module__}.{kind.__qualname__}")
    if codec is not None:
        module = import_module(_BINARY[codec])
        if module.fits(value):
            return _store_chunks(codec, module.chunks(value), blobs, module.describe(value))
    if kind is bytes:
        return _store_chunks("bytes", [value], blobs, "bytes")
    return _store_object(value, blobs)


def load_value(stored: StoredValue, blobs: BlobStore) -> Any:
    """Return the value; a pickle runs code, so only the process of a pipeline calls this."""
    if stored.codec in ("tuple", "list"):
        return _CONTAINERS[stored.codec](load_value(part, blobs) for _, part in stored.parts)
    if stored.codec == "dict":
        return {name: load_value(part, blobs) for name, part in stored.parts}
    if stored.inline is not None:
        return json.loads(stored.inline)
    content = blobs.get(stored.digest)
    if stored.codec == "json":
        return json.loads(content)
    if stored.codec in _BINARY:
        return import_module(_BINARY[stored.codec]).decode(content)
    if stored.codec == "pickle":
        return pickle.loads(content)  # noqa: S301 - the user's own object, in the user's process
    return content


def part_of(stored: StoredValue, path: Iterable[str | int]) -> StoredValue | None:
    """Return the record of a part of a container, or None where the parts are not kept apart."""
    for name in path:
        found = dict(stored.parts).get(str(name))
        if found is None:
            return None
        stored = found
    return stored


def blobs_of(stored: StoredValue) -> Iterator[StoredValue]:
    """Yield the records of which each is a blob of its own."""
    for _, part in stored.parts:
        yield from blobs_of(part)
    if not stored.parts and stored.inline is None and stored.codec not in ("tuple", "list"):
        yield stored


def is_json(value: Any) -> bool:
    """Whether Python's JSON gives the value back as it was: no tuples, no keys but strings.

    NaN and infinity do come back, since Python reads the names that it writes for them.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str, float):
        return True
    if kind is list:
        return all(is_json(item) for item in value)
    if kind is dict:
        return all(type(key) is str and is_json(item) for key, item in value.items())
    return False


def plain_json(value: Any) -> Any:
    """Return a JSON value with None for NaN and infinity, which standard JSON cannot write."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: plain_json(item) for key, item in value.items()}
    return [plain_json(item) for item in value] if isinstance(value, list) else value


def _store_json(value: Any, blobs: BlobStore) -> StoredValue:
    text = json.dumps(value, separators=(",", ":"))
    kind = type(value).__name__
    content = text.encode()
    if len(content) > _INLINE_BYTES:
        return _store_chunks("json", [content], blobs, kind)
    digest = digest_bytes(content)
    return StoredValue(codec="json", digest=digest, size=len(content), inline=text, type=kind)


def _store_container(value: Any, blobs: BlobStore) -> StoredValue:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    parts = tuple((str(name), store_value(item, blobs)) for name, item in items)
    codec = type(value).__name__
    return StoredValue(
        codec=codec,
        digest=digest_json([codec, [[name, part.codec, part.digest] for name, part in parts]]),
        size=sum(part.size for _, part in parts),
        parts=parts,
        type=f"{codec} of {len(parts)}",
    )


def _store_object(value: Any, blobs: BlobStore) -> StoredValue:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    try:
        content = pickle.dumps(value, protocol=5)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError):
        # It cannot leave the process: it is handed on, and makes its step's result unique.
        digest = digest_json(["reference", new_id()])
        return StoredValue(codec="reference", digest=digest, size=0, type=kind)
    return _store_chunks("pickle", [content], blobs, kind)


def _store_chunks(
    codec: str, chunks: Iterable[bytes | memoryview], blobs: BlobStore, kind: str
) -> StoredValue:
    counted = _Counted(chunks)
    digest = blobs.put_chunks(counted)
    return StoredValue(codec=codec, digest=digest, size=counted.size, type=kind)


class _Counted:
    """Passes chunks on and counts their bytes."""

    def __init__(self, chunks: Iterable[bytes | memoryview]) -> None:
        self._chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk
