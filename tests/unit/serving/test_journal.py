import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trivet.kernel.ids import new_id
from trivet.serving import (
    Feedback,
    JournalFailed,
    JournalInUse,
    JournalReader,
    JournalWriter,
    Prediction,
    PredictionNotFound,
    Role,
    Status,
    find_prediction,
    find_predictions,
)
from trivet.serving.frames import decode_payload, encode_frame, whole_frames
from trivet.serving.journal import segment_paths
from trivet.testing.serving import START, SteppingClock, full_disk

times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
numbers = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | numbers | st.text()
feedbacks = st.builds(
    Feedback, prediction=st.text(), deployment=st.text(), at=times, event_at=times, outcome=numbers
)
predictions = st.builds(
    Prediction,
    id=st.text(),
    at=times,
    event_at=times,
    deployment=st.text(),
    revision=st.integers(0, 2**31),
    generation=st.integers(0, 2**63 - 1),
    role=st.sampled_from(Role),
    status=st.sampled_from(Status),
    unit=st.text(),
    inputs=st.dictionaries(st.text(), scalars),
    features=st.lists(st.none() | numbers),
    output=st.none() | numbers,
    label=st.none() | st.integers(0, 1),
    latency_ms=numbers,
    error=st.none() | st.text(),
    primary=st.none() | st.text(),
    primary_label=st.none() | st.integers(0, 1),
)


def prediction(number: int = 0) -> Prediction:
    return Prediction(
        id=f"{number:032x}",
        at=START,
        event_at=START,
        deployment="delay",
        revision=1,
        generation=1,
        role=Role.PRIMARY,
        status=Status.OK,
        unit="u",
        inputs={"x": 0.5},
        features=[0.5, None],
        output=0.5,
        label=1,
        latency_ms=0.1,
    )


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def writer(tmp_path: Path, clock: SteppingClock) -> Iterator[JournalWriter]:
    writer = JournalWriter(tmp_path / "g1", clock, segment_bytes=2_000)
    yield writer
    writer.close()


def read_all(directory: Path) -> list[str]:
    records, _ = JournalReader(directory).read({}, limit=100_000)
    return [record.id for record in records if isinstance(record, Prediction)]


@given(st.lists(predictions | feedbacks, max_size=5), st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_frames_hold_any_record_and_lose_only_what_is_torn(
    records: list[Prediction | Feedback], data: st.DataObject
) -> None:
    frames = [encode_frame(record) for record in records]
    content = b"".join(frames)
    assert [decode_payload(payload) for payload, _ in whole_frames(content)] == records
    cut = data.draw(st.integers(0, len(content)))
    ends = [sum(map(len, frames[: count + 1])) for count in range(len(frames))]
    whole = sum(end <= cut for end in ends)
    assert len(list(whole_frames(content[:cut]))) == whole


def test_a_flipped_bit_ends_the_readable_part() -> None:
    first, second = encode_frame(prediction(1)), encode_frame(prediction(2))
    damaged = bytearray(first + second)
    damaged[len(first) + 20] ^= 1
    assert len(list(whole_frames(bytes(damaged)))) == 1


def test_a_reader_goes_on_where_it_stopped_across_segments(
    tmp_path: Path, writer: JournalWriter
) -> None:
    for number in range(50):
        writer.append([prediction(number)])
    assert len(segment_paths(writer.directory)) > 2
    reader = JournalReader(tmp_path)
    position: dict[str, int] = {}
    seen: list[str] = []
    while True:
        records, position = reader.read(json.loads(json.dumps(position)), limit=7)
        if not records:
            break
        seen += [record.id for record in records if isinstance(record, Prediction)]
    assert seen == [prediction(number).id for number in range(50)]
    assert len(position) == 1
    assert reader.backlog_bytes(position) == 0
    writer.append([prediction(50)])
    assert reader.backlog_bytes(position) > 0
    (more,), _ = reader.read(position)
    assert more == prediction(50)


def test_readers_see_every_gateway(tmp_path: Path, clock: SteppingClock) -> None:
    for name in ("g1", "g2"):
        writer = JournalWriter(tmp_path / name, clock)
        writer.append([prediction(1), prediction(2)])
        writer.close()
    reader = JournalReader(tmp_path)
    records, position = reader.read({}, limit=3)
    assert len(records) == 3
    rest, position = reader.read(position)
    assert len(rest) == 1
    assert sorted(key.split("/")[0] for key in position) == ["g1", "g2"]


def test_a_reader_of_nothing_has_nothing(tmp_path: Path) -> None:
    assert JournalReader(tmp_path / "absent").read({}) == ([], {})


def test_a_torn_last_frame_waits_and_is_passed_over_once_a_new_segment_begins(
    tmp_path: Path, clock: SteppingClock
) -> None:
    writer = JournalWriter(tmp_path / "g1", clock)
    writer.append([prediction(1)])
    writer.close()
    (segment,) = segment_paths(tmp_path / "g1")
    with segment.open("ab") as file:
        file.write(encode_frame(prediction(2))[:-3])
    records, position = JournalReader(tmp_path).read({})
    assert len(records) == 1
    again = JournalWriter(tmp_path / "g1", clock)
    again.append([prediction(3)])
    again.close()
    records, _ = JournalReader(tmp_path).read(position)
    assert records == [prediction(3)]


def test_segments_are_rotated_by_age(tmp_path: Path, clock: SteppingClock) -> None:
    writer = JournalWriter(tmp_path / "g1", clock, segment_age=timedelta(hours=1))
    writer.append([prediction(1)])
    clock.now += timedelta(hours=2)
    writer.append([prediction(2)])
    writer.close()
    assert len(segment_paths(tmp_path / "g1")) == 2


def test_syncs_and_rotations_do_not_disturb_each_other(
    tmp_path: Path, clock: SteppingClock
) -> None:
    writer = JournalWriter(tmp_path / "g1", clock, segment_bytes=1)
    done = threading.Event()

    def sync() -> None:
        while not done.is_set():
            writer.sync()

    with ThreadPoolExecutor(2) as pool:
        syncing = [pool.submit(sync) for _ in range(2)]
        for number in range(200):
            writer.append([prediction(number)])
        done.set()
    assert [future.result() for future in syncing] == [None, None]
    writer.close()
    assert len(read_all(tmp_path)) == 200


def test_a_folder_has_one_writer(writer: JournalWriter, clock: SteppingClock) -> None:
    with pytest.raises(JournalInUse, match="--id"):
        JournalWriter(writer.directory, clock)


def test_a_full_disk_loses_the_whole_append_and_nothing_before_it(
    tmp_path: Path, clock: SteppingClock
) -> None:
    writer = JournalWriter(tmp_path / "g1", clock)
    writer.append([prediction(1)])
    size = len(encode_frame(prediction(1)))
    with full_disk(size * 3 + 10), pytest.raises(JournalFailed, match="acknowledged"):
        writer.append([prediction(number) for number in range(2, 9)])
    writer.append([prediction(9)])
    writer.close()
    assert read_all(tmp_path) == [prediction(1).id, prediction(9).id]


def test_a_prediction_is_found_by_its_id(tmp_path: Path, writer: JournalWriter) -> None:
    wanted = [msgspec.structs.replace(prediction(), id=new_id()) for _ in range(40)]
    for record in wanted:
        writer.append([msgspec.structs.replace(record, id=new_id(), primary=record.id), record])
    for record in wanted:
        assert find_prediction(tmp_path, record.id) == record
    ids = [record.id for record in wanted]
    assert [found.id for found in find_predictions(tmp_path, [*ids[::-1], new_id()])] == ids[::-1]
    for unknown in (new_id(), "no id at all"):
        with pytest.raises(PredictionNotFound):
            find_prediction(tmp_path, unknown)


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from trivet.kernel.clock import utc_now
from trivet.kernel.ids import new_id
from trivet.serving import JournalWriter, Prediction, Role, Status
writer = JournalWriter(Path(sys.argv[1]), utc_now, segment_bytes=20_000)
now = utc_now()
while True:
    written = Prediction(
        id=new_id(), at=now, event_at=now, deployment="d", revision=1, generation=1,
        role=Role.PRIMARY, status=Status.OK, unit="u", inputs={}, features=[], output=0.5,
        label=1, latency_ms=0.1,
    )
    writer.append([written])
    print(written.id, flush=True)
"""


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    for stop_after in (1, 150, 400):
        with subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path / "g1")], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(stop_after)]
            process.send_signal(signal.SIGKILL)
            said += process.stdout
            acknowledged += [line.decode().strip() for line in said if line.endswith(b"\n")]
    written = read_all(tmp_path)
    assert [prediction_id for prediction_id in acknowledged if prediction_id not in written] == []
    assert len(written) - len(acknowledged) <= 3
