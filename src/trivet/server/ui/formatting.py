"""How numbers, times and states are written on pages. Units come from the catalogue."""

import re
from datetime import UTC, datetime

from trivet.server.ui.words import Words

DASH = "\N{EN DASH}"
_LONG_ID = re.compile(r"\b[0-9a-f]{24,64}\b")
_MINUS = "\N{MINUS SIGN}"

_TONES = {
    "good": (
        "passed finished succeeded supported confirmed cached ready ok verified "
        "healthy green serving"
    ),
    "bad": "failed lost rolled_back error refuted open red down abandoned quarantined",
    "warn": "forced holding triaged aborting superseded invalid stale drifting",
    "live": "running stepping preparing promoting pending",
}
_TONE_OF = {state: tone for tone, states in _TONES.items() for state in states.split()}
_SIGNS = {"good": "✓", "bad": "✕", "warn": "▲", "live": "●", "unknown": "○"}


def tone(state: str) -> str:
    """Return `good`, `bad`, `warn`, `live` or `unknown`: how a state is drawn."""
    return _TONE_OF.get(str(state), "unknown")


def sign(state_tone: str) -> str:
    """Return the sign that stands beside the word, so that colour is never alone."""
    return _SIGNS[state_tone]


def number(value: float | None, digits: int | None = None) -> str:
    """Return the number with thousands apart: whole, with `digits`, or with four figures."""
    if value is None:
        return DASH
    if value != value:
        return "NaN"
    if digits is not None:
        return f"{value:,.{digits}f}".replace("-", _MINUS)
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}".replace("-", _MINUS)
    return f"{value:,.4g}".replace("-", _MINUS)


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share of 1 as per cent."""
    return DASH if share is None else f"{share * 100:,.{digits}f} %".replace("-", _MINUS)


def short(text: str, length: int = 10) -> str:
    """Return the start of a long id."""
    return text if len(text) <= length + 2 else f"{text[:length]}…"


def short_ref(ref: str) -> str:
    """Return a ref whose long id is cut, as a chip shows it.

    Ids are UUIDv7 and begin with the time, so neighbours differ in their ends: both are kept.
    """
    for mark in ("@", "#", ":"):
        head, found, tail = ref.rpartition(mark)
        if found and len(tail) > 16 and tail.isalnum():
            return f"{head}{mark}{tail[:4]}…{tail[-4:]}"
        if found and mark != ":":
            return ref
    return ref


def shortened(sentence: str) -> str:
    """Return a sentence with its long ids and digests cut as a chip cuts them."""
    return _LONG_ID.sub(lambda found: f"{found[0][:4]}…{found[0][-4:]}", sentence)


def size(count: float | None) -> str:
    """Return a number of bytes with a unit."""
    if count is None:
        return DASH
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def duration(words: Words, seconds: float | None) -> str:
    """Return a duration with two units at most: `3 h 12 min`; where it is markup, as `Markup`."""
    if seconds is None:
        return DASH
    if seconds < 1:
        n = "0" if seconds == 0 else "< 1" if seconds < 0.001 else f"{seconds * 1000:.0f}"
        return words("unit.ms", n=n)
    if seconds < 60:
        return words("unit.s", n=f"{seconds:.1f}".removesuffix(".0"))
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    rest, parts = round(seconds), []
    for name, length in units:
        count, rest = divmod(rest, length)
        if count:
            parts.append(str(words(f"unit.{name}", n=count)))
        if len(parts) == 2 or (parts and name == "h" and not rest):
            break
    return " ".join(parts[:2])


def ago(words: Words, at: datetime, now: datetime) -> str:
    """Return how long before `now` something was, or will be, in one unit."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 5:
        return str(words("time.now"))
    span = _one_unit(words, abs(seconds))
    return str(words("time.ago" if seconds > 0 else "time.ahead", span=span))


def _one_unit(words: Words, seconds: float) -> str:
    for name, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return str(words(f"unit.{name}", n=int(seconds // length)))
    return str(words("unit.s", n=int(seconds)))


def exact(at: datetime) -> str:
    """Return an instant with its zone, as hovering shows it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def day(at: datetime) -> str:
    """Return the date of an instant."""
    return f"{at.astimezone(UTC):%Y-%m-%d}"
