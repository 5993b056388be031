"""Choose a blob store by URL."""

from importlib.metadata import entry_points
from urllib.parse import urlsplit

from trivet.storage.blobs.store import BlobStore, UnknownScheme

_GROUP = "trivet.blob_stores"


def open_blob_store(url: str) -> BlobStore:
    """Open `file:///srv/trivet`, `memory:`, `s3://bucket/prefix` or whatever else is installed.

    Raises:
        UnknownScheme: No installed package serves the URL's scheme; the error lists those served.
    """
    scheme = urlsplit(url).scheme
    installed = entry_points(group=_GROUP)
    if scheme not in installed.names:
        raise UnknownScheme(url, tuple(sorted(installed.names)))
    store: BlobStore = installed[scheme].load()(url)
    return store
