"""A gateway's own copy of the artifacts it serves, so that it needs the blob store only once."""

from collections.abc import Callable
from pathlib import Path

from trivet.kernel.digests import Digest, digest_bytes
from trivet.storage.blobs import BlobStore


class ArtifactCache:
    """Keeps blobs as files named by digest; each is checked whenever it is read (I1).

    The blob store is opened when something is wanted that is not here.
    """

    def __init__(self, open_blobs: Callable[[], BlobStore], directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._open_blobs = open_blobs
        self._directory = directory

    def get(self, digest: str) -> bytes:
        """Return the blob, from the blob store where the copy is absent or damaged."""
        path = self._directory / digest
        if path.is_file():
            content = path.read_bytes()
            if digest_bytes(content) == digest:
                return content
            path.unlink()
        self._open_blobs().fetch(Digest(digest), path)
        return path.read_bytes()

    def keep_only(self, digests: set[str]) -> None:
        """Remove the copies of all other blobs."""
        for path in self._directory.iterdir():
            if path.name not in digests:
                path.unlink(missing_ok=True)
