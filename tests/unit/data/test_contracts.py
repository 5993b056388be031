from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from trivet.data import ContractInvalid
from trivet.data.checks import check_rows, combined
from trivet.data.contract import parse_contract
from trivet.data.records import CheckResult, Dataset
from trivet.ledger import Verdict

NOW = datetime(2026, 1, 10, tzinfo=UTC)
ORDERS = Dataset(
    name="orders", key=("id",), event_time="at", description="", owner="", created_at=NOW
)
ROWS = pa.table(
    {
        "id": pa.array([1, 2, 3, 4], pa.int64()),
        "price": pa.array([1.0, -2.0, None, 400.0]),
        "city": pa.array(["Seoul", "Busan", "", "seoul"]),
        "at": pa.array([NOW - timedelta(hours=hours) for hours in (30, 20, 10, 5)]),
    }
)


def contract(properties: str = "", quality: str = "", rest: str = "") -> str:
    head = "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\n"
    schema = "schema:\n  - name: orders\n"
    schema += f"    properties: [{properties}]\n" if properties else ""
    schema += f"    quality: [{quality}]\n" if quality else ""
    return f"{head}{schema}{rest}"


def check(text: str, rows: pa.Table = ROWS) -> list[CheckResult]:
    return check_rows(parse_contract(text), ORDERS, rows, NOW)


def failures(text: str, rows: pa.Table = ROWS) -> list[tuple[str | None, str, float | None]]:
    found = [each for each in check(text, rows) if each.verdict is Verdict.FAILED]
    return [(each.column, each.name, each.measured) for each in found]


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("{name: price, required: true}", ("price", "null values", 1)),
        ("{name: id, unique: true}", None),
        ("{name: nope, required: true}", ("nope", "presence", None)),
        ("{name: nope, logicalTypeOptions: {minimum: 1}}", None),
        ("{name: price, logicalType: integer}", ("price", "logical type", None)),
        ("{name: price, logicalType: number}", None),
        ("{name: price, logicalTypeOptions: {minimum: 0}}", ("price", "values below 0", 1)),
        ("{name: price, logicalTypeOptions: {maximum: 400}}", None),
        (
            "{name: price, logicalTypeOptions: {exclusiveMaximum: 400}}",
            ("price", "values not below 400", 1),
        ),
        ("{name: city, logicalTypeOptions: {minLength: 1}}", ("city", "values shorter than 1", 1)),
        (
            "{name: city, logicalTypeOptions: {pattern: '[A-Z].*'}}",
            ("city", "values not of the form [A-Z].*", 2),
        ),
        (
            "{name: price, quality: [{metric: nullValues, mustBeLessThan: 20, unit: percent}]}",
            ("price", "null values in percent", 25.0),
        ),
        (
            "{name: city, quality: [{metric: missingValues, arguments: {missingValues: ['']},"
            " mustBe: 0}]}",
            ("city", "missing values", 1),
        ),
        (
            "{name: city, quality: [{metric: invalidValues,"
            " arguments: {validValues: [Seoul, Busan]}, mustBeLessOrEqualTo: 1}]}",
            ("city", "invalid values", 2),
        ),
        ("{name: city, quality: [{metric: duplicateValues, mustBe: 0}]}", None),
        ("{name: city, quality: [{type: text, description: as written}]}", None),
        (
            "{name: price, quality: [{type: sql, name: dear ones, mustBe: 0,"
            " query: 'SELECT count(*) FROM {object} WHERE {property} > 300'}]}",
            ("price", "dear ones", 1),
        ),
    ],
)
def test_a_rule_of_a_property_holds_or_names_what_broke_it(
    rule: str, broken: tuple[str | None, str, float | None] | None
) -> None:
    assert failures(contract(rule)) == ([] if broken is None else [broken])


def test_rules_of_the_table() -> None:
    rules = "{metric: rowCount, mustBeBetween: [1, 3]}"
    rules += ", {metric: duplicateValues, arguments: {properties: [id, city]}, mustBe: 0}"
    assert failures(contract(quality=rules)) == [(None, "row count", 4)]


def test_a_broken_rule_shows_keys_and_reads_as_a_sentence() -> None:
    found = check(contract("{name: price, logicalTypeOptions: {minimum: 0}}"))[0]
    assert found.examples == ("id=2",)
    assert found.sentence == (
        "price: values below 0 is 1 where exactly 0 was expected, such as id=2"
    )


def test_freshness_counts_from_the_newest_event() -> None:
    stale = contract(rest="slaProperties: [{property: freshness, value: 4, unit: h}]")
    fresh = contract(rest="slaProperties: [{property: freshness, value: 1, unit: d}]")
    assert failures(stale) == [("at", "age in hours", 5.0)]
    assert failures(fresh) == []
    assert check(fresh, ROWS.drop(["at"]))[0].verdict is Verdict.NO_DATA


def test_a_query_that_fails_is_an_error_and_red() -> None:
    broken = contract(
        "{name: price, logicalTypeOptions: {minimum: 0}}",
        "{type: sql, query: 'SELECT nonsense FROM {object}', mustBe: 0}",
    )
    verdicts = {each.name: each.verdict for each in check(broken)}
    assert verdicts == {"sql rule": Verdict.ERROR, "values below 0": Verdict.FAILED}
    assert combined(check(broken)) is Verdict.FAILED


def test_no_rows_are_no_pass() -> None:
    text = contract("{name: price, logicalTypeOptions: {minimum: 0}}")
    assert combined(check(text, ROWS.slice(0, 0))) is Verdict.NO_DATA


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- a list", "no 'kind: DataContract'"),
        ("kind: [", "not YAML"),
        (contract().replace("v3.1.0", "v2.0"), "apiVersion is 'v2.0'"),
        (contract(rest="surprise: 1"), "key 'surprise'"),
        (contract("{name: price, minimum: 0}"), "key 'minimum'"),
        (contract("{name: price, logicalType: money}"), "logicalType 'money'"),
        (contract("{name: price, logicalTypeOptions: {least: 0}}"), "logicalTypeOption 'least'"),
        (contract("{logicalType: string}"), "no name"),
        (contract(quality="{metric: freshnessOfBread, mustBe: 0}"), "metric 'freshnessOfBread'"),
        (contract(quality="{metric: nullValues, mustBe: 0}"), "belongs to a property"),
        (contract(quality="{metric: rowCount}"), "needs one 'mustBe…', and has 0"),
        (contract(quality="{metric: rowCount, mustBeNice: 1}"), "mustBeNice"),
        (contract(quality="{metric: rowCount, mustBeBetween: 1}"), "mustBeBetween: 1"),
        (contract(quality="{metric: rowCount, mustBe: 1, unit: percent}"), "not percent"),
        (contract(quality="{type: sql, mustBe: 1}"), "needs a 'query'"),
        (contract(quality="{type: custom, engine: soda}"), "quality type 'custom'"),
        (contract(rest="slaProperties: [{property: retention, value: 3}]"), "'retention'"),
        (
            contract(rest="customProperties: [{property: partitionBy, value: moon}]"),
            "partitionBy is 'moon'",
        ),
    ],
)
def test_what_is_not_understood_is_refused_by_name(text: str, why: str) -> None:
    with pytest.raises(ContractInvalid, match=why):
        parse_contract(text)
