"""Numpy arrays as .npy files; one that holds objects does not fit, and is pickled."""

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def fits(array: NDArray[np.generic]) -> bool:
    """Whether the array holds plain values."""
    return not array.dtype.hasobject


def describe(array: NDArray[np.generic]) -> str:
    """Return what it is, for a person."""
    return f"array of {array.dtype}, {' x '.join(map(str, array.shape)) or 'a single value'}"


def chunks(array: NDArray[np.generic]) -> Iterator[memoryview]:
    """Yield the file."""
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=False)
    yield sink.getbuffer()


def decode(content: bytes) -> NDArray[np.generic]:
    """Return the array, which may be written to."""
    array: NDArray[np.generic] = np.load(io.BytesIO(content), allow_pickle=False)
    return array
