"""The digest of a dataset's rows, which follows a change at the cost of the change."""

import pyarrow as pa
import pyarrow.types as types

from trivet.storage.tables import Query, quoted

_MODULUS = 1 << 64
_HALF = 16


def content_of(query: Query, relation: str, schema: pa.Schema) -> str:
    r"""Return the digest of a relation's rows, whatever their order: 32 hexadecimal digits.

    Each row becomes the text of its non-null cells, $t = \mathrm{name}=\mathrm{value}$ in the
    order of the names, and the digest is $\sum_t \mathrm{MD5}(t)$, in two halves modulo
    $2^{64}$. So it is 0 for no rows, a null column leaves it as it is, and rows may be added and
    taken away (`moved`). It finds what was damaged or lost by accident; against a forger stand
    the digest of the commit and the seal of the ledger.

    Source:
        Bellare & Micciancio, "A New Paradigm for Collision-Free Hashing" (1997), the additive
        construction AdHash.
    """
    cells = ", ".join(_cell(schema.field(name)) for name in sorted(schema.names))
    row = query.row(
        f"SELECT coalesce(sum(md5_number_upper(t)), 0)::VARCHAR AS upper,"
        f" coalesce(sum(md5_number_lower(t)), 0)::VARCHAR AS lower"
        f" FROM (SELECT concat_ws(chr(31), {cells}) AS t FROM {relation})"
    )
    return _hexadecimal(int(row["upper"]), int(row["lower"]))


def moved(content: str, *, add: str, subtract: str) -> str:
    """Return the digest after the rows digested as `subtract` gave way to those as `add`."""
    halves = (
        sum(sign * int(digest[at : at + _HALF], 16) for sign, digest in parts)
        for at, parts in ((at, ((1, content), (1, add), (-1, subtract))) for at in (0, _HALF))
    )
    return _hexadecimal(*halves)


NOTHING = "0" * (2 * _HALF)
"""The digest of no rows."""


def _hexadecimal(upper: int, lower: int) -> str:
    return f"{upper % _MODULUS:016x}{lower % _MODULUS:016x}"


def _cell(field: pa.Field) -> str:
    name = quoted(field.name)
    # The text of a time with a zone depends on the session's zone; microseconds do not.
    value = f"epoch_us({name})" if _has_zone(field.type) else f"{name}::VARCHAR"
    label = field.name.replace("'", "''")
    return f"'{label}=' || {value}"


def _has_zone(kind: pa.DataType) -> bool:
    return bool(types.is_timestamp(kind) and kind.tz is not None)
