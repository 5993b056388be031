"""What a run runs on: Python, the packages with the hashes of their files, system and machine."""

import hashlib
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "requirements.lock", "requirements.txt")


@cache
def read_environment(folder: Path) -> dict[str, Any]:
    """Return the environment of this process as JSON; `folder` is where a lock file may lie.

    Nothing in it names the machine, a path or a user, so equal environments are equal texts.
    A package's hash is that of its RECORD, which lists the hash of every file it installed.
    """
    return {
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
        },
        "packages": _packages(),
        "os": {"system": platform.system(), "release": platform.release()},
        "cpu": {
            "architecture": platform.machine(),
            "model": _cpu_model(),
            "count": os.cpu_count(),
        },
        "lock": _lock(folder),
    }


def compare_environments(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return a line for each thing that differs, such as 'numpy: 2.3.1 then, 2.4.0 now'."""
    lines = []
    packages_then, packages_now = then["packages"], now["packages"]
    for name in sorted({*packages_then, *packages_now}):
        one, two = packages_then.get(name), packages_now.get(name)
        if one != two:
            lines.append(f"{name}: {_worded(one)} then, {_worded(two)} now")
    for part in ("python", "os", "cpu"):
        lines += [
            f"{part} {name}: {then[part].get(name)} then, {now[part].get(name)} now"
            for name in sorted({*then[part], *now[part]})
            if then[part].get(name) != now[part].get(name)
        ]
    if then["lock"] != now["lock"]:
        lines.append("the lock file differs")
    return lines


def _worded(package: dict[str, str | None] | None) -> str:
    if package is None:
        return "not there"
    record = package["record"]
    return f"{package['version']} ({'no record' if record is None else record[:8]})"


def _packages() -> dict[str, dict[str, str | None]]:
    """Return name → version and hash of the RECORD, of the first of each name on the path."""
    found: dict[str, dict[str, str | None]] = {}
    for place in sys.path:
        if not place or not place.endswith(("site-packages", "dist-packages")):
            continue
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            stem, dot, kind = entry.name.rpartition(".")
            if dot and kind == "dist-info":
                name, _, version = stem.partition("-")
                record = _file_digest(Path(entry.path) / "RECORD")
                found.setdefault(name.lower(), {"version": version, "record": record})
    return dict(sorted(found.items()))


def _lock(folder: Path) -> str | None:
    for name in _LOCKS:
        digest = _file_digest(folder / name)
        if digest is not None:
            return digest
    return None


def _file_digest(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
