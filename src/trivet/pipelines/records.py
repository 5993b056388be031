"""The nouns of pipelines, as plain frozen values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from trivet.kernel.digests import Digest
from trivet.tracking import RunId


class StepStatus(StrEnum):
    """Where a step of a pipeline run is."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    CACHED = "cached"
    FAILED = "failed"
    LOST = "lost"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredValue:
    """A value kept by its content.

    Attributes:
        codec: How to read it back: `arrow`, `numpy`, `json`, `bytes`, `pickle`, a `tuple`,
            `list` or `dict` of others, or `reference` for what could not be stored.
        digest: The digest of the content, or of the parts' digests.
        size: Bytes in all.
        inline: The text of a small JSON value, which needs no blob.
        parts: The values a container holds, by index or key.
        type: The Python type, for a person.
    """

    codec: str
    digest: Digest
    size: int
    inline: str | None = None
    parts: tuple[tuple[str, "StoredValue"], ...] = ()
    type: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the value's record as JSON."""
        said: dict[str, Any] = {
            "codec": self.codec,
            "digest": self.digest,
            "size": self.size,
            "type": self.type,
        }
        if self.inline is not None:
            said["inline"] = self.inline
        if self.parts:
            said["parts"] = [[name, part.to_json()] for name, part in self.parts]
        return said

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "StoredValue":
        """Return the record that `to_json` wrote."""
        return cls(
            codec=said["codec"],
            digest=Digest(said["digest"]),
            size=said["size"],
            inline=said.get("inline"),
            parts=tuple((name, cls.from_json(part)) for name, part in said.get("parts", ())),
            type=said["type"],
        )

    @property
    def is_stored(self) -> bool:
        """Whether it can be read back, by another process too."""
        return self.codec != "reference" and all(part.is_stored for _, part in self.parts)

    @property
    def is_code(self) -> bool:
        """Whether reading it back runs code: a pickle, or a container of one."""
        return self.codec == "pickle" or any(part.is_code for _, part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What a step gave for one cache key.

    Attributes:
        run_id: The step's run that gave it.
        metrics: The newest metrics it logged, logged again where the result is used again.
        links: (side, ref, role) of the lineage it linked, linked again likewise.
    """

    key: Digest
    step: str
    run_id: RunId
    at: datetime
    output: StoredValue
    metrics: dict[str, float] = field(default_factory=dict)
    links: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent:
    """A step came to a status, for whoever shows progress."""

    node: str
    status: StepStatus
    number: int
    of: int
    seconds: float = 0.0


OnStep = Callable[[StepEvent], None]
