"""Columns of a pyarrow.Table as numpy arrays, and with other values in some of their cells."""

from typing import Any

import numpy as np

from naomi_jax.tables import casting, stamps


def kind(column: Any) -> str:
    """Say "number", "switch" (true and false), "time", "elapsed" or "text"."""
    from pyarrow import types

    own = column.type
    if types.is_integer(own) or types.is_floating(own) or types.is_decimal(own):
        return "number"
    if types.is_timestamp(own) or types.is_date(own):
        return "time"
    if types.is_duration(own):
        return "elapsed"
    return "switch" if types.is_boolean(own) else "text"


def numbers(column: Any) -> np.ndarray:
    """(T,) float64 of numbers or switches, NaN where there is none; integers without holes as such.

    What float64 cannot hold becomes infinite.
    """
    import pyarrow as arrow

    if arrow.types.is_integer(column.type) and not column.null_count:
        return column.to_numpy()
    if arrow.types.is_boolean(column.type):
        column = column.cast(arrow.int8())
    return column.cast(arrow.float64(), safe=False).to_numpy().astype(np.float64)


def times(column: Any) -> np.ndarray:
    """(T,) stamps in UTC, NaT where there is none.

    Raises:
      ValueError: one lies outside the years 1 to 9999.
    """
    import pyarrow as arrow

    own = column.type
    unit = "us" if arrow.types.is_date(own) else own.unit
    found = column.cast(arrow.timestamp(unit)).combine_chunks()
    if isinstance(found, arrow.ChunkedArray):
        found = arrow.concat_arrays(found.chunks)
    ticks = found.cast(arrow.int64()).to_numpy(zero_copy_only=False)
    missing = found.is_null().to_numpy(zero_copy_only=False)
    whole = np.where(missing, 0, ticks).astype(np.int64).view(f"datetime64[{unit}]")
    return stamps.counted(np.where(missing, np.datetime64("NaT", unit), whole))


def text(column: Any) -> np.ndarray:
    """(T,) strings, None where there is none."""
    cells = [None if cell is None else str(cell) for cell in column.to_pylist()]
    return np.array([*cells, None], object)[:-1]  # an array of objects, whatever the cells


def replaced(column: Any, fill: np.ndarray, new: np.ndarray) -> Any:
    """The column with new values in some cells, in its own type.

    Args:
      column: of numbers.
      fill: (T,) bool, which cells.
      new: their values, as many as there are.
    """
    import pyarrow as arrow
    from pyarrow import compute

    own = column.type
    if arrow.types.is_decimal(own):
        cells = arrow.array(casting.decimals(new, own.scale, own.precision), own)
    else:
        cells = arrow.array(casting.cast(new, np.dtype(own.to_pandas_dtype())), own)
    whole = column.combine_chunks()
    if isinstance(whole, arrow.ChunkedArray):
        whole = arrow.concat_arrays(whole.chunks)
    return compute.replace_with_mask(whole, arrow.array(fill), cells)  # pyright: ignore
