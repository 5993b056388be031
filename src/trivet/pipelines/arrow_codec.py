"""Arrow tables as Arrow IPC files, uncompressed, so that reading one back copies nothing."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

_BATCH_ROWS = 1 << 16


def fits(table: pa.Table) -> bool:
    """Whether the table can be stored; every one can."""
    return isinstance(table, pa.Table)


def describe(table: pa.Table) -> str:
    """Return what it is, for a person."""
    return f"table of {table.num_rows} rows, {table.num_columns} columns"


def chunks(table: pa.Table) -> Iterator[bytes]:
    """Yield the file, a batch at a time, so that memory does not grow with the table.

    How rows lie in chunks is chance, and the digest must not depend on it: a table of several
    chunks is put together first.
    """
    whole = table if all(c.num_chunks <= 1 for c in table.columns) else table.combine_chunks()
    sink = _Sink()
    with pa.ipc.new_file(pa.PythonFile(sink, mode="w"), whole.schema) as writer:
        for batch in whole.to_batches(max_chunksize=_BATCH_ROWS):
            writer.write_batch(batch)
            yield from sink.take()
    yield from sink.take()


def decode(content: bytes) -> pa.Table:
    """Return the table, whose columns lie in `content` itself."""
    return pa.ipc.open_file(pa.py_buffer(content)).read_all()


class _Sink(io.RawIOBase):
    """A file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, content: Any) -> int:
        """Keep a copy of the content, whose memory is the writer's."""
        data = bytes(content)
        self._kept.append(data)
        return len(data)

    def take(self) -> list[bytes]:
        """Return what was written since the last call."""
        kept, self._kept = self._kept, []
        return kept
