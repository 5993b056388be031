"""Alerts and rule states in the database."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from trivet.ledger import Recorder, Verdict
from trivet.ledger.recorder import require_evidence
from trivet.monitoring.errors import AlertAmbiguous, AlertClosed, AlertNotFound
from trivet.monitoring.intervals import wilson
from trivet.monitoring.records import Alert, AlertStatus, NewAlert, Precision, RuleState
from trivet.storage.sql.database import Database, Row
from trivet.storage.sql.schema import monitoring as schema

_TRIAGE_WITHIN = timedelta(minutes=10)
_RESOLVE_WITHIN = timedelta(minutes=30)
_CLOSED = (AlertStatus.CONFIRMED, AlertStatus.DISMISSED)


class SqlAlertStore:
    """Keeps a row an alert, and a row for what each rule last said."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def open(self, alert: NewAlert) -> Alert:
        key = f"{alert.deployment}/{alert.rule}/{alert.subject}"
        found = self._find_open(key)
        if found is not None:
            return found
        try:
            with self._database.write() as connection:
                return self._insert(connection, key, alert)
        except _RaisedAlready:
            found = self._find_open(key)
            # It may have been closed in between; then the next look raises it anew.
            return found if found is not None else self.open(alert)

    def _find_open(self, key: str) -> Alert | None:
        with self._database.read() as connection:
            row = connection.execute(
                select(schema.alerts).where(schema.alerts.c.open_key == key)
            ).one_or_none()
        return None if row is None else _to_alert(row)

    def _insert(self, connection: Connection, key: str, alert: NewAlert) -> Alert:
        require_evidence(connection, [alert.evidence])
        now = self._recorder.clock()
        waited = {"harm_to_alert_seconds": (now - alert.harm_at).total_seconds()}
        values = {
            "id": self._recorder.new_id(),
            "open_key": key,
            "deployment": alert.deployment,
            "rule": alert.rule,
            "severity": alert.severity,
            "summary": alert.summary,
            "evidence": alert.evidence,
            "samples": list(alert.samples),
            "harm_at": alert.harm_at,
            "opened_at": now,
            "triage_due_at": now + _TRIAGE_WITHIN,
            "resolve_due_at": now + _RESOLVE_WITHIN,
            "playbook": alert.playbook,
            "status": AlertStatus.OPEN,
            "action": "",
            "detail": {**alert.detail, "subject": alert.subject, **waited},
        }
        try:
            connection.execute(insert(schema.alerts), values)
        except IntegrityError:
            raise _RaisedAlready from None
        self._recorder.record(
            connection,
            "alert.opened",
            f"alert:{values['id']}",
            {
                "deployment": alert.deployment,
                "rule": alert.rule,
                "summary": alert.summary,
                "evidence": alert.evidence,
                **waited,
            },
        )
        return _get(connection, str(values["id"]))

    def get(self, alert_id: str) -> Alert:
        with self._database.read() as connection:
            return _get(connection, alert_id)

    def list_alerts(
        self,
        *,
        deployment: str | None = None,
        status: AlertStatus | None = None,
        open_only: bool = False,
        limit: int = 100,
    ) -> list[Alert]:
        alerts = schema.alerts
        query = select(alerts).order_by(alerts.c.id.desc()).limit(limit)
        if deployment is not None:
            query = query.where(alerts.c.deployment == deployment)
        if status is not None:
            query = query.where(alerts.c.status == status)
        if open_only:
            query = query.where(alerts.c.open_key.is_not(None))
        with self._database.read() as connection:
            return [_to_alert(row) for row in connection.execute(query)]

    def triage(self, alert_id: str) -> Alert:
        with self._database.write() as connection:
            alert = _get(connection, alert_id, lock=True)
            if alert.status is AlertStatus.TRIAGED:
                return alert
            now = self._recorder.clock()
            took = (now - alert.opened_at).total_seconds()
            return self._change(
                connection,
                alert,
                "alert.triaged",
                {"alert_to_triage_seconds": took},
                status=AlertStatus.TRIAGED,
                triaged_at=now,
            )

    def confirm(self, alert_id: str, *, action: str = "") -> Alert:
        return self._close(alert_id, AlertStatus.CONFIRMED, action)

    def dismiss(self, alert_id: str, *, reason: str) -> Alert:
        return self._close(alert_id, AlertStatus.DISMISSED, reason)

    def _close(self, alert_id: str, status: AlertStatus, action: str) -> Alert:
        with self._database.write() as connection:
            alert = _get(connection, alert_id, lock=True)
            now = self._recorder.clock()
            said = "; ".join(part for part in (alert.action, action) if part)
            took = {"alert_to_close_seconds": (now - alert.opened_at).total_seconds()}
            return self._change(
                connection,
                alert,
                f"alert.{status}",
                {"action": action, **took},
                status=status,
                triaged_at=alert.triaged_at or now,
                closed_at=now,
                action=said,
                open_key=None,
            )

    def note_action(self, alert_id: str, action: str, detail: dict[str, Any]) -> Alert:
        with self._database.write() as connection:
            alert = _get(connection, alert_id, lock=True)
            return self._change(
                connection,
                alert,
                "alert.acted_on",
                {"action": action, **detail},
                action="; ".join(part for part in (alert.action, action) if part),
                detail={**alert.detail, **detail},
            )

    def _change(
        self,
        connection: Connection,
        alert: Alert,
        kind: str,
        payload: dict[str, Any],
        **values: object,
    ) -> Alert:
        alerts = schema.alerts
        changed = connection.execute(
            update(alerts)
            .where((alerts.c.id == alert.id) & alerts.c.open_key.is_not(None))
            .values(**values)
        )
        if changed.rowcount == 0:
            raise AlertClosed(alert.id, _get(connection, alert.id).status)
        self._recorder.record(connection, kind, alert.ref, {"rule": alert.rule, **payload})
        return _get(connection, alert.id)

    def precision(self) -> list[Precision]:
        alerts = schema.alerts
        query = (
            select(alerts.c.rule, alerts.c.status, func.count())
            .where(alerts.c.status.in_(_CLOSED))
            .group_by(alerts.c.rule, alerts.c.status)
        )
        counts: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for rule, status, count in connection.execute(query):
                counts.setdefault(rule, {})[status] = count
        return [_precision(rule, found) for rule, found in sorted(counts.items())]

    def put_states(self, states: Sequence[RuleState]) -> None:
        table = schema.rule_states
        with self._database.write() as connection:
            for state in states:
                key = (table.c.deployment == state.deployment) & (table.c.rule == state.rule)
                values = {name: getattr(state, name) for name in RuleState.__slots__}
                if connection.execute(update(table).where(key).values(**values)).rowcount == 0:
                    connection.execute(insert(table), values)

    def list_states(self, deployment: str) -> list[RuleState]:
        states = schema.rule_states
        query = select(states).where(states.c.deployment == deployment).order_by(states.c.rule)
        with self._database.read() as connection:
            return [_to_state(row) for row in connection.execute(query)]


class _RaisedAlready(Exception):
    """Somebody else raised the same alert a moment before."""


def _get(connection: Connection, alert_id: str, *, lock: bool = False) -> Alert:
    """Return the alert, locked if it is to be changed by what it holds."""
    wanted = schema.alerts.c.id.startswith(alert_id, autoescape=True)
    query = select(schema.alerts).where(wanted).limit(2)
    rows = connection.execute(query.with_for_update() if lock else query).all()
    if not alert_id or not rows:
        raise AlertNotFound(alert_id)
    if len(rows) > 1:
        raise AlertAmbiguous(alert_id)
    return _to_alert(rows[0])


def _to_alert(row: Row) -> Alert:
    values = dict(row._mapping)
    del values["open_key"]
    values["status"] = AlertStatus(values["status"])
    values["samples"] = tuple(values["samples"])
    return Alert(**values)


def _to_state(row: Row) -> RuleState:
    values = dict(row._mapping)
    values["verdict"] = Verdict(values["verdict"])
    return RuleState(**values)


def _precision(rule: str, found: dict[str, int]) -> Precision:
    confirmed = found.get(AlertStatus.CONFIRMED, 0)
    dismissed = found.get(AlertStatus.DISMISSED, 0)
    interval = wilson(confirmed, confirmed + dismissed)
    return Precision(
        rule=rule,
        confirmed=confirmed,
        dismissed=dismissed,
        share=confirmed / (confirmed + dismissed) if interval else None,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
    )
