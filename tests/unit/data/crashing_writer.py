"""Commits to a dataset without end, until somebody kills it. Started by the crash test."""

import sys

import pyarrow as pa

from trivet.data import SqlDatasetStore
from trivet.ledger import Recorder
from trivet.storage.sql import Database


def main(home: str) -> None:
    store = SqlDatasetStore(
        Database(f"sqlite:///{home}/trivet.db"), Recorder("user:crash"), f"file://{home}/tables"
    )
    number = store.resolve("orders").rows // 100
    while True:
        rows = pa.table({"id": range(number * 100, number * 100 + 100), "value": [number] * 100})
        store.commit("orders", rows, message=str(number))
        number += 1
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


main(sys.argv[1])
