"""What the feature store keeps beside the definitions."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialization:
    """That a view version's online rows were filled from a commit.

    Attributes:
        view: The view version's address: `features:by_carrier@3`.
        commit: The address of the dataset commit they came from.
        rows: How many entities were written.
        until: Up to which moment rows were taken.
        at: When it was done.
    """

    id: str
    view: str
    commit: str
    rows: int
    until: datetime
    at: datetime
