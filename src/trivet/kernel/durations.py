"""Durations as people write them: `90s`, `10m`, `3h`, `7d`, `2w`."""

import re
from datetime import timedelta

from trivet.kernel.errors import InvalidInput

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_FORM = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def parse_duration(text: str) -> timedelta:
    """Return the duration that `text` names.

    Raises:
        InvalidInput: The text is not a number and one of the units s, m, h, d, w.

    Example:
        >>> parse_duration("36h")
        datetime.timedelta(days=1, seconds=43200)
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"{text!r} is no duration; write a number and a unit, such as '36h'.")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def format_duration(seconds: float) -> str:
    """Return the duration with two units at most, as pages and the command line show it.

    Example:
        >>> format_duration(11520.0), format_duration(0.0421), format_duration(7.25)
        ('3 h 12 min', '42 ms', '7.2 s')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left} h"
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s"
