"""A feature plan as a revision reads it: by the online reader, refusing what nobody knows."""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from trivet.features import OnlineReader, RequestFieldInvalid
from trivet.features.definitions import FeaturePlan
from trivet.serving.errors import BadRequest
from trivet.serving.requests import Row
from trivet.storage.online import OnlineStore


class PlannedFeatures:
    """Looks up a plan's features.

    One unknown entity among several has its features missing, which models learn to live with. A
    row none of whose entities was ever heard of is refused: an answer would rest on nothing.
    Values that are merely too old are not a caller's fault and count as missing.

    Attributes:
        refuses_unknown: Whether such rows are refused; a revision's setting
            `unknown_entities: missing` lets them pass.
    """

    def __init__(self, plan: FeaturePlan, online: OnlineStore, *, refuses_unknown: bool) -> None:
        self.refuses_unknown = refuses_unknown
        self._reader = OnlineReader(plan, online)
        looked_up = [item for item in plan.inputs if item.view is not None]
        self._entities = tuple(dict.fromkeys(part for item in looked_up for part in item.entity))

    def vectors(self, rows: Sequence[Row], at: Sequence[datetime]) -> NDArray[np.float32]:
        """Return the inputs, shape (rows, inputs), NaN where one is missing at its instant."""
        try:
            served = self._reader.vectors(rows, at)
        except RequestFieldInvalid as error:
            raise BadRequest(f"rows[{error.row}].{error.field}", error.problem) from error
        if self.refuses_unknown and served.unknown:
            self._refuse(served.unknown[0], rows)
        return served.values

    def _refuse(self, position: int, rows: Sequence[Row]) -> NoReturn:
        names = ", ".join(self._entities)
        shown = ", ".join(repr(rows[position].get(name))[:60] for name in self._entities)
        raise BadRequest(
            f"rows[{position}].{names}", f"no feature is known of {shown}, an unknown entity"
        )
