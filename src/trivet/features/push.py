"""Push source rows into feature views: the newest online values, kept up as events come in."""

import threading
from collections.abc import Iterable, Mapping

import pyarrow as pa

from trivet.features.definitions import FeatureView
from trivet.features.errors import FeatureViewNotFound
from trivet.features.events import PushedRows
from trivet.features.newest import newest_rows
from trivet.features.push_state import ViewState
from trivet.features.rows import compute_rows, select_source
from trivet.kernel.errors import Unavailable
from trivet.storage.online import OnlineRow, OnlineStore
from trivet.storage.online.packing import from_microseconds

_TRIES = 10


class PushContended(Unavailable):
    """Other writers pushed into the same view every time this one tried."""

    def __init__(self, view: str) -> None:
        super().__init__(view)
        self.view = view

    def __str__(self) -> str:
        return f"Too many writers push into {self.view!r} at once; nothing was pushed, try again."


class Pusher:
    """Pushes source rows into views; safe to share by threads, and among processes.

    After any sequence of pushes, each entity's online row is the newest row that `view_rows`
    gives for all that was pushed:

    - Rows known late, or out of order, are put where they belong in the windows; the row at the
      newest moment is written again with them in it. Rows that left every window change nothing.
    - A row pushed again is counted once, and a corrected row replaces the earlier, if the view
      has an `event_key`; without one, a caller that repeats a push counts its rows twice. A
      correction that makes the entity's newest event earlier, or gives it to another entity,
      leaves the old online row in place until a newer event comes.
    - A view of columns or SQL takes the pushed rows alone: its SQL sees no others.

    A push is one commit of the online store, values and windows together, so a process that
    starts again goes on exactly, and of two that push at once neither loses what the other did.
    """

    def __init__(self, views: Iterable[FeatureView], online: OnlineStore) -> None:
        self._views = {view.name: view for view in views}
        self._online = online
        self._states: dict[str, ViewState] = {}
        self._lock = threading.Lock()

    def push(self, name: str, rows: pa.Table) -> dict[str, int]:
        """Push rows into the view of this name, or into every view over the source of this name.

        Returns:
            How many online rows each view wrote.

        Raises:
            FeatureViewNotFound: Neither a view nor a view's source has the name.
            ColumnMissing: The rows lack a column that a view needs; nothing was pushed.
            PushContended: Others pushed at the same time, again and again; nothing was pushed.
        """
        views = self._named(name)
        with self._lock:
            for _ in range(_TRIES):
                written = self._try(views, rows)
                if written is not None:
                    return written
        raise PushContended(name)

    def _named(self, name: str) -> list[FeatureView]:
        if name in self._views:
            return [self._views[name]]
        views = [view for view in self._views.values() if view.source == name]
        if not views:
            raise FeatureViewNotFound(name)
        return views

    def _try(self, views: list[FeatureView], rows: pa.Table) -> dict[str, int] | None:
        """Push once; return None, the states forgotten, if somebody else pushed in between."""
        written: dict[str, list[OnlineRow]] = {}
        states: dict[str, bytes] = {}
        expected: dict[str, bytes | None] = {}
        done = False
        try:
            chosen: dict[str | None, PushedRows] = {}
            for view in views:
                if not view.rolling:
                    written[view.online_name] = newest_rows(compute_rows(view, rows))
                    continue
                if view.where not in chosen:
                    chosen[view.where] = PushedRows(select_source(view, rows))
                state = self._state(view)
                expected[state.head_name] = state.stored_head
                of_view, changed = _push_rolling(state, chosen[view.where])
                written[view.online_name] = of_view
                states |= changed
            done = self._online.commit(written, states, expected=expected)
        finally:
            if not done:
                # What is in memory ran ahead of what is stored.
                self._states.clear()
        if not done:
            return None
        return {view.name: len(written[view.online_name]) for view in views}

    def _state(self, view: FeatureView) -> ViewState:
        state = self._states.get(view.online_name)
        if state is None:
            state = self._states[view.online_name] = ViewState(view, self._online)
        return state


def _push_rolling(
    state: ViewState, rows: PushedRows
) -> tuple[list[OnlineRow], Mapping[str, bytes]]:
    events = rows.events(state.view)
    touched = state.add(events)
    changed = state.after_push(events) if events else {}
    return online_rows(state, touched), changed


def online_rows(state: ViewState, keys: Iterable[str]) -> list[OnlineRow]:
    """Return the newest rows of some entities, from their windows."""
    found = []
    for key in keys:
        windows = state.windows[key]
        if windows.newest is not None:
            at = from_microseconds(windows.newest)
            found.append(OnlineRow(key, at, at, windows.features()))
    return found
