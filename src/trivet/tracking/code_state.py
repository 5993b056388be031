"""What code runs: the Git commit, and what differs from it, without being asked."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trivet.storage.blobs.store import BlobStore

_FILE_BYTES = 1 << 20
_ALL_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeState:
    """A Git commit and the text of what differs from it; both None outside a repository."""

    commit: str | None
    diff: bytes | None


def read_code(folder: Path, ignored: Path | None = None) -> CodeState:
    """Return the state of the repository that `folder` is in.

    The difference is the patch of tracked files, then every untracked file that is not ignored:
    its content up to 1 MiB, its size and time above that. What lies in `ignored` is left out.
    """
    commands = (
        ("rev-parse", "--show-toplevel", "HEAD"),
        ("diff", "HEAD", "--binary", "--no-color", "--no-ext-diff"),
        ("ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/"),
    )
    where, patch, others = _git_all(folder, commands)
    if where is None:
        return CodeState(commit=None, diff=None)
    top, _, commit = where.decode(errors="replace").strip().partition("\n")
    root = Path(top)
    names = sorted(name for name in (others or b"").decode(errors="replace").split("\0") if name)
    left_out = None if ignored is None else ignored.resolve()
    files = [
        root / name
        for name in names
        if left_out is None or left_out not in (root / name).resolve().parents
    ]
    diff = (patch or b"") + _untracked(root, files)
    return CodeState(commit=commit or None, diff=diff or None)


def describe_code(blobs: BlobStore, state: CodeState, entry_point: str) -> dict[str, Any]:
    """Return what a run's record says of its code; the difference is kept as a blob."""
    return {
        "commit": state.commit,
        "diff": None if state.diff is None else blobs.put(state.diff),
        "entry_point": entry_point,
        "argv": [Path(sys.argv[0]).name, *sys.argv[1:]] if sys.argv else [],
    }


def _git_all(folder: Path, commands: Sequence[Sequence[str]]) -> list[bytes | None]:
    """Run Git's commands side by side; None for one that failed, or without Git."""
    try:
        running = [
            subprocess.Popen(  # noqa: S603 - fixed arguments, no shell
                ["git", "-C", str(folder), *command],  # noqa: S607 - the user's own Git
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            for command in commands
        ]
    except OSError:
        return [None] * len(commands)
    outputs = [process.communicate()[0] for process in running]
    return [
        output if process.returncode == 0 else None
        for process, output in zip(running, outputs, strict=True)
    ]


def _untracked(root: Path, files: Sequence[Path]) -> bytes:
    parts = []
    room = _ALL_BYTES
    for file in files:
        try:
            state = file.stat()
            small = state.st_size <= min(_FILE_BYTES, room)
            content = file.read_bytes() if small else f"changed {state.st_mtime_ns}".encode()
        except OSError:
            continue  # It is gone, or a broken link.
        room -= len(content)
        head = f"\nuntracked {file.relative_to(root)} {state.st_size}\n"
        parts += [head.encode(errors="replace"), content]
    return b"".join(parts)
