"""The online store: the newest features of each entity, in SQLite or Redis, chosen by URL."""

from trivet.storage.online.errors import OnlineStoreUnavailable, UnknownOnlineStore
from trivet.storage.online.opening import open_online_store
from trivet.storage.online.store import OnlineRow, OnlineStore

__all__ = [
    "OnlineRow",
    "OnlineStore",
    "OnlineStoreUnavailable",
    "UnknownOnlineStore",
    "open_online_store",
]
