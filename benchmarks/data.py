"""Commits of all 336,776 flights and of 100 changed ones, beside bare Lance and bare Parquet.

Bare, a table is written and no more: no key is checked, no row digested, nothing recorded.
"""

import tempfile
from itertools import count
from pathlib import Path

import lance
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.figures import Figure, ratio, timed
from trivet.app import App
from trivet.current import use
from trivet.data import diff_commits
from trivet.demo.source import load_tables
from trivet.settings import Settings
from trivet.workbench import commit

_KEY, _TIME = "flight_id", "scheduled_at"


def measure() -> list[Figure]:
    """Time commits, a read and a diff."""
    flights = load_tables().flights
    number = count()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with App.open(Settings(home=folder / "home")) as app:
            use(app)

            def whole() -> None:
                commit(f"flights-{next(number)}", flights, key=_KEY, event_time=_TIME)

            first = timed("first commit of 336,776 rows", whole, unit="s", repeats=3)
            bare = timed(
                "the same rows, bare Lance",
                lambda: lance.write_dataset(flights, folder / f"bare-{next(number)}"),
                unit="s",
                repeats=3,
            )
            parquet = timed(
                "the same rows, bare Parquet (pyarrow, snappy)",
                lambda: pq.write_table(flights, folder / "bare.parquet"),
                unit="s",
                repeats=3,
            )
            figures = [first, bare, ratio(first, bare), parquet, ratio(first, parquet)]
            return figures + _changes(app, flights, folder)


def _changes(app: App, flights: pa.Table, folder: Path) -> list[Figure]:
    base = commit("flights", flights, key=_KEY, event_time=_TIME)
    part = flights.slice(100_000, 100)
    delays = part.column_names.index("arr_delay")
    number = count(1)

    def changed() -> pa.Table:
        column = pc.add(pc.fill_null(part["arr_delay"], 0), next(number))
        column = column.cast(part.schema.field("arr_delay").type)
        return part.set_column(delays, part.schema.field("arr_delay"), column)

    small = timed(
        "commit of 100 changed rows among 336,776",
        lambda: commit("flights", changed(), key=_KEY, event_time=_TIME),
    )
    lance.write_dataset(flights, folder / "merged")

    def merge() -> None:
        found = lance.dataset(folder / "merged").merge_insert(_KEY)
        found.when_matched_update_all().when_not_matched_insert_all().execute(changed())

    bare = timed("the same rows, bare Lance merge_insert", merge)
    head = app.datasets.resolve("flights")
    return [
        small,
        bare,
        ratio(small, bare),
        timed("diff of two commits that 100 rows differ in", lambda: _diff(app, base.id, head.id)),
        timed("read of 336,776 rows at a commit", lambda: app.datasets.read("flights", head.id)),
    ]


def _diff(app: App, old: str, new: str) -> None:
    diff_commits(app.datasets, "flights", old, new)
