"""Ids that are never used again: UUID version 7, so that they sort by the time they were made."""

import random
import threading
from collections.abc import Callable

from trivet.kernel.clock import Clock, utc_now

NewId = Callable[[], str]
"""Returns an id that no call returned before: 32 lower-case hexadecimal digits."""

_COUNTER_BITS = 12
_RANDOM_BITS = 62


class Uuid7:
    """Makes UUIDv7 ids (RFC 9562 §5.7) from a clock and a random generator.

    Ids of one maker ascend, also within a millisecond and when the clock goes back: the 12 bits
    after the time are a counter (RFC 9562 §6.2, method 1). Safe to call from several threads.
    """

    def __init__(self, clock: Clock = utc_now, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng = rng or random.SystemRandom()
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> str:
        with self._lock:
            ticks = int(self._clock().timestamp() * 1000) << _COUNTER_BITS
            self._last = max(self._last + 1, ticks)
            milliseconds, counter = divmod(self._last, 1 << _COUNTER_BITS)
            tail = self._rng.getrandbits(_RANDOM_BITS)
        number = milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << _RANDOM_BITS | tail
        return f"{number:032x}"


new_id: NewId = Uuid7()
"""The default maker of ids; tests hand in one with a fixed clock and a seeded generator."""
