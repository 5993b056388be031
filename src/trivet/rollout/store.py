"""The ports of rollout: deployments with their revisions, and rollouts."""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Connection

from trivet.registry.records import ModelVersion
from trivet.rollout.records import Deployment, Rollout
from trivet.serving.records import RevisionSpec


class DeploymentStore(Protocol):
    """Keeps deployments and their revisions.

    Every implementation promises, and `trivet.testing.DeploymentStoreContract` checks, that

    - a revision never changes, and its number is never used again;
    - a revision and its lineage are recorded in one transaction (I2).

    `connection`, where a method takes it, is a write transaction to take part in.
    """

    def create_deployment(
        self,
        name: str,
        model: str,
        *,
        unit: str | None = None,
        owner: str = "",
        settings: Mapping[str, Any] | None = None,
        connection: Connection | None = None,
    ) -> Deployment:
        """Create the deployment, or return it if there is one of this name for this model.

        Raises:
            InvalidInput: The name may not name a thing.
            RolloutActive: The deployment serves another model.
        """
        ...

    def configure(self, name: str, settings: Mapping[str, Any]) -> Deployment:
        """Replace the deployment's settings and return it so."""
        ...

    def get_deployment(self, name: str) -> Deployment:
        """Return the deployment."""
        ...

    def find_deployment(self, name: str) -> Deployment | None:
        """Return the deployment, or None."""
        ...

    def list_deployments(self) -> list[Deployment]:
        """Return all deployments by name."""
        ...

    def add_revision(
        self,
        deployment: str,
        version: ModelVersion,
        *,
        settings: Mapping[str, Any] | None = None,
        connection: Connection | None = None,
    ) -> RevisionSpec:
        """Make the model version the deployment's next revision."""
        ...

    def get_revision(self, deployment: str, number: int) -> RevisionSpec:
        """Return the revision."""
        ...

    def list_revisions(self, deployment: str) -> list[RevisionSpec]:
        """Return the revisions, newest first."""
        ...


class RolloutStore(Protocol):
    """Keeps rollouts.

    Every implementation promises, and `trivet.testing.RolloutStoreContract` checks, that

    - a deployment has at most one rollout that is not final;
    - a write states the version it changes, and is refused if there is a newer one;
    - a final rollout is never written again;
    - a change of phase or step and the fact that records it are one transaction (I2). What the
      tests have counted so far is a measurement, and is written without a fact.
    """

    def start(self, rollout: Rollout, *, connection: Connection | None = None) -> Rollout:
        """Store a rollout that begins, as version 1.

        Raises:
            RolloutActive: The deployment has one that is not final.
        """
        ...

    def get(self, rollout_id: str) -> Rollout:
        """Return the rollout."""
        ...

    def find_active(self, deployment: str) -> Rollout | None:
        """Return the deployment's rollout that is not final, or None."""
        ...

    def list_rollouts(
        self, deployment: str | None = None, *, active: bool = False, limit: int = 100
    ) -> list[Rollout]:
        """Return rollouts, newest first."""
        ...

    def save(self, rollout: Rollout, *, connection: Connection | None = None) -> Rollout:
        """Write the rollout, which was read at `rollout.version`, and return it as the next.

        Raises:
            StaleGeneration: Somebody has written it since, or it is final.
        """
        ...
