"""The port of pipelines: what steps once gave."""

from typing import Protocol

from trivet.kernel.digests import Digest
from trivet.pipelines.records import StepResult


class StepCache(Protocol):
    """Keeps the result of each step by its cache key.

    Every implementation promises, and `trivet.testing.StepCacheContract` checks, that

    - a result is there whole or not at all, and only once its blobs are stored;
    - a later result of the same key replaces the earlier one;
    - it may be called from several threads and processes at once.
    """

    def find(self, key: Digest) -> StepResult | None:
        """Return the result of this key, or None."""
        ...

    def put(self, result: StepResult) -> None:
        """Keep a result."""
        ...

    def forget(self, step: str | None = None) -> int:
        """Forget the results of a step, or all; return how many there were."""
        ...
