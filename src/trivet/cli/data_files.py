"""Read a table from a file that a user names."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.feather as feather
import pyarrow.json as json_lines
import pyarrow.parquet as parquet

from trivet.kernel.errors import InvalidInput

_NULLS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]


def read_rows(file: Path) -> pa.Table:
    """Return the rows of a `.csv`, `.parquet`, `.arrow`, `.feather` or JSON-lines file."""
    try:
        if file.name.endswith((".csv", ".csv.gz")):
            nulls = csv.ConvertOptions(null_values=_NULLS, strings_can_be_null=True)
            return csv.read_csv(file, convert_options=nulls)
        if file.suffix == ".parquet":
            return parquet.read_table(file)
        if file.suffix in (".arrow", ".feather"):
            return feather.read_table(file)
        if file.suffix in (".json", ".jsonl", ".ndjson"):
            return json_lines.read_json(file)
    except (pa.ArrowException, OSError) as error:
        detail = str(error).splitlines()[0]
        raise InvalidInput(f"{str(file)!r} cannot be read as a table: {detail}") from error
    raise InvalidInput(
        f"{str(file)!r} is of no known kind; it is .csv, .parquet, .arrow or .jsonl."
    )
