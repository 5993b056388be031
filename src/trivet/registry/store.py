"""The port of the registry: models, versions and aliases."""

from typing import Protocol

from trivet.registry.records import Alias, Model, ModelVersion, NewVersion


class ModelStore(Protocol):
    """Keeps models, their versions and the aliases that point at them.

    Every implementation promises, and `trivet.testing.ModelStoreContract` checks, that

    - a version is registered whole, with its lineage and its fact, or not at all;
    - a version never changes, and its number is never used again;
    - the same content is registered once: a second time is a `DuplicateVersion`;
    - an alias moves by compare-and-swap and only on stored evidence that passed or was forced.
    """

    def create_model(self, name: str, *, description: str = "", owner: str = "") -> Model:
        """Create the model, or return it if there is one of this name."""
        ...

    def get_model(self, name: str) -> Model:
        """Return the model."""
        ...

    def list_models(self) -> list[Model]:
        """Return all models by name."""
        ...

    def register(self, model: str, content: NewVersion) -> ModelVersion:
        """Give the content the model's next version number; the model is created if need be.

        Raises:
            IncompleteVersion: A part is missing and `missing` does not name it.
            DuplicateVersion: This content is a version already; the error names it.
            EvidenceNotFound: Evidence it cites is not stored.
        """
        ...

    def get_version(self, model: str, version: int | str) -> ModelVersion:
        """Return a version by its number, or by an alias that points at it."""
        ...

    def list_versions(self, model: str) -> list[ModelVersion]:
        """Return the versions, newest first."""
        ...

    def set_alias(
        self, model: str, alias: str, version: int, *, evidence: str, expected: int | None = None
    ) -> Alias:
        """Point the alias at a version; `expected` is the version it is at, None if it is new.

        Raises:
            EvidenceMissing: The evidence is not stored, or is neither passed nor forced (I3).
            StaleGeneration: The alias is not at `expected`.
        """
        ...

    def list_aliases(self, model: str) -> list[Alias]:
        """Return the model's aliases by name."""
        ...
