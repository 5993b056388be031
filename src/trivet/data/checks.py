"""Hold rows against the rules of a contract, in one pass over them."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as types

from trivet.data.contract import Contract
from trivet.data.contract_rules import Rule
from trivet.data.records import CheckResult, Dataset
from trivet.ledger import Verdict
from trivet.storage.tables import Query, QueryFailed, quoted

_EXAMPLES = 3


def check_rows(
    contract: Contract, dataset: Dataset, rows: pa.Table, now: datetime
) -> list[CheckResult]:
    """Return what each rule of the contract finds in `rows`.

    Args:
        contract: The rules.
        dataset: Whose key names the rows that break a rule, and whose event time is to be fresh.
        rows: What to check.
        now: The instant that freshness counts back from.
    """
    if rows.num_rows == 0:
        return []
    results = _check_columns(contract, rows.schema)
    answerable = [rule for rule in contract.rules if _has_columns(rule, rows.schema)]
    with Query({"data": rows}) as query:
        measured = _measure(query, answerable)
        results += [
            _judge(query, dataset, rule, measured[at]) for at, rule in enumerate(answerable)
        ]
    results += [
        CheckResult(
            name=rule.name,
            column=rule.column,
            verdict=Verdict.NO_DATA,
            measured=None,
            expected=rule.bound.in_words(rule.unit),
        )
        for rule in contract.rules
        if not _has_columns(rule, rows.schema)
    ]
    if contract.freshness is not None:
        results.append(_check_freshness(contract, dataset, rows, now))
    return results


def combined(checks: list[CheckResult]) -> Verdict:
    """Return what the checks come to: red if one failed or could not be carried out."""
    verdicts = {check.verdict for check in checks}
    if verdicts & {Verdict.FAILED, Verdict.ERROR}:
        return Verdict.FAILED
    return Verdict.PASSED if Verdict.PASSED in verdicts else Verdict.NO_DATA


def _has_columns(rule: Rule, schema: pa.Schema) -> bool:
    return all(column in schema.names for column in rule.columns)


def _check_columns(contract: Contract, schema: pa.Schema) -> list[CheckResult]:
    results = [
        CheckResult(
            name="presence",
            column=column,
            verdict=Verdict.FAILED,
            measured=None,
            expected="a column of this name",
        )
        for column in contract.required
        if column not in schema.names
    ]
    for rule in contract.types:
        if rule.column not in schema.names:
            continue
        kind = schema.field(rule.column).type
        holds = rule.holds(kind)
        results.append(
            CheckResult(
                name="logical type",
                column=rule.column,
                verdict=Verdict.PASSED if holds else Verdict.FAILED,
                measured=None,
                expected=rule.logical,
                examples=() if holds else (str(kind),),
            )
        )
    return results


def _measure(query: Query, rules: list[Rule]) -> list[float | QueryFailed | None]:
    """Return the number of each rule, all in one pass unless one of them cannot be computed."""
    parts = [f"{_expression(rule)} AS m{at}" for at, rule in enumerate(rules)]
    if not parts:
        return []
    try:
        row = query.row(f"SELECT {', '.join(parts)} FROM data")
    except QueryFailed:
        return [_measure_alone(query, rule) for rule in rules]
    return [_number(row[f"m{at}"]) for at in range(len(rules))]


def _measure_alone(query: Query, rule: Rule) -> float | QueryFailed | None:
    try:
        return _number(query.row(f"SELECT {_expression(rule)} AS m FROM data")["m"])
    except QueryFailed as error:
        return error


def _expression(rule: Rule) -> str:
    if rule.query is None:
        return rule.aggregate
    return f"any_value(({rule.query.replace('{object}', 'data').rstrip().rstrip(';')}))"


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _judge(
    query: Query, dataset: Dataset, rule: Rule, measured: float | QueryFailed | None
) -> CheckResult:
    expected = rule.bound.in_words(rule.unit)
    if isinstance(measured, QueryFailed) or measured is None:
        verdict = Verdict.NO_DATA if measured is None else Verdict.ERROR
        why = () if measured is None else (str(measured),)
        return CheckResult(
            name=rule.name,
            column=rule.column,
            verdict=verdict,
            measured=None,
            expected=expected,
            examples=why,
        )
    holds = rule.bound.holds(measured)
    examples = () if holds or rule.condition is None else _examples(query, dataset, rule)
    return CheckResult(
        name=rule.name if rule.unit == "rows" else f"{rule.name} in percent",
        column=rule.column,
        verdict=Verdict.PASSED if holds else Verdict.FAILED,
        measured=measured,
        expected=expected,
        examples=examples,
    )


def _examples(query: Query, dataset: Dataset, rule: Rule) -> tuple[str, ...]:
    """Return the keys of some rows that break the rule."""
    rows = query.table(
        f"SELECT {quoted(dataset.key)} FROM data WHERE {rule.condition}"
        f" ORDER BY ALL LIMIT {_EXAMPLES}"
    ).to_pylist()
    return tuple(", ".join(f"{name}={value}" for name, value in row.items()) for row in rows)


def _check_freshness(
    contract: Contract, dataset: Dataset, rows: pa.Table, now: datetime
) -> CheckResult:
    allowed = contract.freshness
    assert allowed is not None  # noqa: S101 - the caller has looked
    name, expected = "age in hours", f"at most {allowed.total_seconds() / 3600:g}"
    column = dataset.event_time
    newest = None
    if column is not None and column in rows.schema.names:
        times = rows.column(column)
        if types.is_date(times.type) or times.type.tz is None:
            times = times.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
        newest = pc.max(times).as_py()
    if newest is None:
        return CheckResult(
            name=name, column=column, verdict=Verdict.NO_DATA, measured=None, expected=expected
        )
    age = now - newest
    return CheckResult(
        name=name,
        column=column,
        verdict=Verdict.PASSED if age <= allowed else Verdict.FAILED,
        measured=age.total_seconds() / 3600,
        expected=expected,
    )
