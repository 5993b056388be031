"""Step results in the database."""

from contextlib import suppress

from sqlalchemy import delete, insert, select

from trivet.kernel.digests import Digest
from trivet.ledger import Recorder
from trivet.pipelines.records import StepResult, StoredValue
from trivet.storage.sql import ConstraintViolated, Database
from trivet.storage.sql.schema.pipelines import step_results
from trivet.tracking import RunId


class SqlStepCache:
    """Keeps a row a cache key."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def find(self, key: Digest) -> StepResult | None:
        query = select(step_results).where(step_results.c.key == key)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        return StepResult(
            key=key,
            step=row.step,
            run_id=RunId(row.run_id),
            at=row.at,
            output=StoredValue.from_json(row.output),
            metrics={name: float(text) for name, text in row.metrics.items()},
            links=tuple((side, ref, role) for side, ref, role in row.links),
        )

    def put(self, result: StepResult) -> None:
        row = {
            "key": result.key,
            "step": result.step,
            "run_id": result.run_id,
            "at": result.at,
            "output": result.output.to_json(),
            # As texts, which give every float back to the bit, NaN and infinity too.
            "metrics": {name: repr(value) for name, value in result.metrics.items()},
            "links": [list(link) for link in result.links],
        }
        payload = {
            "step": result.step,
            "key": result.key,
            "output": result.output.digest,
            "codec": result.output.codec,
        }
        # Another process that put the same key in the same moment put the same result.
        with suppress(ConstraintViolated), self._database.write() as connection:
            connection.execute(delete(step_results).where(step_results.c.key == result.key))
            connection.execute(insert(step_results), row)
            self._recorder.record(connection, "step.stored", f"run:{result.run_id}", payload)

    def forget(self, step: str | None = None) -> int:
        statement = delete(step_results)
        if step is not None:
            statement = statement.where(step_results.c.step == step)
        with self._database.write() as connection:
            count = connection.execute(statement).rowcount
            payload = {"step": step, "results": count}
            self._recorder.record(connection, "steps.forgotten", "pipeline:all", payload)
        return count
