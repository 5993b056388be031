"""The port of blob storage."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from trivet.kernel.digests import Digest
from trivet.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable
from trivet.kernel.urls import without_secrets


class BlobNotFound(NotFound):
    """No blob has this digest."""

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest

    def __str__(self) -> str:
        return f"No blob has the digest {self.digest}."


class BlobCorrupted(Conflict):
    """What is stored under a digest does not have that digest."""

    def __init__(self, digest: str, found: str) -> None:
        super().__init__(digest, found)
        self.digest = digest
        self.found = found

    def __str__(self) -> str:
        return (
            f"The blob {self.digest} is damaged: its content has the digest {self.found}. "
            "Restore it from a replica, or put the content again."
        )


class BlobStoreUnavailable(Unavailable):
    """The store did not answer, or could not carry out the request: no network, no space left."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"The blob store could not carry out the request: {self.detail}. Try again later."


class UnknownScheme(InvalidInput):
    """No installed back end serves a URL's scheme."""

    def __init__(self, url: str, installed: tuple[str, ...]) -> None:
        super().__init__(url, installed)
        self.url = url
        self.installed = installed

    def __str__(self) -> str:
        return (
            f"No back end for {without_secrets(self.url)!r}; "
            f"installed are {', '.join(self.installed)}."
        )


class BlobStore(Protocol):
    """Keeps bytes under the SHA-256 of their content, so a blob can never change.

    Every implementation promises, and `trivet.testing.BlobStoreContract` checks, that

    - a blob is there whole or not at all, also after a crash in mid-write;
    - to put what is there already costs no second copy and is no error;
    - content is checked against its digest on every read, and never returned if it differs;
    - large content streams: memory does not grow with it;
    - it may be called from several threads and processes at once.
    """

    def put(self, content: bytes | memoryview) -> Digest:
        """Store `content` and return its digest."""
        ...

    def put_chunks(self, chunks: Iterable[bytes | memoryview]) -> Digest:
        """Store the chunks laid end to end and return their digest."""
        ...

    def get(self, digest: Digest) -> bytes:
        """Return the content, or raise `BlobNotFound` or `BlobCorrupted`."""
        ...

    def chunks(self, digest: Digest) -> Iterator[bytes]:
        """Yield the content in order; `BlobCorrupted` comes after the last chunk at the latest."""
        ...

    def fetch(self, digest: Digest, to: Path) -> None:
        """Write the content to the file `to`, which appears only when it is whole and checked."""
        ...

    def size(self, digest: Digest) -> int:
        """Return the content's length in bytes, or raise `BlobNotFound`."""
        ...

    def delete(self, digest: Digest) -> None:
        """Remove the blob; nothing happens if there is none. Only garbage collection calls it."""
        ...
