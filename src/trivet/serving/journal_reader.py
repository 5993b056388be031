"""Read the journals of all gateways: from a position on, or one prediction by its id."""

import itertools
import mmap
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from trivet.serving.errors import PredictionNotFound
from trivet.serving.frames import MAX_PAYLOAD_BYTES, Record, decode_payload, whole_frames
from trivet.serving.journal import segment_number, segment_paths
from trivet.serving.records import Prediction

Position = dict[str, int]
"""How far a reader came: for each gateway, `<gateway>/<segment>` and the offset in it. JSON."""

_CHUNK_BYTES = 2 * MAX_PAYLOAD_BYTES
_CLOCK_SLACK_MILLISECONDS = 5 * 60 * 1000


class JournalReader:
    """Reads every gateway's journal below one folder, each in the order it was written.

    Across gateways there is no order: feedback may be read before its prediction. A frame that is
    being written, or was torn when a gateway died, is left: in the newest segment it may become
    whole, in an older one it never was acknowledged.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, position: Position, limit: int = 10_000) -> tuple[list[Record], Position]:
        """Return up to `limit` records after `position`, and the position after them.

        Start with `{}`. No records means that there are none yet.
        """
        records: list[Record] = []
        after: Position = {}
        for gateway in _gateways(self._directory):
            room = limit - len(records)
            at = _place(position, gateway.name)
            found, place = _read_gateway(gateway, at, room) if room else ([], at)
            records += found
            if place is not None:
                after[f"{gateway.name}/{place[0]}"] = place[1]
        return records, after

    def backlog_bytes(self, position: Position) -> int:
        """Return how much there is after `position`, whole frames and torn ones alike."""
        return sum(
            path.stat().st_size - offset
            for gateway in _gateways(self._directory)
            for path, offset in _unread(gateway, _place(position, gateway.name))
        )


def find_prediction(directory: Path, prediction_id: str) -> Prediction:
    """Return the prediction with this id from the journals below `directory`.

    The id says when it was made, so a segment or two are searched; all of them if that fails.

    Raises:
        PredictionNotFound: No journal holds it.
    """
    near, far = _by_likelihood(directory, prediction_id)
    for path in (*near, *far):
        found = _find_in_segment(path, prediction_id)
        if found is not None:
            return found
    raise PredictionNotFound(prediction_id)


def find_predictions(directory: Path, ids: Sequence[str]) -> list[Prediction]:
    """Return those of the predictions that the journals still hold, in the order of `ids`.

    Each segment is read once at most, whatever the number of ids, those first that their times
    point to.
    """
    found: dict[str, Prediction] = {}
    places = [_by_likelihood(directory, one) for one in ids]
    near = (path for paths, _ in places for path in paths)
    far = (path for _, paths in places for path in paths)
    for path in dict.fromkeys((*near, *far)):
        missing = {one for one in ids if one not in found}
        found |= {prediction.id: prediction for prediction in _find_all(path, missing)}
    return [found[one] for one in ids if one in found]


_Place = tuple[str, int]
"""The name of a segment and an offset in it."""


def _gateways(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.is_dir())


def _place(position: Position, gateway: str) -> _Place | None:
    for key, offset in position.items():
        name, _, segment = key.rpartition("/")
        if name == gateway:
            return segment, offset
    return None


def _unread(gateway: Path, place: _Place | None) -> Iterator[tuple[Path, int]]:
    for path in segment_paths(gateway):
        if place is None or path.name > place[0]:
            yield path, 0
        elif path.name == place[0]:
            yield path, place[1]


def _read_gateway(
    gateway: Path, place: _Place | None, limit: int
) -> tuple[list[Record], _Place | None]:
    records: list[Record] = []
    for path, start in _unread(gateway, place):
        offset = start
        for payload, following in itertools.islice(_frames(path, start), limit - len(records)):
            records.append(decode_payload(payload))
            offset = following
        place = (path.name, offset)
        if len(records) == limit:
            break
    return records, place


def _frames(path: Path, offset: int) -> Iterator[tuple[bytes, int]]:
    """Yield (payload, offset of the next frame) from `offset` on, a chunk in memory at a time."""
    with path.open("rb") as file:
        while True:
            file.seek(offset)
            chunk, start = file.read(_CHUNK_BYTES), offset
            for payload, following in whole_frames(chunk):
                offset = start + following
                yield payload, offset
            if offset == start or len(chunk) < _CHUNK_BYTES:
                return


def _by_likelihood(directory: Path, prediction_id: str) -> tuple[list[Path], list[Path]]:
    try:
        made = int(prediction_id[:12], 16)
    except ValueError:
        raise PredictionNotFound(prediction_id) from None
    near: list[Path] = []
    far: list[Path] = []
    for gateway in _gateways(directory):
        paths = segment_paths(gateway)
        starts = [_start_milliseconds(path) for path in paths]
        ends = [*starts[1:], float("inf")]
        for path, start, end in zip(paths, starts, ends, strict=True):
            slack = _CLOCK_SLACK_MILLISECONDS
            (near if start - slack <= made <= end + slack else far).append(path)
    return near, sorted(far, key=segment_number, reverse=True)


def _start_milliseconds(path: Path) -> int:
    return int(path.stem.split("-")[1])


def _find_all(path: Path, ids: Set[str]) -> Iterator[Prediction]:
    missing = _held(path, {one.encode() for one in ids})
    for payload, _ in _frames(path, 0):
        if not missing:
            return
        if any(one in payload for one in missing):
            record = decode_payload(payload)
            if isinstance(record, Prediction) and record.id.encode() in missing:
                missing.remove(record.id.encode())
                yield record


def _held(path: Path, wanted: Set[bytes]) -> set[bytes]:
    """Return those of the texts that occur in the file."""
    if not wanted or path.stat().st_size == 0:
        return set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return {one for one in wanted if content.find(one) >= 0}


def _find_in_segment(path: Path, prediction_id: str) -> Prediction | None:
    wanted = prediction_id.encode()
    if path.stat().st_size == 0:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(wanted) < 0:
            return None
        whole = content[:]
    for payload, _ in whole_frames(whole):
        if wanted in payload:
            record = decode_payload(payload)
            if isinstance(record, Prediction) and record.id == prediction_id:
                return record
    return None
