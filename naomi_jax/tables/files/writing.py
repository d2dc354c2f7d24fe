"""Write a filled table in the format in which it was read."""

import os
from collections.abc import Sequence

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.tables.files import reading
from naomi_jax.tables.table import Table


def check_target(path: str | os.PathLike, table_path: str | os.PathLike) -> None:
    """Refuse an output file that could not be written, before any work.

    Args:
      path: of the output.
      table_path: of the table that was read.

    Raises:
      InputError: another format, no such folder, a folder, the table itself, or not writable.
    """
    path, table_path = os.fspath(path), os.fspath(table_path)
    kind = reading.extension(table_path)
    if reading.extension(path) != kind:
        raise InputError(f"{path}: {table_path} is {kind}, so the output must be {kind} too")
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise InputError(f"{path}: a folder; name a file")
    if not os.path.isdir(folder):
        raise InputError(f"{path}: there is no folder {folder}; make it first")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path}: the folder {folder} is not writable")
    if os.path.exists(path) and os.path.exists(table_path) and os.path.samefile(path, table_path):
        raise InputError(f"{path}: the input itself; name another file, so that it is kept")


def write(
    path: str | os.PathLike,
    table: Table,
    values: np.ndarray,
    flags: np.ndarray | None = None,
    sides: Sequence[np.ndarray] | None = None,
) -> None:
    """Write values into the holes of a table; all else is written as it was read.

    Args:
      path: of the output, of the table's format.
      table: from `reading.read`.
      values: in the table's shape, (T, D) or (N, T, D); NaN leaves a hole. For .npz and .npy a
        leading axis of samples may be added.
      flags: (T, D) bool, or None. Adds a column NAME_filled of 0 and 1 for each column with holes.
      sides: low and high, between which filled values lie, or None; in the shape of the table's
        values, NaN where nothing was filled. Adds columns NAME_low and NAME_high for each column
        with holes, or to an .npz the arrays `low` and `high`.

    Raises:
      InputError: another format, shapes that do not fit, flags for arrays, sides for .npy, or the
        file cannot be written.
    """
    from naomi_jax.tables.files import arrays, delimited, delimited_writing

    path = os.fspath(path)
    kind = reading.extension(path)
    source = table.source
    is_array, is_text = isinstance(source, arrays.Source), isinstance(source, delimited.Source)
    if is_array:
        fits = kind == (".npy" if source.key is None else ".npz")
    elif is_text:
        fits = kind in reading.TEXT and kind.endswith(".gz") == (source.text.raw is not None)
    else:
        fits = kind == ".parquet"
    if not fits:
        raise InputError(f"{path}: the output must have the format of the input")
    values = np.asarray(values, np.float64)
    if values.ndim == len(table.shape) + 1 and not is_array:
        raise InputError(f"{path}: a {kind} holds one filled table; for samples use .npz or .npy")
    if values.shape[-len(table.shape) :] != table.shape:
        raise InputError(f"values: shape {values.shape}; {table.shape} is needed")
    if flags is not None and (is_array or np.shape(flags) != table.shape):
        raise InputError("flags: for text and .parquet, in the shape of the values")
    if sides is not None and kind == ".npy":
        raise InputError(f"{path}: holds one array; with .npz there is room for the bounds")
    if is_array:
        arrays.write(path, table, values, sides)
    elif is_text:
        delimited_writing.write(path, table, values, flags, sides)
    else:
        from naomi_jax.tables.files import parquet

        parquet.write(path, table, values, flags, sides)
