"""Blobs on a local disk, in memory and in S3."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import obstore
import pytest
from obstore.store import S3Store

from trivet.kernel.digests import digest_bytes
from trivet.kernel.errors import InvalidInput
from trivet.storage.blobs import (
    BlobCorrupted,
    BlobStore,
    BlobStoreUnavailable,
    UnknownScheme,
    open_blob_store,
)
from trivet.storage.blobs.object_store import ObjectBlobStore
from trivet.testing.blob_store import BlobStoreContract


class TestLocalBlobStore(BlobStoreContract):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> BlobStore:
        return open_blob_store(f"file://{tmp_path}/blobs")

    def test_damage_is_noticed_and_repaired_by_a_put(
        self, blobs: BlobStore, tmp_path: Path
    ) -> None:
        digest = blobs.put(b"weights")
        file = tmp_path / "blobs" / "sha256" / digest[:2] / digest[2:]
        file.write_bytes(b"wEights")
        with pytest.raises(BlobCorrupted, match=digest):
            blobs.get(digest)
        with pytest.raises(BlobCorrupted):
            blobs.fetch(digest, tmp_path / "copy")
        assert not (tmp_path / "copy").exists()
        blobs.put(b"weights")
        assert blobs.get(digest) == b"weights"

    def test_equal_content_is_kept_once(self, blobs: BlobStore, tmp_path: Path) -> None:
        for _ in range(3):
            blobs.put(b"x")
            blobs.put_chunks([b"x"])
        files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
        assert len(files) == 1

    def test_it_opens_again_with_what_it_held(self, blobs: BlobStore, tmp_path: Path) -> None:
        digest = blobs.put(b"x")
        assert open_blob_store(f"file://{tmp_path}/blobs").get(digest) == b"x"

    def test_a_store_that_cannot_write_is_unavailable(self, tmp_path: Path) -> None:
        blobs = open_blob_store(f"file://{tmp_path}/blobs")
        (tmp_path / "blobs" / "staging").write_bytes(b"in the way")
        with pytest.raises(BlobStoreUnavailable):
            blobs.put(b"x")
        with pytest.raises(BlobStoreUnavailable):
            blobs.put_chunks([b"x"])


class TestMemoryBlobStore(BlobStoreContract):
    @pytest.fixture
    def blobs(self) -> BlobStore:
        return open_blob_store("memory:")


class TestS3BlobStore(BlobStoreContract):
    @pytest.fixture
    def blobs(self, s3_url: str) -> BlobStore:
        return open_blob_store(s3_url)

    def test_damage_is_noticed(self, blobs: BlobStore, s3_url: str, tmp_path: Path) -> None:
        digest, other = blobs.put(b"weights"), blobs.put(b"wEights")
        parts = urlsplit(s3_url)
        options: Any = dict(parse_qsl(parts.query))
        place = S3Store(parts.netloc, prefix=parts.path.strip("/"), config=options)
        names = [f"sha256/{each[:2]}/{each[2:]}" for each in (other, digest)]
        obstore.copy(place, *names)
        with pytest.raises(BlobCorrupted, match=digest):
            blobs.get(digest)
        with pytest.raises(BlobCorrupted):
            blobs.fetch(digest, tmp_path / "copy")
        assert not (tmp_path / "copy").exists()

    def test_it_opens_again_with_what_it_held(self, blobs: BlobStore, s3_url: str) -> None:
        digest = blobs.put(b"x")
        assert open_blob_store(s3_url).get(digest) == b"x"

    def test_a_bucket_that_is_not_there_is_unavailable(self, s3_url: str) -> None:
        elsewhere = open_blob_store(s3_url.replace("s3://", "s3://no-such-"))
        with pytest.raises(BlobStoreUnavailable):
            elsewhere.put(b"x")


def test_an_unknown_scheme_is_answered_with_those_installed() -> None:
    with pytest.raises(UnknownScheme, match=r"ftp://.*file, memory, s3"):
        open_blob_store("ftp://host/blobs")


def test_an_option_that_s3_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nonsense"):
        open_blob_store("s3://bucket/prefix?nonsense=1")
    with pytest.raises(InvalidInput, match="bucket"):
        open_blob_store("s3:///prefix")
    with pytest.raises(InvalidInput, match="no blob store"):
        ObjectBlobStore.from_url("gopher://x")


def test_an_s3_that_does_not_answer_is_unavailable() -> None:
    blobs = ObjectBlobStore.from_url(
        "s3://bucket/prefix?endpoint=http://127.0.0.1:1&region=eu-west-1&allow_http=true"
        "&access_key_id=a&secret_access_key=b",
        max_retries=0,
    )
    with pytest.raises(BlobStoreUnavailable, match="S3"):
        blobs.get(digest_bytes(b"x"))
