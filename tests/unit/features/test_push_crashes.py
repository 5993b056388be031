"""A pusher that is killed goes on exactly where its last acknowledged push ended."""

import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from trivet.features import Aggregate, FeatureView, Rolling, compute_rows, definition_to_json
from trivet.features.newest import newest_rows
from trivet.kernel.digests import canonical_json
from trivet.storage.online.sqlite import SqliteOnlineStore

VIEW = FeatureView(
    name="by_carrier", entity=("carrier",), source="landings", event_time="at",
    rolling=(
        Rolling(name="s", column="x", function=Aggregate.SUM, window=timedelta(minutes=30)),
        Rolling(name="m", column="x", function=Aggregate.MEAN, window=timedelta(hours=3)),
    ),
    event_key=("id",),
    version=1,
)  # fmt: skip
EVENTS = 6_000
BATCH = 20

WRITER = """
import json, sys
import pyarrow as pa
from pathlib import Path
from trivet.features import Pusher, definition_from_json
from trivet.storage.online.sqlite import SqliteOnlineStore

view = definition_from_json(json.loads(sys.argv[1]), version=1)
with pa.ipc.open_file(sys.argv[2]) as file:
    events = file.read_all()
pusher = Pusher([view], SqliteOnlineStore(Path(sys.argv[3])))
for start in range(int(sys.argv[4]), events.num_rows, int(sys.argv[5])):
    pusher.push("landings", events.slice(start, int(sys.argv[5])))
    print(start, flush=True)
"""


def test_kill_9_loses_no_acknowledged_push_and_counts_none_twice(tmp_path: Path) -> None:
    rng = random.Random(7)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    events = pa.table(
        {
            "id": range(EVENTS),
            "carrier": [rng.choice("ABCD") for _ in range(EVENTS)],
            "at": [start + timedelta(seconds=20 * n - rng.randrange(100)) for n in range(EVENTS)],
            "x": [rng.randrange(100) for _ in range(EVENTS)],
        }
    )
    with pa.ipc.new_file(tmp_path / "events.arrow", events.schema) as file:
        file.write_table(events)

    next_start, kills = 0, 0
    while next_start < EVENTS:
        writer = subprocess.Popen(
            [
                sys.executable, "-c", WRITER, canonical_json(definition_to_json(VIEW)),
                str(tmp_path / "events.arrow"), str(tmp_path / "online.db"), str(next_start),
                str(BATCH),
            ],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert writer.stdout is not None
        wanted = rng.randrange(20, 120) if kills < 3 else EVENTS
        for acknowledged, line in enumerate(writer.stdout, start=1):
            next_start = int(line) + BATCH
            if acknowledged == wanted:
                writer.send_signal(signal.SIGKILL)
                kills += 1
        writer.stdout.close()
        writer.wait()

    online = SqliteOnlineStore(tmp_path / "online.db")
    expected = newest_rows(compute_rows(VIEW, events))
    assert kills == 3
    assert online.read([(VIEW.online_name, row.key) for row in expected]) == expected
    online.close()
