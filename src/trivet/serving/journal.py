"""The journal of a gateway: what it answered and what it was told, on disk before it says so.

A record is handed to the operating system before the answer goes out, so the death of the process
loses nothing that was answered. Feedback is synced to the disk besides, and predictions are
synced every second, so the death of the machine loses a second of predictions at most.

A gateway's folder holds segments named by number and the millisecond of their start; they are
only ever appended to. Rolling finished segments off to Parquet is not done yet.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from trivet.kernel.clock import Clock
from trivet.serving.errors import JournalFailed, JournalInUse
from trivet.serving.frames import Record, encode_frame

SEGMENT_SUFFIX = ".journal"
_SEGMENT_BYTES = 64 * 1024 * 1024
_SEGMENT_AGE = timedelta(hours=1)


def segment_paths(directory: Path) -> list[Path]:
    """Return a gateway's segments, oldest first."""
    return sorted(directory.glob(f"*{SEGMENT_SUFFIX}"))


def segment_number(path: Path) -> int:
    """Return the place of a segment among those of its gateway."""
    return int(path.name.split("-")[0])


class JournalWriter:
    """Appends frames to a gateway's newest segment; safe to call from several threads.

    It starts a segment of its own, so a frame that an earlier process tore stays at the end of
    its segment. A write that fails is cut off again, and the next one starts a new segment: after
    a failed write or sync nobody can say what is on the disk (a second sync may lie).

    Raises:
        JournalInUse: Another process writes this folder.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        *,
        segment_bytes: int = _SEGMENT_BYTES,
        segment_age: timedelta = _SEGMENT_AGE,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _take(directory)
        self.directory = directory
        self.bytes_written = 0
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._segment_age = segment_age
        self._write_lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._bytes_synced = 0
        self._descriptor: int | None = None
        self._offset = 0
        self._started_at: datetime | None = None
        self._number = max((segment_number(path) for path in segment_paths(directory)), default=0)

    def append(self, records: Iterable[Record]) -> None:
        """Hand the records to the operating system, all of them or, on an error, none.

        Raises:
            JournalFailed: The disk is full or failing.
        """
        content = b"".join([encode_frame(record) for record in records])
        with self._write_lock:
            try:
                self._write(content)
            except OSError as error:
                self._abandon_segment()
                raise JournalFailed(_words(error)) from error
            self.bytes_written += len(content)

    def sync(self) -> None:
        """Return once everything appended before the call is on the disk.

        Callers that come together share one sync: whoever waited finds its bytes synced already.
        """
        wanted = self.bytes_written
        with self._sync_lock:
            if self._bytes_synced >= wanted:
                return
            with self._write_lock:
                # A copy, since the segment may be closed by a rotation while it is synced; what
                # was in it before is synced by the rotation itself.
                mark = self.bytes_written
                descriptor = None if self._descriptor is None else os.dup(self._descriptor)
            if descriptor is not None:
                self._sync_copy(descriptor)
            self._bytes_synced = mark

    def _sync_copy(self, descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            with self._write_lock:
                self._close_segment()
            raise JournalFailed(_words(error)) from error
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Sync the segment, close it and let go of the folder; nothing may be appended then."""
        self.sync()
        with self._sync_lock, self._write_lock:
            self._close_segment()
            os.close(self._lock)

    def _write(self, content: bytes) -> None:
        descriptor = self._descriptor
        if descriptor is None or self._is_full():
            descriptor = self._start_segment()
        written = os.write(descriptor, content)
        if written < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._offset += written

    def _is_full(self) -> bool:
        if self._offset >= self._segment_bytes:
            return True
        return self._started_at is not None and (
            self._clock() - self._started_at >= self._segment_age
        )

    def _start_segment(self) -> int:
        old = self._descriptor
        if old is not None:
            os.fsync(old)
            self._close_segment()
        self._started_at = self._clock()
        self._number += 1
        milliseconds = int(self._started_at.timestamp() * 1000)
        path = self.directory / f"{self._number:010d}-{milliseconds:013d}{SEGMENT_SUFFIX}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
        self._descriptor, self._offset = os.open(path, flags, 0o600), 0
        _sync_directory(self.directory)
        return self._descriptor

    def _abandon_segment(self) -> None:
        if self._descriptor is None:
            return
        try:
            os.ftruncate(self._descriptor, self._offset)
        finally:
            self._close_segment()

    def _close_segment(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _take(directory: Path) -> int:
    """Lock the folder until the descriptor is closed or the process dies, however it dies."""
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise JournalInUse(str(directory)) from None
    return descriptor


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
