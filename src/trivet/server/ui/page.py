"""What a page is: an address, a function that reads its facts, and a template that shows them.

The same facts are served twice: as HTML at the address, and as JSON at the address + `.json`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from math import isfinite
from typing import Any

import msgspec
from starlette.requests import Request

from trivet.app import App

Load = Callable[[App, Request], object]
"""Reads, in a thread, a frozen dataclass with the facts of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One kind of page.

    Attributes:
        address: The path, with parameters in braces.
        template: The file in `templates` that shows it.
        room: The entry of the rail that is marked while one is on it.
        load: Reads its facts.
    """

    address: str
    template: str
    room: str
    load: Load

    @property
    def twin(self) -> str:
        """The path of the page's JSON twin."""
        return "/index.json" if self.address == "/" else f"{self.address}.json"


def to_json(value: Any) -> Any:
    """Return `value` as plain JSON: records become objects, instants ISO texts, NaN null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, msgspec.Struct):
        return to_json(msgspec.structs.asdict(value))
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, float):
        return value if isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
