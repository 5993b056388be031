"""Capture code and environment at the start of a run, without being asked."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trivet.kernel.digests import Digest, canonical_json
from trivet.storage.blobs.store import BlobStore
from trivet.tracking.code_state import describe_code, read_code
from trivet.tracking.environment import read_environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What a run keeps of its code, and the digest of its environment's blob."""

    code: dict[str, Any]
    environment: Digest

    def with_code(self, **more: Any) -> "Captured":
        """Return the same with more said of the code."""
        return replace(self, code=self.code | more)


def capture(
    blobs: BlobStore,
    *,
    entry_point: str | None = None,
    folder: Path | None = None,
    ignored: Path | None = None,
) -> Captured:
    """Return code and environment as they are at this moment.

    Args:
        blobs: Where the uncommitted difference and the environment are kept.
        entry_point: What was started; the script by default.
        folder: Where the code lies; the working folder by default.
        ignored: A folder to leave out, such as the home.
    """
    where = folder or Path.cwd()
    started = entry_point or (Path(sys.argv[0]).name if sys.argv else "")
    return Captured(
        code=describe_code(blobs, read_code(where, ignored), started),
        environment=blobs.put(canonical_json(read_environment(where)).encode()),
    )
