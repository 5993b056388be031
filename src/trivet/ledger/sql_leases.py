"""Leases in the database."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from trivet.kernel.clock import Clock, utc_now
from trivet.ledger.errors import LeaseLost
from trivet.ledger.records import Lease
from trivet.storage.sql.database import ConstraintViolated, Database
from trivet.storage.sql.schema.ledger import leases


class SqlLeases:
    """Keeps a row a lease; who wins a race is decided by one statement."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def acquire(self, name: str, holder: str, ttl: timedelta) -> Lease | None:
        now = self._clock()
        expires_at = now + ttl
        try:
            with self._database.write() as connection:
                return self._take(connection, name, holder, expires_at=expires_at)
        except ConstraintViolated:
            return None  # Somebody else inserted the first row of this lease just before.

    def _take(
        self, connection: Connection, name: str, holder: str, *, expires_at: datetime
    ) -> Lease | None:
        mine = (leases.c.name == name) & (leases.c.holder == holder)
        renewed = connection.execute(update(leases).where(mine).values(expires_at=expires_at))
        if renewed.rowcount == 0:
            free = (leases.c.name == name) & (leases.c.expires_at <= self._clock())
            taken = connection.execute(
                update(leases)
                .where(free)
                .values(holder=holder, fence=leases.c.fence + 1, expires_at=expires_at)
            )
            if taken.rowcount == 0:
                exists = connection.execute(select(leases).where(leases.c.name == name)).first()
                if exists:
                    return None
                connection.execute(
                    insert(leases),
                    {"name": name, "holder": holder, "fence": 1, "expires_at": expires_at},
                )
        row = connection.execute(select(leases).where(leases.c.name == name)).one()
        return Lease(**row._mapping)

    def release(self, lease: Lease) -> None:
        mine = (leases.c.name == lease.name) & (leases.c.holder == lease.holder)
        with self._database.write() as connection:
            connection.execute(
                update(leases)
                .where(mine & (leases.c.fence == lease.fence))
                .values(expires_at=self._clock(), holder="")
            )

    def require(self, connection: Connection, name: str, fence: int) -> None:
        # Writing the fence back locks the row, so the lease cannot change hands before the
        # caller's transaction ends.
        held = connection.execute(
            update(leases)
            .where((leases.c.name == name) & (leases.c.fence == fence))
            .values(fence=fence)
        )
        if held.rowcount == 0:
            current = connection.execute(
                select(leases.c.fence).where(leases.c.name == name)
            ).scalar()
            raise LeaseLost(name, fence, current or 0)
