"""Data contracts: a subset of ODCS v3.1 YAML, read into rules; what is not understood is refused.

Read are the properties of one schema (`logicalType`, `required`, `unique`, `logicalTypeOptions`),
`quality` of type `library` and `sql`, `slaProperties` `freshness` and `latency`, and the custom
properties `minPartitions`, `partitionBy` and `maxRobustZ` of the partition history.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, cast

import yaml

from trivet.data.contract_rules import (
    Rule,
    TypeRule,
    keys,
    library_rule,
    property_rules,
    refuse_unknown,
    sql_rule,
)
from trivet.data.errors import ContractInvalid

PartitionBy = Literal["commit", "day", "week", "month"]

_TOP_KEYS = keys(
    """apiVersion kind id version status name tenant domain dataProduct tags description schema
    slaProperties slaDefaultElement customProperties team price roles support servers
    authoritativeDefinitions contractCreatedTs"""
)
_SCHEMA_KEYS = keys(
    """id name physicalName physicalType logicalType description businessName tags properties
    quality dataGranularityDescription authoritativeDefinitions customProperties"""
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31557600}
_SECONDS |= {"minutes": 60, "hours": 3600, "hour": 3600, "days": 86400, "day": 86400}
_SECONDS |= {"week": 604800, "weeks": 604800, "minute": 60, "seconds": 1, "second": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRule:
    """How incoming partitions are held against past ones.

    Attributes:
        by: What one partition is: a commit's rows, or their rows of one day, week or month of
            event time.
        least: With fewer past partitions than this, the verdict is LEARNING.
        bound: The robust z beyond which a statistic is out of line.
        columns: The columns that are held; empty for all.
    """

    by: PartitionBy = "commit"
    least: int = 14
    bound: float = 8.0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract that was read: rules to be held against rows.

    Attributes:
        required: The columns that must be there.
        freshness: How old the newest event time may be; None where the contract does not say.
    """

    id: str
    version: str
    types: tuple[TypeRule, ...]
    required: tuple[str, ...]
    rules: tuple[Rule, ...]
    freshness: timedelta | None
    partitions: PartitionRule


def parse_contract(text: str) -> Contract:
    """Return the contract that a YAML text writes.

    Raises:
        ContractInvalid: It is not YAML, not a data contract, or has a rule that is not known; the
            message names it.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ContractInvalid(f"it is not YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(document, dict) or document.get("kind") != "DataContract":
        raise ContractInvalid("it has no 'kind: DataContract'")
    if not str(document.get("apiVersion", "")).startswith("v3."):
        raise ContractInvalid(f"its apiVersion is {document.get('apiVersion')!r}, not 'v3.1.0'")
    refuse_unknown("the contract", document, _TOP_KEYS)
    tables = document.get("schema") or []
    if not isinstance(tables, list) or len(tables) != 1 or not isinstance(tables[0], dict):
        raise ContractInvalid("it must have one table under 'schema'")
    table = tables[0]
    refuse_unknown("the schema", table, _SCHEMA_KEYS)
    properties = [_named(each) for each in table.get("properties") or []]
    rules = [library_or_sql(each, None) for each in _quality(table)]
    for each in properties:
        rules += property_rules(each)
        rules += [library_or_sql(quality, each["name"]) for quality in _quality(each)]
    return Contract(
        id=str(document.get("id", "")),
        version=str(document.get("version", "")),
        types=tuple(
            TypeRule(column=each["name"], logical=str(each["logicalType"]))
            for each in properties
            if "logicalType" in each
        ),
        required=tuple(each["name"] for each in properties if each.get("required")),
        rules=tuple(rule for rule in rules if rule is not None),
        freshness=_freshness(document.get("slaProperties") or []),
        partitions=_partition_rule(document.get("customProperties") or []),
    )


def library_or_sql(quality: dict[str, Any], column: str | None) -> Rule | None:
    """Return the rule of one `quality` entry; prose (`type: text`) is none."""
    kind = quality.get("type", "library")
    if kind == "text":
        return None
    if kind == "sql":
        return sql_rule(quality, column)
    if kind == "library":
        return library_rule(quality, column)
    raise ContractInvalid(
        f"the quality type {kind!r} is unknown; it is 'library', 'sql' or 'text'"
    )


def _quality(holder: dict[str, Any]) -> list[dict[str, Any]]:
    entries = holder.get("quality") or []
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise ContractInvalid(f"the quality of {holder.get('name')!r} is no list of rules")
    return entries


def _named(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ContractInvalid("a property of the schema has no name")
    return entry


def _freshness(entries: list[dict[str, Any]]) -> timedelta | None:
    found = None
    for entry in entries:
        name = entry.get("property")
        if name not in ("freshness", "latency"):
            raise ContractInvalid(
                f"the slaProperty {name!r} is not checked here; known are 'freshness', 'latency'"
            )
        unit = str(entry.get("unit", "d"))
        if unit not in _SECONDS or not isinstance(entry.get("value"), int | float):
            raise ContractInvalid(
                f"the slaProperty {name!r} needs a 'value' and a 'unit' such as 'h'"
            )
        found = timedelta(seconds=float(entry["value"]) * _SECONDS[unit])
    return found


def _partition_rule(entries: list[dict[str, Any]]) -> PartitionRule:
    """Return the settings of the partition history; other custom properties are not ours."""
    given: dict[Any, Any] = {each.get("property"): each.get("value") for each in entries}
    by = given.get("partitionBy", "commit")
    if by not in ("commit", "day", "week", "month"):
        raise ContractInvalid(f"partitionBy is {by!r}; it is 'commit', 'day', 'week' or 'month'")
    columns = given.get("partitionColumns") or []
    try:
        return PartitionRule(
            by=cast(PartitionBy, by),
            least=int(given.get("minPartitions") or PartitionRule().least),
            bound=float(given.get("maxRobustZ") or PartitionRule().bound),
            columns=tuple(str(each) for each in columns),
        )
    except (TypeError, ValueError) as error:
        raise ContractInvalid("minPartitions and maxRobustZ are numbers") from error
