"""Compare runs: what differs in params, metrics, data, code and environment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trivet.tracking.records import Run, RunData


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that was compared: its value in each run, in the order of the runs."""

    part: str
    name: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs do not agree; NaN agrees with NaN."""
        return len({repr(value) for value in self.values}) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A run with all that a comparison looks at; `data` are the refs it came of."""

    run: Run
    logged: RunData
    inputs: tuple[str, ...]
    environment: dict[str, Any]


def compare_runs(runs: Sequence[Compared]) -> list[Row]:
    """Return a row for each thing that any of the runs has, None where one lacks it."""
    parts: dict[str, list[dict[str, Any]]] = {
        "param": [dict(one.logged.params) for one in runs],
        "metric": [dict(one.logged.metrics) for one in runs],
        "tag": [dict(one.logged.tags) for one in runs],
        "data": [_data(one.inputs) for one in runs],
        "code": [_code(one.run) for one in runs],
        "environment": [_environment(one.environment) for one in runs],
    }
    return [
        Row(part=part, name=name, values=tuple(each.get(name) for each in found))
        for part, found in parts.items()
        for name in sorted({name for each in found for name in each})
    ]


def _data(inputs: Sequence[str]) -> dict[str, Any]:
    """Return versions by what they are versions of."""
    found: dict[str, list[str]] = {}
    for ref in inputs:
        thing, _, version = ref.partition("@")
        found.setdefault(thing, []).append(version)
    return {thing: ", ".join(sorted(versions)) for thing, versions in found.items()}


def _code(run: Run) -> dict[str, Any]:
    code = {name: run.code.get(name) for name in ("commit", "diff", "entry_point")}
    sources: dict[str, str] = run.code.get("sources") or {}
    return code | {f"source {name}": digest for name, digest in sources.items()}


def _environment(environment: dict[str, Any]) -> dict[str, Any]:
    """Return one line for each package and each fact of Python, system and machine."""
    lines = {
        name: str(package["version"]) for name, package in environment.get("packages", {}).items()
    }
    for part in ("python", "os", "cpu"):
        lines |= {
            f"{part} {name}": str(value) for name, value in environment.get(part, {}).items()
        }
    return lines
