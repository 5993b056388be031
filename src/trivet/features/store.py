"""The port of the feature store: definitions in versions, and how fresh their values are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, overload

from trivet.features.definitions import FeaturePlan, FeatureService, FeatureView
from trivet.features.records import Materialization


class FeatureStore(Protocol):
    """Keeps feature views and feature services; the current version is a pointer.

    Every implementation promises, and `trivet.testing.FeatureStoreContract` checks, that

    - a version never changes; applying a definition that some version holds already makes no new
      version, and applying the current one changes nothing and records nothing;
    - a change of the pointer and the fact that records it are one transaction (I2);
    - views and services share their names, so that `features:<name>` means one thing.
    """

    @overload
    def apply(self, definition: FeatureView) -> FeatureView: ...
    @overload
    def apply(self, definition: FeatureService) -> FeatureService: ...
    def apply(self, definition: FeatureView | FeatureService) -> FeatureView | FeatureService:
        """Make the definition the current one of its name, and return it with its version.

        Raises:
            FeatureNameTaken: The name belongs to the other kind.
            FeatureViewNotFound: A service names a view that has not been applied.
            InvalidInput: A service's features do not go together.
        """
        ...

    def get(self, name: str, version: int | None = None) -> FeatureView | FeatureService:
        """Return what `features:<name>` names, in its current version where none is named."""
        ...

    def get_view(self, name: str, version: int | None = None) -> FeatureView:
        """Return the view, in its current version where none is named."""
        ...

    def list_views(self) -> list[FeatureView]:
        """Return the current version of every view, by name."""
        ...

    def get_service(self, name: str, version: int | None = None) -> FeatureService:
        """Return the service, in its current version where none is named."""
        ...

    def list_services(self) -> list[FeatureService]:
        """Return the current version of every service, by name."""
        ...

    def plan(self, service: str | FeatureService) -> FeaturePlan:
        """Return the service with its views fixed to their current versions."""
        ...

    def record_materialization(
        self, view: FeatureView, commit: str, *, rows: int, until: datetime
    ) -> Materialization:
        """Record that the view's online rows were filled from a dataset commit's address."""
        ...

    def list_materializations(
        self, view: str | None = None, *, limit: int = 100
    ) -> Sequence[Materialization]:
        """Return materializations, newest first; `view` names one view in all its versions."""
        ...
