"""What the contract says of a change, as evidence in the making."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, select

from trivet.data import graph
from trivet.data.checks import check_rows, combined
from trivet.data.contract import Contract, PartitionRule, parse_contract
from trivet.data.partitions import HISTORY, Summary, compare, summarise
from trivet.data.records import Commit, ContractReport, Dataset
from trivet.ledger import Evidence, Recorder, Verdict
from trivet.storage.sql.schema import data as schema

_CHECKS_IN_EVIDENCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The contract in force and the past that rows are held against; no contract is None."""

    contract: Contract | None
    version: int
    history: tuple[Summary, ...]

    @property
    def partitions(self) -> PartitionRule:
        """How partitions are cut, also before there is a contract."""
        return self.contract.partitions if self.contract else PartitionRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict on a change, with what it rests on.

    Attributes:
        report: What was found; None where nothing was held against a contract.
        summaries: The incoming partitions, for the history of those to come.
        cited: Evidence that is stored already, where the verdict is taken over from a commit.
    """

    verdict: Verdict
    report: ContractReport | None = None
    inputs: dict[str, Any] = field(default_factory=dict)
    summaries: tuple[Summary, ...] = ()
    cited: str | None = None

    @classmethod
    def of(cls, commit: Commit) -> "Judgement":
        """Return the verdict on a commit, for another with the same rows or fewer."""
        return cls(verdict=commit.contract, cited=commit.evidence)

    def put_aside(self, why: str) -> "Judgement":
        """Return this judgement as red, for the reason given."""
        report = self.report or ContractReport(verdict=Verdict.NO_DATA)
        report = replace(report, verdict=Verdict.FAILED)
        inputs = {**self.inputs, "aside": why}
        return replace(self, verdict=Verdict.FAILED, report=report, inputs=inputs)

    def store(self, connection: Connection, recorder: Recorder, subject: str) -> str | None:
        """Return the id of the evidence, which is stored if there is a report."""
        if self.report is None:
            return self.cited
        return self.judge(connection, recorder, subject).id

    def _summary(self) -> str:
        said = summary_of(self.report)
        return f"Put aside ({self.inputs['aside']}). {said}" if "aside" in self.inputs else said

    def judge(self, connection: Connection, recorder: Recorder, subject: str) -> Evidence:
        """Store the evidence and return it."""
        checks = self.report.checks if self.report else ()
        return recorder.judge(
            connection,
            "contract",
            subject,
            self.verdict,
            self._summary(),
            inputs=self.inputs,
            numbers={
                "checks": [
                    {
                        "name": check.name,
                        "column": check.column,
                        "verdict": str(check.verdict),
                        "measured": check.measured,
                        "expected": check.expected,
                        "examples": list(check.examples),
                    }
                    for check in sorted(checks, key=lambda c: c.verdict is Verdict.PASSED)
                ][:_CHECKS_IN_EVIDENCE]
            },
        )


def summary_of(report: ContractReport | None) -> str:
    """Return one sentence on a report."""
    if report is None or not report.checks:
        return "No rows, so the contract says nothing."
    failures = report.failures
    if failures:
        return f"{len(failures)} of {len(report.checks)} checks failed: {failures[0].sentence}."
    passed = sum(check.verdict is Verdict.PASSED for check in report.checks)
    return f"{passed} of {len(report.checks)} checks passed, none failed."


def read_terms(connection: Connection, dataset: str, head: str | None) -> Terms:
    """Return the contract in force and the partitions in a commit's history, oldest first."""
    contracts = schema.dataset_contracts
    row = connection.execute(
        select(contracts.c.version, contracts.c.text)
        .where(contracts.c.dataset == dataset)
        .order_by(contracts.c.version.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return Terms(contract=None, version=0, history=())
    history = () if head is None else _read_history(connection, head)
    return Terms(contract=parse_contract(row.text), version=row.version, history=history)


def _read_history(connection: Connection, head: str) -> tuple[Summary, ...]:
    commits, partitions = schema.dataset_commits, schema.dataset_partitions
    rows = connection.execute(
        select(partitions.c.summaries)
        .join(commits, commits.c.id == partitions.c.commit_id)
        .where(commits.c.id.in_(graph.ancestry(head)))
        # What broke the contract is no measure of what is usual.
        .where(commits.c.contract != Verdict.FAILED)
        .order_by(commits.c.depth.desc())
        .limit(HISTORY)
    )
    newest_first: list[Summary] = []
    for row in rows:
        newest_first += reversed(row.summaries)
        if len(newest_first) >= HISTORY:
            break
    return tuple(reversed(newest_first[:HISTORY]))


def judge_rows(terms: Terms, dataset: Dataset, rows: pa.Table, now: datetime) -> Judgement:
    """Hold incoming rows against the contract and the past."""
    summaries = tuple(summarise(dataset, rows, terms.partitions.by))
    if terms.contract is None:
        return Judgement(verdict=Verdict.NO_DATA, summaries=summaries)
    checks = check_rows(terms.contract, dataset, rows, now)
    checks += compare(list(summaries), list(terms.history), terms.partitions)
    report = ContractReport(verdict=combined(checks), checks=tuple(checks))
    inputs = {
        "contract": f"{terms.contract.id}@{terms.version}",
        "rows": rows.num_rows,
        "past_partitions": len(terms.history),
    }
    return Judgement(verdict=report.verdict, report=report, inputs=inputs, summaries=summaries)
