"""Columns of Arrow as arrays of numpy, without pandas.

`pyarrow.Array.to_numpy`, `pyarrow.array` and `pyarrow.scalar` import pandas as soon as it is
installed, which takes longer than judging a small table. Called by what reads the engine's batches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def numbers_of(array: pa.Array[Any], *, null: float = 0) -> NDArray[Any]:
    """Returns a column of numbers.

    Args:
        array: Integers or floats, shape (n,).
        null: Stands for what is missing; not a whole number makes the result one of floats.

    Returns:
        Shape (n,), of the same type; read-only where nothing is missing and the memory is shared.
    """
    import numpy as np
    import pyarrow as pa

    if not array.null_count:
        # Arrow has no address for nothing, and numpy asks for one.
        return np.from_dlpack(array) if len(array) else np.empty(0, array.type.to_pandas_dtype())
    present = np.from_dlpack(array.is_valid().cast(pa.uint8())).astype(bool)
    known = numbers_of(array.drop_null())
    found = np.full(len(array), null, np.result_type(known, null))
    found[present] = known
    return found


def array_of(values: NDArray[Any]) -> pa.Array[Any]:
    """Returns integers or floats, shape (n,) and one after another in memory, as a column."""
    import pyarrow as pa

    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])
