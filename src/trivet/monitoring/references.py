"""The reference of a model version: how features, scores and losses were at training time."""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivet.kernel.digests import Digest
from trivet.kernel.errors import InvalidInput
from trivet.serving import RevisionSpec
from trivet.storage.blobs import BlobStore

REFERENCE_FILE = "reference.json"


@dataclass(frozen=True, slots=True)
class FeatureReference:
    """One feature at training time.

    Attributes:
        edges: The inner edges between its deciles, ascending; ties leave fewer than nine.
        counts: Rows in each of the bins between them, one more than edges.
        missing: The share of rows without a value.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    missing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What production is compared with.

    Attributes:
        features: By name.
        log_loss: The model's mean log loss on rows it was not trained on, in nats.
        base_rate: The share of outcomes that were 1 among them.
    """

    rows: int
    features: dict[str, FeatureReference]
    log_loss: float | None = None
    base_rate: float | None = None
    accuracy: float | None = None

    @property
    def normalised_log_loss(self) -> float | None:
        """The log loss over that of the constant base rate; None where either is unknown."""
        if self.log_loss is None or self.base_rate is None:
            return None
        entropy = binary_entropy(self.base_rate)
        return self.log_loss / entropy if entropy > 0 else None


def binary_entropy(share: float) -> float:
    r"""Return $-p \ln p - (1 - p) \ln(1 - p)$ in nats: the log loss of the constant `share`.

    It is the least that any constant prediction can reach; 0 where all outcomes are alike.

    Source:
        C. E. Shannon, "A Mathematical Theory of Communication" (1948), section 6, figure 7.
    """
    if not 0 < share < 1:
        return 0.0
    return -share * math.log(share) - (1 - share) * math.log1p(-share)


class References:
    """Reads references from the blob store, each once."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._known: dict[str, Reference] = {}

    def find(self, revision: RevisionSpec) -> Reference | None:
        """Return the reference of the model a revision serves, or None if it has none."""
        digest = revision.artifacts.get(REFERENCE_FILE)
        if digest is None:
            return None
        if digest not in self._known:
            self._known[digest] = parse_reference(self._blobs.get(Digest(digest)))
        return self._known[digest]


def parse_reference(content: bytes) -> Reference:
    """Return the reference that a `reference.json` holds.

    Raises:
        InvalidInput: It is not JSON of the form that the registry writes.
    """
    try:
        values = json.loads(content)
        return Reference(
            rows=int(values["rows"]),
            features={name: _feature(f) for name, f in values.get("features", {}).items()},
            log_loss=values.get("log_loss"),
            base_rate=values.get("base_rate"),
            accuracy=values.get("accuracy"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"{REFERENCE_FILE} is not a reference: {error!r}.") from error


def _feature(values: dict[str, Any]) -> FeatureReference:
    edges = np.asarray(values["edges"], dtype=np.float64)
    counts = np.asarray(values["counts"], dtype=np.int64)
    if len(counts) != len(edges) + 1:
        raise ValueError(f"{len(edges)} edges make {len(edges) + 1} bins, not {len(counts)}")
    return FeatureReference(edges, counts, float(values.get("missing") or 0.0))
