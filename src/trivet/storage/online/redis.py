"""The online store in Redis: a hash of packed rows for each view, written by one script."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit, urlunsplit

from trivet.kernel.extras import extra
from trivet.storage.online.errors import OnlineStoreUnavailable
from trivet.storage.online.packing import (
    from_microseconds,
    pack_values,
    to_microseconds,
    unpack_values,
)
from trivet.storage.online.store import OnlineRow

with extra("redis", "An online store in Redis"):
    from redis import ConnectionPool, Redis
    from redis.exceptions import RedisError

_ROWS_IN_A_SCRIPT = 1_000
_TIMES = struct.Struct(">QQ")
_SIGN = 1 << 63  # Times are kept as unsigned numbers that sort like the signed ones.

# Times are compared as four numbers of 32 bits: a Lua number holds 53 bits exactly.
_COMMIT = """
local expected, states = tonumber(ARGV[1]), tonumber(ARGV[2])
local key, arg = 0, 2
for _ = 1, expected do
  key = key + 1
  local found = redis.call('HGET', KEYS[key], ARGV[arg + 1])
  local wanted = ARGV[arg + 2]
  if wanted == '0' then
    if found then return -1 end
  elseif not found or '1' .. found ~= wanted then
    return -1
  end
  arg = arg + 2
end
for _ = 1, states do
  key = key + 1
  redis.call('HSET', KEYS[key], ARGV[arg + 1], ARGV[arg + 2])
  arg = arg + 2
end
local written = 0
while key < #KEYS do
  key = key + 1
  local field, packed = ARGV[arg + 1], ARGV[arg + 2]
  arg = arg + 2
  local old = redis.call('HGET', KEYS[key], field)
  local newer = true
  if old then
    local a = {struct.unpack('>I4I4I4I4', packed)}
    local b = {struct.unpack('>I4I4I4I4', old)}
    for part = 1, 4 do
      if a[part] ~= b[part] then newer = a[part] > b[part]; break end
    end
  end
  if newer then
    redis.call('HSET', KEYS[key], field, packed)
    written = written + 1
  end
end
return written
"""


class RedisOnlineStore:
    """Keeps the rows of a view as fields of one hash, and its states as fields of another.

    Of two writers of one row the script decides, since Redis runs one script at a time. What
    survives the death of Redis itself is for its own settings to say (AOF, RDB).
    """

    def __init__(self, url: str, *, prefix: str = "trivet") -> None:
        self.url = url
        self._prefix = prefix
        self._redis: Redis = Redis(connection_pool=ConnectionPool.from_url(url))
        self._script = self._redis.register_script(_COMMIT)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Open `redis://host:6379/0`; `?prefix=name` sets this store's keys apart."""
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        prefix = options.get("prefix", ["trivet"])[0]
        return cls(urlunsplit(parts._replace(query="")), prefix=prefix)

    def write(self, view: str, rows: Sequence[OnlineRow]) -> int:
        written = 0
        for start in range(0, len(rows), _ROWS_IN_A_SCRIPT):
            written += self._run({view: rows[start : start + _ROWS_IN_A_SCRIPT]}, {}, {})
        return written

    def commit(
        self,
        rows: Mapping[str, Sequence[OnlineRow]],
        states: Mapping[str, bytes],
        *,
        expected: Mapping[str, bytes | None],
    ) -> bool:
        return self._run(rows, states, expected) >= 0

    def read(self, wanted: Sequence[tuple[str, str]]) -> list[OnlineRow | None]:
        keys_of: dict[str, dict[str, None]] = {}
        for view, key in wanted:
            keys_of.setdefault(view, {})[key] = None
        with self._errors_translated():
            pipeline = self._redis.pipeline(transaction=False)
            for view, keys in keys_of.items():
                pipeline.hmget(self._rows_key(view), list(keys))
            answers = pipeline.execute()
        found = {
            (view, key): packed
            for (view, keys), packed_of in zip(keys_of.items(), answers, strict=True)
            for key, packed in zip(keys, packed_of, strict=True)
        }
        return [_unpack(key, found[view, key]) for view, key in wanted]

    def count(self, view: str) -> int:
        with self._errors_translated():
            return int(self._redis.hlen(self._rows_key(view)))

    def delete(self, view: str) -> None:
        with self._errors_translated():
            self._redis.delete(self._rows_key(view), self._state_key(f"{view}/"))

    def write_state(self, name: str, state: bytes) -> None:
        with self._errors_translated():
            self._redis.hset(self._state_key(name), name, state)

    def read_state(self, name: str) -> bytes | None:
        with self._errors_translated():
            state = self._redis.hget(self._state_key(name), name)
        # The pool decodes nothing; the client's types cannot know.
        return state.encode() if isinstance(state, str) else state

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
        self._redis.connection_pool.disconnect()

    def _run(
        self,
        rows: Mapping[str, Sequence[OnlineRow]],
        states: Mapping[str, bytes],
        expected: Mapping[str, bytes | None],
    ) -> int:
        keys = [self._state_key(name) for name in (*expected, *states)]
        arguments: list[Any] = [len(expected), len(states)]
        for name, state in expected.items():
            arguments += [name, b"0" if state is None else b"1" + state]
        for name, state in states.items():
            arguments += [name, state]
        for view, of_view in rows.items():
            keys += [self._rows_key(view)] * len(of_view)
            for row in of_view:
                arguments += [row.key, _pack(row)]
        with self._errors_translated():
            return int(self._script(keys=keys, args=arguments))

    def _rows_key(self, view: str) -> str:
        return f"{self._prefix}:rows:{view}"

    def _state_key(self, name: str) -> str:
        return f"{self._prefix}:states:{name.partition('/')[0]}"

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        try:
            yield
        except RedisError as error:
            raise OnlineStoreUnavailable(self.url, str(error)) from error


def _pack(row: OnlineRow) -> bytes:
    event, created = to_microseconds(row.event_at), to_microseconds(row.created_at)
    return _TIMES.pack(event + _SIGN, created + _SIGN) + pack_values(row.values)


def _unpack(key: str, packed: bytes | None) -> OnlineRow | None:
    if packed is None:
        return None
    event, created = _TIMES.unpack_from(packed)
    return OnlineRow(
        key,
        from_microseconds(event - _SIGN),
        from_microseconds(created - _SIGN),
        unpack_values(packed[_TIMES.size :]),
    )
