"""Arrow tables as datasets take them: plain types, the key there, columns that fit."""

import pyarrow as pa
import pyarrow.types as types

from trivet.data.errors import RowsRefused
from trivet.data.records import Column, Dataset
from trivet.storage.tables import Query, quoted

RESERVED = "_trivet_"
_EXAMPLES = 3


def fit_rows(dataset: Dataset, rows: pa.Table, schema: pa.Schema | None) -> pa.Table:
    """Return `rows` with plain types, cast without loss to the columns that `schema` has.

    A column that holds nothing has no type of its own: it is left out unless `schema` knows it.
    Columns that `schema` does not know are kept; the dataset grows by them.

    Raises:
        RowsRefused: A name is repeated, the key is missing, null or repeated, or a value does not
            fit the type its column has.
    """
    names = rows.schema.names
    if len(set(names)) != len(names):
        raise RowsRefused(dataset.name, "a column name is there twice")
    reserved = [name for name in names if name.startswith(RESERVED) or name in ("_rowid", "")]
    if reserved:
        raise RowsRefused(dataset.name, f"the column name {reserved[0]!r} is reserved")
    fields = []
    for field in rows.schema:
        known = (
            schema.field(field.name) if schema is not None and field.name in schema.names else None
        )
        if known is not None:
            fields.append(known)
        elif not types.is_null(field.type):
            fields.append(pa.field(field.name, plain_type(field.type)))
    fitted = _cast(dataset.name, rows.select([field.name for field in fields]), fields)
    _check_columns(dataset, fitted)
    _check_keys(dataset, fitted)
    return fitted


def plain_type(given: pa.DataType) -> pa.DataType:
    """Return the type that a dataset keeps such values in."""
    if types.is_dictionary(given):
        return plain_type(given.value_type)
    if types.is_large_string(given) or types.is_string_view(given):
        return pa.string()
    if types.is_large_binary(given) or types.is_binary_view(given):
        return pa.binary()
    if types.is_timestamp(given):
        return pa.timestamp("us", None if given.tz is None else "UTC")
    if types.is_float16(given):
        return pa.float32()
    if types.is_large_list(given) or types.is_list(given):
        return pa.list_(plain_type(given.value_type))
    return given


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """Return an Arrow schema as records."""
    return tuple(
        Column(name=field.name, type=str(field.type), nullable=field.nullable) for field in schema
    )


def _cast(dataset: str, rows: pa.Table, fields: list[pa.Field]) -> pa.Table:
    columns = []
    for field in fields:
        column = rows.column(field.name)
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            detail = str(error).splitlines()[0]
            raise RowsRefused(
                dataset,
                f"column {field.name!r} is {column.type} and cannot become {field.type} "
                f"without loss ({detail})",
            ) from error
    return pa.table(columns, schema=pa.schema(fields))


def _check_columns(dataset: Dataset, rows: pa.Table) -> None:
    for name in dataset.key:
        if name not in rows.schema.names:
            raise RowsRefused(dataset.name, f"the key column {name!r} is missing or empty")
        kept = rows.schema.field(name).type
        if types.is_floating(kept) or types.is_nested(kept):
            raise RowsRefused(
                dataset.name, f"the key column {name!r} is {kept}, which cannot tell rows apart"
            )
        nulls = rows.column(name).null_count
        if nulls:
            raise RowsRefused(dataset.name, f"the key column {name!r} is null in {nulls:,} rows")
    time = dataset.event_time
    if time is not None and time in rows.schema.names:
        kept = rows.schema.field(time).type
        if not (types.is_timestamp(kept) or types.is_date(kept)):
            raise RowsRefused(
                dataset.name, f"the event-time column {time!r} is {kept}, not a timestamp or date"
            )


def _check_keys(dataset: Dataset, rows: pa.Table) -> None:
    names = list(dataset.key)
    keys = rows.select(names)
    repeated = rows.num_rows - keys.group_by(names).aggregate([]).num_rows
    if not repeated:
        return
    with Query({"incoming": keys}) as query:
        examples = query.table(
            f"SELECT {quoted(names)} FROM incoming GROUP BY ALL HAVING count(*) > 1"
            f" ORDER BY ALL LIMIT {_EXAMPLES}"
        ).to_pylist()
    shown = "; ".join(", ".join(f"{k}={v}" for k, v in row.items()) for row in examples)
    raise RowsRefused(dataset.name, f"{repeated:,} rows repeat a key, such as {shown}")
