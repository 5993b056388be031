"""Push rows of a source into every version of a feature view that anybody is served from."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from trivet.features import (
    FeatureStore,
    FeatureView,
    Pusher,
    definition_from_json,
    definition_to_json,
)
from trivet.kernel.clock import Stopwatch
from trivet.kernel.errors import TrivetError
from trivet.serving.errors import BadRequest
from trivet.serving.gateway import Route
from trivet.storage.online import OnlineStore

_FRESH_SECONDS = 1.0

Routes = Callable[[], Mapping[str, Route]]


class SavedViews:
    """The definitions that were pushed into last, in a file that is replaced whole."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def load(self) -> list[FeatureView]:
        """Return the views, current versions last; none where there are none."""
        if not self._file.exists():
            return []
        found = (
            definition_from_json(value["definition"], version=value["version"])
            for value in json.loads(self._file.read_bytes())
        )
        return [view for view in found if isinstance(view, FeatureView)]

    def save(self, views: Sequence[FeatureView]) -> None:
        """Replace the file."""
        draft = self._file.with_suffix(".draft")
        values = [
            {"definition": definition_to_json(view), "version": view.version} for view in views
        ]
        draft.write_text(json.dumps(values), encoding="utf-8")
        draft.replace(self._file)


class ViewPusher:
    """Pushes into the current version of each view, and into older ones that warm models take.

    Definitions are asked for again after a second; while the feature store does not answer, those
    that are known, or were known before the last stop, serve on (I4).
    """

    def __init__(
        self,
        features: FeatureStore,
        online: OnlineStore,
        routes: Routes,
        saved: SavedViews,
        stopwatch: Stopwatch,
    ) -> None:
        self._features = features
        self._online = online
        self._routes = routes
        self._saved = saved
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._current: list[FeatureView] = []
        self._older: dict[str, FeatureView] = {}
        self._pushers: list[tuple[list[FeatureView], Pusher]] = []

    def push(self, name: str, columns: Mapping[str, Sequence[Any]]) -> dict[str, int]:
        """Push rows into the view of this name, or into every view over the dataset of this name.

        Returns:
            How many online rows each view wrote.

        Raises:
            BadRequest: A column holds values of several types.
            TrivetError: What `Pusher.push` raises.
        """
        rows = _to_table(columns)
        written: dict[str, int] = {}
        current, *older = self._fresh_pushers()
        written.update(current[1].push(name, rows))
        for views, pusher in older:
            if any(name in (view.name, view.source) for view in views):
                written.update(
                    {f"{view} (older)": count for view, count in pusher.push(name, rows).items()}
                )
        return written

    def _fresh_pushers(self) -> list[tuple[list[FeatureView], Pusher]]:
        with self._lock:
            now = self._stopwatch()
            if self._asked_at is None or now - self._asked_at >= _FRESH_SECONDS:
                self._refresh()
                self._asked_at = now
            return self._pushers

    def _refresh(self) -> None:
        try:
            current = self._features.list_views()
            served = {view.online_name for view in current}
            older = {
                name: self._older.get(name) or self._older_view(name)
                for name in _names_in_plans(self._routes())
                if name not in served
            }
        except TrivetError:
            if self._pushers:
                return
            views = self._saved.load()
            if not views:
                raise
            newest = {view.name: view for view in views}
            current = list(newest.values())
            older = {view.online_name: view for view in views if view not in current}
        if self._pushers and current == self._current and older == self._older:
            return  # A pusher holds the windows of its views in memory; it is not made anew.
        self._current, self._older = current, older
        self._saved.save([*older.values(), *current])
        self._pushers = [(current, Pusher(current, self._online))]
        self._pushers += [([view], Pusher([view], self._online)) for view in older.values()]

    def _older_view(self, online_name: str) -> FeatureView:
        name, _, version = online_name.rpartition("@")
        return self._features.get_view(name, int(version))


def _names_in_plans(routes: Mapping[str, Route]) -> set[str]:
    return {
        item["view"]
        for route in routes.values()
        for revision in route.revisions.values()
        for item in (revision.signature.plan or {}).get("inputs", ())
        if item.get("view")
    }


def _to_table(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    arrays = {}
    for name, values in columns.items():
        try:
            arrays[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise BadRequest(f"df.{name[:100]}", f"is no column ({str(error)[:100]})") from error
    return pa.table(arrays)
