"""What every `BlobStore` must do."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.kernel.digests import digest_bytes
from trivet.storage.blobs import BlobNotFound, BlobStore

MISSING = digest_bytes(b"nobody put this")


class BlobStoreContract:
    """Subclass, and provide a fixture `blobs` that yields an empty store."""

    def test_what_is_put_is_what_one_gets(self, blobs: BlobStore) -> None:
        digest = blobs.put(b"three legs")
        assert digest == digest_bytes(b"three legs")
        assert blobs.get(digest) == b"three legs"
        assert blobs.size(digest) == 10

    def test_nothing_is_content_too(self, blobs: BlobStore) -> None:
        assert blobs.get(blobs.put(b"")) == b""

    def test_a_memoryview_is_content_too(self, blobs: BlobStore) -> None:
        assert blobs.get(blobs.put(memoryview(b"abc"))) == b"abc"

    def test_chunks_are_laid_end_to_end(self, blobs: BlobStore) -> None:
        digest = blobs.put_chunks([b"three", memoryview(b" "), b"legs"])
        assert digest == digest_bytes(b"three legs")
        assert blobs.get(digest) == b"three legs"

    def test_to_put_twice_is_no_error(self, blobs: BlobStore) -> None:
        assert blobs.put(b"x") == blobs.put(b"x") == blobs.put_chunks([b"x"])
        assert blobs.get(blobs.put(b"x")) == b"x"

    def test_large_content_comes_back_in_chunks(self, blobs: BlobStore) -> None:
        part = bytes(range(256)) * 4096
        digest = blobs.put_chunks(part for _ in range(12))
        assert b"".join(blobs.chunks(digest)) == part * 12

    def test_what_was_never_put_is_not_found(self, blobs: BlobStore, tmp_path: Path) -> None:
        for ask in (blobs.get, blobs.size, lambda digest: list(blobs.chunks(digest))):
            with pytest.raises(BlobNotFound, match=MISSING):
                ask(MISSING)
        with pytest.raises(BlobNotFound):
            blobs.fetch(MISSING, tmp_path / "file")
        assert list(tmp_path.glob("file*")) == []

    def test_fetch_writes_a_file(self, blobs: BlobStore, tmp_path: Path) -> None:
        target = tmp_path / "model.onnx"
        target.write_bytes(b"an older one")
        blobs.fetch(blobs.put(b"weights"), target)
        assert target.read_bytes() == b"weights"
        assert list(tmp_path.glob("model.onnx*")) == [target]

    def test_what_is_deleted_is_gone(self, blobs: BlobStore) -> None:
        digest = blobs.put(b"x")
        blobs.delete(digest)
        blobs.delete(digest)
        with pytest.raises(BlobNotFound):
            blobs.get(digest)
        assert blobs.get(blobs.put(b"x")) == b"x"

    def test_chunks_that_break_off_leave_nothing(self, blobs: BlobStore) -> None:
        def broken() -> Iterator[bytes]:
            yield b"half"
            raise RuntimeError("the source broke off")

        with pytest.raises(RuntimeError, match="broke off"):
            blobs.put_chunks(broken())
        with pytest.raises(BlobNotFound):
            blobs.get(digest_bytes(b"half"))

    def test_many_may_put_the_same_at_once(self, blobs: BlobStore) -> None:
        content = bytes(100_000)
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(blobs.put(content))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [digest_bytes(content)] * 8
        assert blobs.get(digest_bytes(content)) == content
