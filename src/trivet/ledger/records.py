"""The nouns of the ledger, as plain frozen values."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from trivet.kernel.digests import Digest

EvidenceId = NewType("EvidenceId", str)


class Verdict(StrEnum):
    """What a judgement came to. Only PASSED is a pass; missing data never is one (I12)."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no_data"
    LEARNING = "learning"
    ERROR = "error"
    FORCED = "forced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened, recorded in the transaction of the change itself.

    `digest` covers every other field but `seq`, which the database counts.
    """

    seq: int
    id: str
    at: datetime
    actor: str
    kind: str
    subject: str
    generation: int | None
    payload: dict[str, Any]
    digest: Digest
    seal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`to_ref` came of `from_ref`, which played `role` in it. Both are refs with a version."""

    from_ref: str
    to_ref: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A judgement with its inputs, its numbers and its verdict; it never changes.

    Attributes:
        kind: What judged: `contract`, `gate`, `analysis`, `approval`, `drift`, `force` …
        subject: The ref that was judged.
        summary: One sentence for a person.
        inputs: The refs and settings the judgement was made from.
        numbers: What was measured, by name, with bounds where there are any.
    """

    id: EvidenceId
    at: datetime
    actor: str
    kind: str
    subject: str
    verdict: Verdict
    summary: str
    inputs: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A link of the hash chain: it covers facts and the seal before it."""

    number: int
    at: datetime
    facts: int
    previous: Digest
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What recomputing the chain found; `problems` is empty where all is as it was sealed."""

    facts: int
    seals: int
    unsealed: int
    problems: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right of `holder` to act as `name` until `expires_at`.

    `fence` grows each time the lease changes hands; a write that carries an older one is refused.
    """

    name: str
    holder: str
    fence: int
    expires_at: datetime
