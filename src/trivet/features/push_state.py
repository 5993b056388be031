"""The windows of a rolling view as they are kept in the online store, to go on from after a stop.

A snapshot holds every event the windows hold; a journal has what each push since then added. A
head says which snapshot and how many journal entries count; it changes with every push, so that
a writer who did not see the last push finds out (`OnlineStore.commit` with `expected`). When the
journal outgrows the snapshot a new snapshot takes over, so keeping the state costs a push no
more than a few times its own size, however large the windows are.
"""

from collections.abc import Iterable

import msgspec

from trivet.features.definitions import FeatureView
from trivet.features.windows import EntityWindows, Event, WindowShape
from trivet.storage.online import OnlineStore

_LEAST_JOURNAL_BYTES = 256 * 1024


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """Counts pushes; `snapshot` is the push of the snapshot, `entries` are the pushes since."""

    push: int = 0
    snapshot: int = 0
    entries: int = 0


class _Snapshot(msgspec.Struct, frozen=True, array_like=True):
    push: int
    entities: list[tuple[str, list[Event]]]


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    push: int
    events: list[tuple[str, Event]]


_encoder = msgspec.msgpack.Encoder()
_decode_head = msgspec.msgpack.Decoder(_Head).decode
_decode_snapshot = msgspec.msgpack.Decoder(_Snapshot).decode
_decode_entry = msgspec.msgpack.Decoder(_Entry).decode


class ViewState:
    """The windows of every entity of one rolling view, as of the last push that was committed."""

    def __init__(self, view: FeatureView, online: OnlineStore) -> None:
        self.view = view
        self.shape = WindowShape(view)
        self.windows: dict[str, EntityWindows] = {}
        self._name = f"{view.online_name}/push"
        self._head = _Head()
        self._journal_bytes = 0
        self._snapshot_bytes = 0
        self.stored_head = online.read_state(self._name)
        if self.stored_head is not None:
            self._load(online)

    @property
    def head_name(self) -> str:
        """The name of the state that changes with every push."""
        return self._name

    def add(self, events: Iterable[tuple[str, Event]]) -> set[str]:
        """Take events in and return the keys of the entities they were of."""
        touched = set()
        for key, event in events:
            windows = self.windows.get(key)
            if windows is None:
                windows = self.windows[key] = EntityWindows(self.shape)
            windows.add(event)
            touched.add(key)
        return touched

    def after_push(self, events: list[tuple[str, Event]]) -> dict[str, bytes]:
        """Return the states that make `events`, which were added, part of what is kept."""
        push = self._head.push + 1
        entry = _encoder.encode(_Entry(push, events))
        if self._journal_bytes + len(entry) > max(_LEAST_JOURNAL_BYTES, self._snapshot_bytes):
            return self.after_change()
        self._journal_bytes += len(entry)
        entries = self._head.entries
        self._head = _Head(push, self._head.snapshot, entries + 1)
        return {**self._encoded_head(), f"{self._name}/{entries}": entry}

    def after_change(self) -> dict[str, bytes]:
        """Return the states that keep the windows as they stand, with an empty journal."""
        push = self._head.push + 1
        entities = [(key, windows.events()) for key, windows in self.windows.items()]
        snapshot = _encoder.encode(_Snapshot(push, entities))
        self._snapshot_bytes, self._journal_bytes = len(snapshot), 0
        self._head = _Head(push, push, 0)
        return {**self._encoded_head(), f"{self._name}/snapshot": snapshot}

    def _encoded_head(self) -> dict[str, bytes]:
        self.stored_head = _encoder.encode(self._head)
        return {self._name: self.stored_head}

    def _load(self, online: OnlineStore) -> None:
        self._head = _decode_head(self.stored_head or b"")
        if self._head.snapshot:
            stored = online.read_state(f"{self._name}/snapshot") or b""
            self._snapshot_bytes = len(stored)
            for key, events in _decode_snapshot(stored).entities:
                self.add((key, event) for event in events)
        for number in range(self._head.entries):
            stored = online.read_state(f"{self._name}/{number}") or b""
            self._journal_bytes += len(stored)
            self.add(_decode_entry(stored).events)
