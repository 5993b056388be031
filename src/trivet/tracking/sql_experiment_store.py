"""Experiments in the database."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import check_name
from trivet.ledger import Recorder
from trivet.storage.sql import ConstraintViolated, Database
from trivet.storage.sql.database import Row
from trivet.storage.sql.schema.tracking import experiments
from trivet.tracking.errors import ExperimentConcluded, ExperimentNotFound
from trivet.tracking.records import Experiment, Outcome


class SqlExperimentStore:
    """Keeps a row an experiment."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def create_experiment(
        self,
        name: str,
        *,
        objective: str = "",
        hypothesis: str = "",
        owner: str = "",
        kill_criteria: Sequence[str] = (),
    ) -> Experiment:
        experiment = Experiment(
            name=check_name(name),
            objective=objective,
            hypothesis=hypothesis,
            owner=owner or self._recorder.actor,
            created_at=self._recorder.clock(),
            kill_criteria=tuple(kill_criteria),
        )
        try:
            with self._database.write() as connection:
                return find_experiment(connection, name) or add_experiment(
                    connection, self._recorder, experiment
                )
        except ConstraintViolated:
            return self.get_experiment(name)  # Another process made it in the same moment.

    def get_experiment(self, name: str) -> Experiment:
        with self._database.read() as connection:
            return _get(connection, name)

    def list_experiments(self) -> list[Experiment]:
        with self._database.read() as connection:
            rows = connection.execute(select(experiments).order_by(experiments.c.name))
            return [_to_experiment(row) for row in rows]

    def conclude(self, name: str, outcome: Outcome, reason: str) -> Experiment:
        if outcome is Outcome.OPEN or not reason.strip():
            raise InvalidInput(
                f"Experiment {name!r}: a conclusion is an outcome other than 'open', and why."
            )
        is_open = (experiments.c.name == name) & (experiments.c.outcome == Outcome.OPEN)
        with self._database.write() as connection:
            done = connection.execute(
                update(experiments).where(is_open).values(outcome=outcome, outcome_reason=reason)
            )
            experiment = _get(connection, name)
            if done.rowcount == 0:
                raise ExperimentConcluded(name, experiment.outcome)
            self._recorder.record(
                connection,
                "experiment.concluded",
                f"experiment:{name}",
                {"outcome": outcome, "reason": reason},
            )
        return experiment


def find_experiment(connection: Connection, name: str) -> Experiment | None:
    """Return the experiment, or None."""
    row = connection.execute(select(experiments).where(experiments.c.name == name)).one_or_none()
    return None if row is None else _to_experiment(row)


def add_experiment(
    connection: Connection, recorder: Recorder, experiment: Experiment
) -> Experiment:
    """Insert an experiment and record it, within a write transaction."""
    row = {name: getattr(experiment, name) for name in Experiment.__dataclass_fields__}
    connection.execute(
        insert(experiments), {**row, "kill_criteria": list(experiment.kill_criteria)}
    )
    recorder.record(
        connection,
        "experiment.created",
        f"experiment:{experiment.name}",
        {"objective": experiment.objective, "hypothesis": experiment.hypothesis},
    )
    return experiment


def _get(connection: Connection, name: str) -> Experiment:
    experiment = find_experiment(connection, name)
    if experiment is None:
        raise ExperimentNotFound(name)
    return experiment


def _to_experiment(row: Row) -> Experiment:
    values = dict(row._mapping)
    values["kill_criteria"] = tuple(values["kill_criteria"])
    values["outcome"] = Outcome(values["outcome"])
    return Experiment(**values)
