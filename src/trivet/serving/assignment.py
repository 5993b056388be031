"""Which revision answers which unit: a pure function of the table, so it needs no memory.

A unit's place on the line [0, 1) is the hash of the table's salt and the unit; the candidate owns
[0, weight). So a unit keeps its revision while the weight stands, and raising the weight only
ever moves units from the stable revision to the candidate, never back.
"""

from hashlib import sha256

from trivet.serving.records import RoutingTable

_SCALE = 2.0**-64
_SHADOW = "shadow\x1f"


def place(salt: str, unit: str) -> float:
    """Return where the unit stands in [0, 1): the first 8 bytes of SHA-256(salt, unit) / 2^64."""
    head = sha256(f"{salt}\x1f{unit}".encode()).digest()[:8]
    # A head within 2^-54 of the end rounds up to 1.0, which must still be below a weight of 1.
    return min(int.from_bytes(head) * _SCALE, 1 - 2.0**-53)


def assign(table: RoutingTable, unit: str) -> int:
    """Return the number of the revision that answers this unit."""
    if table.candidate is None or table.weight <= 0:
        return table.stable
    return table.candidate if place(table.salt, unit) < table.weight else table.stable


def is_shadowed(table: RoutingTable, unit: str) -> bool:
    """Return whether the candidate computes this unit's request beside the answer."""
    if table.candidate is None or table.shadow <= 0:
        return False
    return place(_SHADOW + table.salt, unit) < table.shadow
