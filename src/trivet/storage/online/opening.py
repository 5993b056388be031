"""Open an online store by URL; back ends are entry points, loaded when a URL asks for them."""

from importlib.metadata import entry_points
from urllib.parse import urlsplit

from trivet.kernel.errors import InvalidInput
from trivet.kernel.extras import ExtraMissing
from trivet.storage.online.errors import UnknownOnlineStore
from trivet.storage.online.store import OnlineStore

_GROUP = "trivet.online_stores"


def open_online_store(url: str) -> OnlineStore:
    """Open `sqlite:///online.db`, `redis://host:6379/0` or whatever else is installed.

    Raises:
        UnknownOnlineStore: No back end is installed for the scheme.
        InvalidInput: The back end needs a package that is not installed.
    """
    scheme = urlsplit(url).scheme
    installed = entry_points(group=_GROUP)
    if scheme not in installed.names:
        raise UnknownOnlineStore(scheme, tuple(sorted(installed.names)))
    try:
        factory = installed[scheme].load()
    except ExtraMissing:
        raise
    except ImportError as error:
        raise InvalidInput(f"The online store {scheme!r} cannot be loaded: {error}.") from error
    store: OnlineStore = factory(url)
    return store
