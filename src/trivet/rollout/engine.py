"""Carry rollouts on: look, decide, and write what was decided in one transaction."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from trivet.kernel.errors import Conflict
from trivet.ledger import Evidence, LeaseLost, Leases, Ledger, Recorder, Verdict
from trivet.monitoring.records import Tally
from trivet.registry.store import ModelStore
from trivet.rollout.aliases import move_champion
from trivet.rollout.analysis import Analysis, Arms, Counts
from trivet.rollout.confirmation import confirmation
from trivet.rollout.errors import NothingServed
from trivet.rollout.machine import Decision, Observation, advance, ask
from trivet.rollout.records import CONTROLLER_LEASE, Phase, Rollout, Verb
from trivet.rollout.routes import route
from trivet.rollout.store import DeploymentStore, RolloutStore
from trivet.serving import RevisionSpec, Role, RoutingStore, RoutingTable
from trivet.storage.sql import Database

logger = logging.getLogger(__name__)

Tallies = Callable[[str], Mapping[tuple[int, Role], Tally]]
"""Returns, for a deployment, all that each revision did since its first answer, by role."""


class Stores(Protocol):
    """What rollouts are made with; `trivet.app.App` is one."""

    @property
    def database(self) -> Database: ...
    @property
    def recorder(self) -> Recorder: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def models(self) -> ModelStore: ...
    @property
    def routing(self) -> RoutingStore: ...
    @property
    def deployments(self) -> DeploymentStore: ...
    @property
    def rollouts(self) -> RolloutStore: ...


class RolloutEngine:
    """Carries on every rollout that is not final; safe to kill at any moment.

    Each step is one transaction: the rollout, the evidence it moves on, the routing table and
    their facts are written together or not at all, under the controller's fence (I6).
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def tick(self, fence: int, tallies: Tallies, now: datetime | None = None) -> list[Rollout]:
        """Look at each rollout once, and return those whose phase or step changed.

        One that cannot be written, because a person has just changed it, is left for the next
        tick.

        Args:
            fence: The fence of the controller's lease.
            tallies: What the revisions did.
            now: The present instant; the recorder's clock by default.

        Raises:
            LeaseLost: Another controller is in charge; nothing more was written.
        """
        moved = []
        for rollout in self._stores.rollouts.list_rollouts(active=True):
            try:
                after = self._tick_one(rollout, fence, tallies, now)
            except LeaseLost:
                raise
            except Conflict as conflict:
                facts = {"rollout": rollout.id, "conflict": str(conflict)}
                logger.warning("A rollout could not be carried on.", extra=facts)
                continue
            if (after.phase, after.step) != (rollout.phase, rollout.step):
                moved.append(after)
        return moved

    def ask(self, rollout: Rollout, verb: Verb, reason: str = "") -> Rollout:
        """Do what a person asks of a rollout, at once and in one transaction.

        Raises:
            VerbRefused: The verb means nothing in the rollout's phase.
            StaleGeneration: Somebody has written the rollout since it was read.
        """
        actor = self._stores.recorder.actor
        sentence = f"{actor} asked to {verb} it{f': {reason}' if reason else '.'}"
        decision = ask(rollout, verb, sentence, self._stores.recorder.clock())
        move = self._plan(rollout, decision, asked=verb)
        if rollout.phase.is_final or move.is_idle:
            return rollout
        with self._stores.database.write() as connection:
            return self._write(connection, move)

    def _tick_one(
        self, rollout: Rollout, fence: int, tallies: Tallies, now: datetime | None
    ) -> Rollout:
        now = now or self._stores.recorder.clock()
        decision = advance(rollout, self._observe(rollout, tallies, now), now)
        move = self._plan(rollout, decision, fence=fence)
        if move.is_idle:
            return rollout
        if decision.phase is Phase.SUCCEEDED:
            # Before the rollout ends, and repeatable: a kill in between does it again.
            self._move_alias(rollout, fence)
        with self._stores.database.write() as connection:
            self._stores.leases.require(connection, CONTROLLER_LEASE, fence)
            return self._write(connection, move)

    def _observe(self, rollout: Rollout, tallies: Tallies, now: datetime) -> Observation:
        analysis = Analysis.from_json(rollout.analysis)
        found = tallies(rollout.deployment)
        table = self._stores.routing.find_table(rollout.deployment)
        said = confirmation(
            self._stores.routing.list_gateways(), rollout.deployment, analysis.generation, now
        )
        return Observation(
            arms=Arms(
                stable=_counts(found, rollout.stable, Role.PRIMARY),
                candidate=_counts(found, rollout.candidate, Role.PRIMARY),
                shadow=_counts(found, rollout.candidate, Role.SHADOW),
            ),
            gateways=said.gateways,
            confirmed=said.is_complete,
            problem=said.problem,
            sticky=table is not None and table.unit is not None,
        )

    def _move_alias(self, rollout: Rollout, fence: int) -> None:
        with self._stores.database.write() as connection:
            self._stores.leases.require(connection, CONTROLLER_LEASE, fence)
        revision = self._candidate(rollout)
        move_champion(self._stores.models, revision, rollout.evidence[-1])

    def _candidate(self, rollout: Rollout) -> RevisionSpec:
        return self._stores.deployments.get_revision(rollout.deployment, rollout.candidate)

    def _plan(
        self, rollout: Rollout, decision: Decision, *, fence: int = 0, asked: Verb | None = None
    ) -> "_Move":
        table = self._stores.routing.find_table(rollout.deployment)
        if table is None:
            raise NothingServed(rollout.deployment, rollout.spec.strategy)
        wanted = route(table, rollout, decision, self._candidate(rollout))
        return _Move(rollout, decision, table, wanted, fence or table.fence, asked)

    def _write(self, connection: Connection, move: "_Move") -> Rollout:
        """Write the move; the caller commits."""
        rollout, decision = move.rollout, move.decision
        carried = rollout.evidence
        if move.is_judged:
            carried = (*carried, self._judge(connection, move).id)
        generation = self._swap(connection, move, carried[-1])
        analysis = replace(decision.analysis, generation=generation)
        after = replace(
            rollout,
            phase=decision.phase,
            step=decision.step,
            reason=decision.sentence,
            step_at=decision.step_at,
            ended_at=self._stores.recorder.clock() if decision.phase.is_final else None,
            analysis=analysis.to_json(),
            evidence=carried,
        )
        return self._stores.rollouts.save(after, connection=connection)

    def _judge(self, connection: Connection, move: "_Move") -> Evidence:
        rollout, decision = move.rollout, move.decision
        return self._stores.recorder.judge(
            connection,
            "approval" if move.asked else "analysis",
            f"deployment:{rollout.deployment}#{rollout.candidate}",
            Verdict.FORCED if move.asked else decision.verdict,
            decision.sentence,
            inputs={
                "rollout": rollout.ref,
                "stable": rollout.stable,
                "from": [rollout.phase, rollout.step],
                "to": [decision.phase, decision.step],
                "alpha": rollout.spec.alpha,
            },
            numbers=decision.numbers,
        )

    def _swap(self, connection: Connection, move: "_Move", evidence: str) -> int:
        if move.wanted == move.table:
            return move.decision.analysis.generation or move.table.generation
        swapped = self._stores.routing.swap(
            replace(move.wanted, fence=move.fence),
            expected=move.table.generation,
            reason=move.decision.sentence,
            evidence=evidence,
            connection=connection,
        )
        return swapped.generation


@dataclass(frozen=True, slots=True)
class _Move:
    """A decision beside what is in force, ready to be written."""

    rollout: Rollout
    decision: Decision
    table: RoutingTable
    wanted: RoutingTable
    fence: int
    asked: Verb | None

    @property
    def moves(self) -> bool:
        """Whether the phase or the step changes."""
        there = (self.decision.phase, self.decision.step)
        return there != (self.rollout.phase, self.rollout.step)

    @property
    def is_idle(self) -> bool:
        """Whether everything is as it should be, so that there is nothing to write."""
        return (
            not self.moves
            and self.wanted == self.table
            and self.decision.sentence == self.rollout.reason
            and self.decision.analysis.to_json() == self.rollout.analysis
        )

    @property
    def is_judged(self) -> bool:
        """Whether the rollout moves on what was measured, or on a person's word."""
        if not self.moves:
            return False
        loaded = self.rollout.phase is Phase.PREPARING and self.decision.phase is Phase.STEPPING
        return self.asked is not None or not (loaded or self.decision.phase in _FOLLOWS)


_FOLLOWS = (Phase.PREPARING, Phase.SUCCEEDED, Phase.ROLLED_BACK)
"""Phases that follow from evidence which was given before."""


def _counts(tallies: Mapping[tuple[int, Role], Tally], revision: int | None, role: Role) -> Counts:
    tally = None if revision is None else tallies.get((revision, role))
    return Counts() if tally is None else Counts.of(tally)
