"""The rules of a contract, each compiled to one SQL aggregate and a bound on it."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.types as types

from trivet.data.errors import ContractInvalid
from trivet.storage.tables import quoted

_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "mustBe": (operator.eq, "exactly"),
    "mustNotBe": (operator.ne, "anything but"),
    "mustBeGreaterThan": (operator.gt, "more than"),
    "mustBeGreaterOrEqualTo": (operator.ge, "at least"),
    "mustBeLessThan": (operator.lt, "less than"),
    "mustBeLessOrEqualTo": (operator.le, "at most"),
}
_RANGES = {"mustBeBetween": True, "mustNotBeBetween": False}


def keys(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


_PROSE = keys(
    """id name description dimension severity businessImpact type tags authoritativeDefinitions
    scheduler schedule customProperties"""
)
_QUALITY_KEYS = _PROSE | {"metric", "rule", "arguments", "unit", "query"}
_PROPERTY_KEYS = keys(
    """id name physicalName physicalType logicalType logicalTypeOptions description businessName
    tags required unique primaryKey primaryKeyPosition partitioned partitionKeyPosition
    classification encryptedName criticalDataElement examples quality customProperties
    transformLogic transformDescription transformSourceObjects authoritativeDefinitions"""
)
_LOGICAL: dict[str, Callable[[pa.DataType], bool]] = {
    "string": types.is_string,
    "integer": types.is_integer,
    "number": lambda kind: (
        types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    ),
    "boolean": types.is_boolean,
    "date": types.is_date,
    "timestamp": types.is_timestamp,
    "time": types.is_time,
    "array": lambda kind: types.is_list(kind) or types.is_fixed_size_list(kind),
    "object": types.is_struct,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a measured number must be."""

    operation: str
    low: float
    high: float | None = None

    def holds(self, measured: float) -> bool:
        """Say whether a number is within the bound."""
        if self.high is not None:
            return (self.low <= measured <= self.high) is _RANGES[self.operation]
        return _COMPARISONS[self.operation][0](measured, self.low)

    def in_words(self, unit: str) -> str:
        """Return the bound as part of a sentence."""
        tail = " %" if unit == "percent" else ""
        if self.high is not None:
            verb = "between" if _RANGES[self.operation] else "not between"
            return f"{verb} {self.low:g} and {self.high:g}{tail}"
        return f"{_COMPARISONS[self.operation][1]} {self.low:g}{tail}"


ZERO = Bound(operation="mustBe", low=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRule:
    """A column must be of a logical type."""

    column: str
    logical: str

    def __post_init__(self) -> None:
        if self.logical not in _LOGICAL:
            raise ContractInvalid(
                f"the logicalType {self.logical!r} of {self.column!r} is unknown; "
                f"known are {', '.join(_LOGICAL)}"
            )

    def holds(self, kind: pa.DataType) -> bool:
        """Say whether an Arrow type is of this logical type."""
        return bool(_LOGICAL[self.logical](kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One number measured over the rows, and its bound.

    Attributes:
        measure: The SQL aggregate; `condition` is counted where there is one.
        condition: What is wrong with a row, as SQL, to find examples by.
        query: A whole query instead, with `{object}` for the table.
    """

    name: str
    column: str | None
    bound: Bound
    measure: str = ""
    condition: str | None = None
    query: str | None = None
    unit: str = "rows"
    columns: tuple[str, ...] = ()

    @property
    def aggregate(self) -> str:
        """The SQL expression of the measured number."""
        counted = f"count(*) FILTER (WHERE {self.condition})" if self.condition else self.measure
        if self.unit == "percent":
            return f"100.0 * ({counted}) / nullif(count(*), 0)"
        return f"({counted})"


def property_rules(entry: dict[str, Any]) -> list[Rule]:
    """Return the rules that a property's own keys set."""
    refuse_unknown(f"property {entry['name']!r}", entry, _PROPERTY_KEYS)
    name = str(entry["name"])
    column = quoted(name)
    rules = []
    if entry.get("required"):
        rules.append(_none_where("null values", name, f"{column} IS NULL"))
    if entry.get("unique"):
        rules.append(_duplicates([name], name, ZERO, "rows"))
    for option, value in (entry.get("logicalTypeOptions") or {}).items():
        if option not in _OPTIONS:
            raise ContractInvalid(
                f"the logicalTypeOption {option!r} of {name!r} is unknown; "
                f"known are {', '.join(_OPTIONS)}"
            )
        words, condition = _OPTIONS[option]
        wrong = condition.format(column=column, value=literal(value))
        rules.append(_none_where(f"values {words} {value}", name, wrong))
    return rules


_OPTIONS = {
    "minimum": ("below", "{column} < {value}"),
    "maximum": ("above", "{column} > {value}"),
    "exclusiveMinimum": ("not above", "{column} <= {value}"),
    "exclusiveMaximum": ("not below", "{column} >= {value}"),
    "minLength": ("shorter than", "length({column}) < {value}"),
    "maxLength": ("longer than", "length({column}) > {value}"),
    "pattern": ("not of the form", "NOT regexp_full_match({column}, {value})"),
}


def library_rule(quality: dict[str, Any], column: str | None) -> Rule:
    """Return the rule of a `quality` entry that names a metric of the standard's library."""
    metric = str(quality.get("metric") or quality.get("rule") or "")
    makers: dict[str, Callable[[dict[str, Any], str | None], Rule]] = {
        "nullValues": _null_values,
        "missingValues": _missing_values,
        "invalidValues": _invalid_values,
        "duplicateValues": _duplicate_values,
        "rowCount": _row_count,
    }
    if metric not in makers:
        raise ContractInvalid(
            f"the quality metric {metric!r} is unknown; known are {', '.join(makers)}"
        )
    refuse_unknown(
        f"the rule {metric!r}", quality, _QUALITY_KEYS | set(_COMPARISONS) | set(_RANGES)
    )
    if column is None and metric in ("nullValues", "missingValues", "invalidValues"):
        raise ContractInvalid(f"the quality metric {metric!r} belongs to a property")
    return makers[metric](quality, column)


def sql_rule(quality: dict[str, Any], column: str | None) -> Rule:
    """Return the rule of a `quality` entry that is a query of one number."""
    query = quality.get("query")
    if not isinstance(query, str):
        raise ContractInvalid("a quality rule of type 'sql' needs a 'query'")
    refuse_unknown("the sql rule", quality, _QUALITY_KEYS | set(_COMPARISONS) | set(_RANGES))
    placed = query.replace("${object}", "{object}").replace("${property}", "{property}")
    placed = placed.replace("{property}", quoted(column) if column else "{property}")
    name = str(quality.get("name") or quality.get("description") or "sql rule")
    return Rule(name=name, column=column, bound=_bound(quality), query=placed)


def refuse_unknown(where: str, entry: dict[str, Any], known: frozenset[str] | set[str]) -> None:
    """Refuse keys that would be silently without effect."""
    for name in entry:
        if name not in known:
            raise ContractInvalid(f"{where} has the key {name!r}, which is not known")


def literal(value: Any) -> str:
    """Return a YAML scalar as SQL."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def _none_where(name: str, column: str, condition: str) -> Rule:
    return Rule(name=name, column=column, bound=ZERO, condition=condition, columns=(column,))


def _null_values(quality: dict[str, Any], column: str | None) -> Rule:
    assert column is not None  # noqa: S101 - `library_rule` has refused it
    return Rule(
        name="null values",
        column=column,
        bound=_bound(quality),
        condition=f"{quoted(column)} IS NULL",
        unit=_unit(quality),
        columns=(column,),
    )


def _missing_values(quality: dict[str, Any], column: str | None) -> Rule:
    assert column is not None  # noqa: S101 - `library_rule` has refused it
    listed = _arguments(quality).get("missingValues", [None])
    texts = ", ".join(literal(str(each)) for each in listed if each is not None)
    condition = f"{quoted(column)} IS NULL"
    if texts:
        condition += f" OR {quoted(column)}::VARCHAR IN ({texts})"
    return Rule(
        name="missing values",
        column=column,
        bound=_bound(quality),
        condition=condition,
        unit=_unit(quality),
        columns=(column,),
    )


def _invalid_values(quality: dict[str, Any], column: str | None) -> Rule:
    assert column is not None  # noqa: S101 - `library_rule` has refused it
    arguments = _arguments(quality)
    conditions = []
    if "validValues" in arguments:
        listed = ", ".join(literal(str(each)) for each in arguments["validValues"])
        conditions.append(f"{quoted(column)}::VARCHAR NOT IN ({listed})")
    if "pattern" in arguments:
        pattern = literal(str(arguments["pattern"]))
        conditions.append(f"NOT regexp_full_match({quoted(column)}::VARCHAR, {pattern})")
    if not conditions:
        raise ContractInvalid("the metric 'invalidValues' needs 'validValues' or a 'pattern'")
    return Rule(
        name="invalid values",
        column=column,
        bound=_bound(quality),
        condition=f"({' OR '.join(conditions)})",
        unit=_unit(quality),
        columns=(column,),
    )


def _duplicate_values(quality: dict[str, Any], column: str | None) -> Rule:
    listed = [str(each) for each in _arguments(quality).get("properties", [])]
    names = listed or ([column] if column else [])
    if not names:
        raise ContractInvalid("the metric 'duplicateValues' needs 'properties' here")
    return _duplicates(names, column, _bound(quality), _unit(quality))


def _duplicates(names: list[str], column: str | None, bound: Bound, unit: str) -> Rule:
    whole = quoted(names) if len(names) == 1 else f"({quoted(names)})"
    present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in names)
    measure = (
        f"count(*) FILTER (WHERE {present}) - count(DISTINCT {whole}) FILTER (WHERE {present})"
    )
    label = "duplicate values" if column else f"duplicates of {', '.join(names)}"
    return Rule(
        name=label, column=column, bound=bound, measure=measure, unit=unit, columns=tuple(names)
    )


def _row_count(quality: dict[str, Any], _column: str | None) -> Rule:
    if _unit(quality) != "rows":
        raise ContractInvalid("the metric 'rowCount' counts rows, not percent")
    return Rule(name="row count", column=None, bound=_bound(quality), measure="count(*)")


def _arguments(quality: dict[str, Any]) -> dict[str, Any]:
    given = quality.get("arguments") or {}
    if not isinstance(given, dict):
        raise ContractInvalid("the 'arguments' of a quality rule are names with values")
    return given


def _unit(quality: dict[str, Any]) -> str:
    unit = quality.get("unit", "rows")
    if unit not in ("rows", "percent"):
        raise ContractInvalid(f"the unit {unit!r} is unknown; it is 'rows' or 'percent'")
    return str(unit)


def _bound(quality: dict[str, Any]) -> Bound:
    given = [name for name in quality if name.startswith("must")]
    if len(given) != 1:
        raise ContractInvalid(f"a quality rule needs one 'mustBe…', and has {len(given)}")
    operation, value = given[0], quality[given[0]]
    if operation in _COMPARISONS and isinstance(value, int | float):
        return Bound(operation=operation, low=float(value))
    if operation in _RANGES and isinstance(value, list) and len(value) == 2:
        return Bound(operation=operation, low=float(value[0]), high=float(value[1]))
    raise ContractInvalid(f"the bound '{operation}: {value}' is not understood")
