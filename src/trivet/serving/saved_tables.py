"""The tables a gateway serves, on its own disk, so that it can start without the database (I4)."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from trivet.serving.records import RoutingTable
from trivet.serving.tables import table_from_json, table_to_json


class SavedTables:
    """Keeps the tables in one file, which is replaced whole."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = directory / "tables.json"

    def load(self) -> list[RoutingTable]:
        """Return the tables that were served last; none where there are none."""
        try:
            return [table_from_json(value) for value in json.loads(self._file.read_bytes())]
        except FileNotFoundError:
            return []

    def save(self, tables: Iterable[RoutingTable]) -> None:
        """Replace the file."""
        draft = self._file.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            json.dump([table_to_json(table) for table in tables], file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)
