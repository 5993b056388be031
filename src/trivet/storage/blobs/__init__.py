"""Bytes kept under the digest of their content."""

from trivet.storage.blobs.open import open_blob_store
from trivet.storage.blobs.store import (
    BlobCorrupted,
    BlobNotFound,
    BlobStore,
    BlobStoreUnavailable,
    UnknownScheme,
)

__all__ = [
    "BlobCorrupted",
    "BlobNotFound",
    "BlobStore",
    "BlobStoreUnavailable",
    "UnknownScheme",
    "open_blob_store",
]
