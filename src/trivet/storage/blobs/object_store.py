"""Blobs in a local directory, in memory or in S3, all through `obstore`."""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, S3Store

from trivet.kernel.digests import Digest, digest_bytes
from trivet.kernel.errors import InvalidInput
from trivet.kernel.ids import new_id
from trivet.storage.blobs.store import BlobCorrupted, BlobNotFound, BlobStoreUnavailable

_CHUNK_BYTES = 4 << 20
_PART_BYTES = 8 << 20
"""What is sent at once: S3 takes no part below 5 MiB and no more than 10,000 of them."""

_STAGING = "staging"


class ObjectBlobStore:
    """Keeps blobs as objects named `sha256/ab/cd…`.

    In a local directory a blob is written under a staging name, synced to the disk and then
    renamed, so that what is acknowledged survives a power failure. A put of what is there already
    verifies the stored copy there, and replaces it if it is damaged.

    Attributes:
        root: The directory, where the store is one.
    """

    def __init__(self, store: Any, root: Path | None = None) -> None:
        self._store = store
        self.root = root

    @classmethod
    def from_url(cls, url: str, *, max_retries: int = 10) -> Self:
        """Open a store; options are query parameters: `s3://b/p?region=eu-west-1`.

        S3 takes `endpoint`, `region`, `allow_http`, `access_key_id`, `secret_access_key`,
        `virtual_hosted_style_request` and whatever else obstore's `S3Store` knows. Credentials
        may come from the usual `AWS_…` environment instead.
        """
        parts = urlsplit(url)
        if parts.scheme == "memory":
            return cls(MemoryStore())
        if parts.scheme == "file":
            root = Path(unquote(parts.path)).absolute()
            root.mkdir(parents=True, exist_ok=True)
            return cls(LocalStore(root), root)
        if parts.scheme == "s3":
            return cls(_open_s3(parts, max_retries))
        raise InvalidInput(f"{url!r} is no blob store; write 'file:///…', 'memory:' or 's3://…'.")

    def put(self, content: bytes | memoryview) -> Digest:
        digest = digest_bytes(content)
        if self._is_stored(digest, len(content)):
            return digest
        with _errors_translated():
            if self.root is None:
                obstore.put(self._store, _key(digest), content)
            else:
                staged = _staging_key()
                obstore.put(self._store, staged, content, use_multipart=False)
                self._publish(staged, digest)
        return digest

    def put_chunks(self, chunks: Iterable[bytes | memoryview]) -> Digest:
        staged = _staging_key()
        hasher = hashlib.sha256()
        size = 0
        with _errors_translated():
            writer = obstore.open_writer(self._store, staged, buffer_size=_PART_BYTES)
            for chunk in chunks:
                hasher.update(chunk)
                size += len(chunk)
                writer.write(chunk)
            writer.close()
        digest = Digest(hasher.hexdigest())
        if self._is_stored(digest, size):
            with _errors_translated():
                obstore.delete(self._store, staged)
        else:
            with _errors_translated():
                self._publish(staged, digest)
        return digest

    def get(self, digest: Digest) -> bytes:
        return b"".join(self.chunks(digest))

    def chunks(self, digest: Digest) -> Iterator[bytes]:
        hasher = hashlib.sha256()
        with _errors_translated(digest):
            for part in obstore.get(self._store, _key(digest)).stream(_CHUNK_BYTES):
                chunk = bytes(part)
                hasher.update(chunk)
                yield chunk
        if hasher.hexdigest() != digest:
            raise BlobCorrupted(digest, hasher.hexdigest())

    def fetch(self, digest: Digest, to: Path) -> None:
        partial = to.with_name(f"{to.name}.{new_id()}.partial")
        try:
            with partial.open("wb") as file:
                for chunk in self.chunks(digest):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(to)
        finally:
            partial.unlink(missing_ok=True)

    def size(self, digest: Digest) -> int:
        with _errors_translated(digest):
            return int(obstore.head(self._store, _key(digest))["size"])

    def delete(self, digest: Digest) -> None:
        with _errors_translated(digest), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, _key(digest))

    def _is_stored(self, digest: Digest, size: int) -> bool:
        try:
            if self.size(digest) != size:
                return False
            if self.root is not None:
                # Reading it back costs as much as hashing the content did, and repairs damage.
                for _chunk in self.chunks(digest):
                    pass
        except (BlobNotFound, BlobCorrupted):
            return False
        return True

    def _publish(self, staged: str, digest: Digest) -> None:
        if self.root is not None:
            _sync(self.root / staged)
        obstore.rename(self._store, staged, _key(digest))
        if self.root is not None:
            folder = (self.root / _key(digest)).parent
            for changed in (folder, folder.parent, folder.parent.parent):
                _sync(changed)


def _open_s3(parts: SplitResult, max_retries: int) -> Any:
    options: Any = dict(parse_qsl(parts.query))
    if not parts.hostname:
        raise InvalidInput("An S3 URL names a bucket: 's3://bucket/prefix'.")
    try:
        return S3Store(
            parts.hostname,
            prefix=parts.path.strip("/") or None,
            config=options,
            retry_config={"max_retries": max_retries},
        )
    except BaseError as error:
        raise InvalidInput(f"The S3 URL's options are wrong: {_first_line(error)}") from error


def _key(digest: str) -> str:
    return f"sha256/{digest[:2]}/{digest[2:]}"


def _staging_key() -> str:
    # Not an id of anything: the name is gone once the blob is published.
    return f"{_STAGING}/{new_id()}"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _errors_translated(digest: str = "") -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if digest:
            raise BlobNotFound(digest) from error
        raise BlobStoreUnavailable(_first_line(error)) from error
    except (BaseError, OSError) as error:
        raise BlobStoreUnavailable(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
