"""Golden rows: inputs of a model and what it answered when it was made, as an Arrow file.

Whoever loads the model, on whatever machine and by whatever runtime, can find out whether it
still gives these answers.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.kernel.errors import InvalidInput

FILE = "golden.arrow"
"""The artifact's name."""

PARITY = 1e-5
"""How far an answer may be from the recorded one."""

_PREFIX = "expected:"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenRows:
    """Rows of inputs and the answers that are expected.

    Attributes:
        names: The names of the input columns.
        inputs: Shape (n, d), NaN for missing.
        expected: Shape (n,), the model's own answers before it was exported.
        output: The name of the number that is answered.
    """

    names: tuple[str, ...]
    inputs: NDArray[np.float32]
    expected: NDArray[np.float64]
    output: str = "probability"


def write_golden(golden: GoldenRows) -> bytes:
    """Return the rows as the content of an Arrow file."""
    columns = {
        name: pa.array(golden.inputs[:, position]) for position, name in enumerate(golden.names)
    }
    table = pa.table({**columns, f"{_PREFIX}{golden.output}": pa.array(golden.expected)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read_golden(content: bytes) -> GoldenRows:
    """Return the rows that `write_golden` wrote.

    Raises:
        InvalidInput: The content is not such a file.
    """
    try:
        table = pa.ipc.open_file(pa.BufferReader(content)).read_all()
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"The golden rows cannot be read: {error}.") from error
    outputs = [name for name in table.column_names if name.startswith(_PREFIX)]
    if len(outputs) != 1:
        raise InvalidInput(f"Golden rows have one expected column; these have {len(outputs)}.")
    names = tuple(name for name in table.column_names if name not in outputs)
    return GoldenRows(
        names=names,
        inputs=np.stack([table[name].to_numpy().astype(np.float32) for name in names], axis=1),
        expected=table[outputs[0]].to_numpy().astype(np.float64),
        output=outputs[0].removeprefix(_PREFIX),
    )


def choose_golden_rows(
    inputs: NDArray[np.float32], count: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return `count` rows of `inputs`, half of them with one value each taken away.

    The rows without a value show what the model does when a feature is missing, also where the
    sample has none that is.
    """
    chosen = rng.choice(len(inputs), size=min(count, len(inputs)), replace=False)
    rows = inputs[np.sort(chosen)].copy()
    gaps = np.arange(0, len(rows), 2)
    rows[gaps, rng.integers(inputs.shape[1], size=len(gaps))] = np.nan
    return rows
