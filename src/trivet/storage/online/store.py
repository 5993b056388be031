"""The port of the online store: the newest features of each entity, for serving."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OnlineRow:
    """The features of one entity in one view, as they were last known.

    Attributes:
        key: The entity's key, its parts joined by the view; unique within the view.
        event_at: When the values became true.
        created_at: When they became known; of two rows with one `event_at` the later wins.
        values: The features in the order of the view, None where one is missing.
    """

    key: str
    event_at: datetime
    created_at: datetime
    values: tuple[float | None, ...]


class OnlineStore(Protocol):
    """Keeps one row for each view and key.

    Every implementation promises, and `trivet.testing.OnlineStoreContract` checks, that

    - of two writes the row with the greater (`event_at`, `created_at`) stays, in whichever order
      they come, so late data never turns a value back, and a correction takes effect; of two
      with equal times the later write stays;
    - a write is there whole or not at all, row by row, and survives the death of the process;
    - a commit is there whole or not at all, rows and states together;
    - views do not see each other's rows; a view is named with its version: `by_carrier@3`;
    - a state whose name starts with `<view>/` belongs to the view and goes when it goes;
    - NaN is kept as missing.
    """

    def write(self, view: str, rows: Sequence[OnlineRow]) -> int:
        """Store the rows that are not older than what is there; return how many were stored."""
        ...

    def commit(
        self,
        rows: Mapping[str, Sequence[OnlineRow]],
        states: Mapping[str, bytes],
        *,
        expected: Mapping[str, bytes | None],
    ) -> bool:
        """Write the views' rows, as `write` would, and the states, in one step.

        Returns:
            False, with nothing written, where a state is not as `expected` says (None: absent).
        """
        ...

    def read(self, wanted: Sequence[tuple[str, str]]) -> list[OnlineRow | None]:
        """Return the row of each (view, key), None where there is none, in the order asked."""
        ...

    def count(self, view: str) -> int:
        """Return how many keys the view has."""
        ...

    def delete(self, view: str) -> None:
        """Remove every row and every state of the view."""
        ...

    def write_state(self, name: str, state: bytes) -> None:
        """Keep a state under a name, such as the windows of a rolling view: `by_carrier@3/…`."""
        ...

    def read_state(self, name: str) -> bytes | None:
        """Return the state kept under this name, if any."""
        ...

    def close(self) -> None:
        """Close the connections; the store cannot be used afterwards."""
        ...
