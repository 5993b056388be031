"""Entity keys: one text for one entity, alike from a request, a pushed row and a table.

The parts are written as text (whole numbers without a point, so that 5 and 5.0 are one entity;
times in ISO 8601, in UTC) and joined by U+001F, which no part may hold. An entity with a null
part has no key, and matches nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.features.errors import ColumnMissing, ColumnUnusable
from trivet.kernel.errors import InvalidInput

SEPARATOR = "\x1f"


def key_part(value: object) -> str | None:
    """Return one part of a key as text, or None where it is missing.

    Raises:
        TypeError: The value is no text, number, bool or time, or holds the separator.
    """
    if type(value) is str:
        if SEPARATOR in value:
            raise TypeError("text with U+001F")
        return value
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, date):
        return _time_text(value)
    raise TypeError(type(value).__name__)


def _number_text(number: float) -> str | None:
    if isinstance(number, int):
        return str(number)
    if math.isnan(number):
        return None
    return str(int(number)) if number.is_integer() else str(number)


def _time_text(at: date) -> str:
    if isinstance(at, datetime) and at.tzinfo is not None:
        return at.astimezone(UTC).isoformat()
    return at.isoformat()


def entity_key(parts: Sequence[object]) -> str | None:
    r"""Return the key of an entity, or None where a part is missing.

    Example:
        >>> entity_key(("EWR", 5.0)) == entity_key(("EWR", 5)) == "EWR\x1f5"
        True
    """
    texts = []
    for part in parts:
        text = key_part(part)
        if text is None:
            return None
        texts.append(text)
    return SEPARATOR.join(texts)


@dataclass(frozen=True, slots=True)
class EntityCodes:
    """The entities of a table as numbers 0, 1, …: a code for each row, and each code's key.

    Attributes:
        codes: Shape (rows,), -1 where a part is null.
        keys: The key of each code.
    """

    codes: NDArray[np.int64]
    keys: list[str]

    @classmethod
    def of(cls, table: pa.Table, columns: Sequence[str], what: str) -> Self:
        """Return the codes of the table's rows by the entity's columns."""
        parts = [_part_codes(table, column, what) for column in columns]
        return cls(*(parts[0] if len(parts) == 1 else _joined(parts)))

    def take(self, places: NDArray[np.int64]) -> Self:
        """Return the codes of some of the rows."""
        return replace(self, codes=self.codes[places])

    def matched(self, table: pa.Table, columns: Sequence[str], what: str) -> NDArray[np.int64]:
        """Return this object's codes for the rows of another table, -1 for a stranger."""
        other = EntityCodes.of(table, columns, what)
        code_of = {key: code for code, key in enumerate(self.keys)}
        mapping = np.array([code_of.get(key, -1) for key in other.keys] + [-1], np.int64)
        return mapping[other.codes]


def row_keys(table: pa.Table, columns: Sequence[str], what: str) -> list[str | None]:
    """Return the key of each row, None where a part is null; for a few rows at a time."""
    parts = []
    for column in columns:
        if column not in table.column_names:
            raise ColumnMissing(what, column, tuple(table.column_names))
        parts.append(_texts(table.column(column), column, what))
    if len(parts) == 1:
        return parts[0]
    return [None if None in texts else SEPARATOR.join(texts) for texts in zip(*parts, strict=True)]


def _part_codes(table: pa.Table, column: str, what: str) -> tuple[NDArray[np.int64], list[str]]:
    if column not in table.column_names:
        raise ColumnMissing(what, column, tuple(table.column_names))
    encoded = table.column(column).combine_chunks()
    if pa.types.is_nested(encoded.type):
        raise ColumnUnusable(what, column, "texts or numbers to be a key", str(encoded.type))
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    texts = _texts(encoded.dictionary, column, what)
    codes = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    # Two values may have one text (5 and 5.0 never meet in a column, but -0.0 and 0.0 do).
    keys = list(dict.fromkeys(text for text in texts if text is not None))
    place = {key: code for code, key in enumerate(keys)}
    mapping = np.array([-1 if t is None else place[t] for t in texts] + [-1], np.int64)
    return mapping[codes], keys


def _texts(values: pa.Array | pa.ChunkedArray, column: str, what: str) -> list[str | None]:
    if pa.types.is_integer(values.type) and values.null_count == 0:
        return list(map(str, values.to_pylist()))
    try:
        return [key_part(value) for value in values.to_pylist()]
    except (TypeError, ValueError, OverflowError):
        raise ColumnUnusable(
            what, column, "texts (without U+001F), numbers or times to be a key", str(values.type)
        ) from None


def _joined(
    parts: Sequence[tuple[NDArray[np.int64], list[str]]],
) -> tuple[NDArray[np.int64], list[str]]:
    joined, keys = parts[0]
    for codes, texts in parts[1:]:
        both = np.where((joined < 0) | (codes < 0), -1, joined * len(texts) + codes)
        present, joined = np.unique(both, return_inverse=True)
        if len(present) and present[0] == -1:
            present, joined = present[1:], joined - 1
        keys = [
            keys[left] + SEPARATOR + texts[right]
            for left, right in (divmod(int(pair), len(texts)) for pair in present)
        ]
    return joined.astype(np.int64), keys


def key_from_text(columns: Sequence[str], pairs: Sequence[str]) -> str:
    """Return the key that `["carrier=UA"]` writes.

    Raises:
        InvalidInput: A column of the entity is missing, or another one is given.
    """
    given = dict(pair.partition("=")[::2] for pair in pairs)
    if sorted(given) != sorted(columns) or not all("=" in pair for pair in pairs):
        wanted = " ".join(f"{column}=…" for column in columns)
        raise InvalidInput(f"The entity is written {wanted}, not {' '.join(pairs)!r}.")
    return SEPARATOR.join(given[column] for column in columns)
