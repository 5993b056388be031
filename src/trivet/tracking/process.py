"""Which process a run lives in, and whether that process is still there."""

import os
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
_STARTED_FIELD = 19  # field 22 of /proc/<pid>/stat, counted from the state (field 3)


def this_process() -> dict[str, Any]:
    """Return what tells this process from every other one, also after a reboot."""
    pid = os.getpid()
    return {**_machine(), "pid": pid, "started": _start_of(pid)}


def is_alive(process: Mapping[str, Any]) -> bool | None:
    """Return whether the process runs, or None where that cannot be seen from here."""
    here = _machine()
    if not process or (process["host"], process["pids"]) != (here["host"], here["pids"]):
        return None
    if process["boot"] != here["boot"]:
        return False
    if not _exists(process["pid"]):
        return False
    return bool(process["started"] == _start_of(process["pid"]))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state_of(pid) != "Z"


@cache
def _machine() -> dict[str, str]:
    """Return the host, its boot, and the space its process ids count in."""
    return {
        "host": platform.node(),
        "boot": _read(_PROC / "sys/kernel/random/boot_id"),
        "pids": _link(_PROC / "self/ns/pid"),
    }


def _start_of(pid: int) -> str:
    """Return the tick a process started at, which tells it from a later one of the same id."""
    fields = _stat(pid)
    return fields[_STARTED_FIELD] if len(fields) > _STARTED_FIELD else ""


def _state_of(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else ""


def _stat(pid: int) -> list[str]:
    # The name, in brackets, may hold spaces and brackets itself.
    return _read(_PROC / str(pid) / "stat").rpartition(")")[2].split()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""  # Not Linux, or the process is gone.


def _link(file: Path) -> str:
    try:
        return str(file.readlink())
    except OSError:
        return ""
