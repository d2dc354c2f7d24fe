"""Read a table from memory: DataFrames of any kind, arrays, lists of arrays; a Table is one."""

from collections.abc import Hashable, Sequence
from typing import Any

from naomi_jax.tables.frames import arrays, named
from naomi_jax.tables.frames.arguments import Names
from naomi_jax.tables.table import Table

__all__ = ["Names", "has_names", "table_of"]


def table_of(
    data: Any,
    *,
    time: Any = None,
    group: Any = None,
    covariates: Any = None,
    names: Sequence[Hashable] | None = None,
) -> Table:
    """The table in a container.

    Args:
      data: a DataFrame or Series of pandas or polars, a DataArray or Dataset of xarray, a table of
        pyarrow, an array (T, D) or (N, T, D), or a list of arrays (T_i, D); NaN or None in its
        holes. A Table is returned as it is, or with columns chosen.
      time: a column's name, or stamps or numbers for each row; None takes an index of times.
      group: a column's name, or a label for each row, where several series stand under one
        another; None takes the levels of an index beside its times.
      covariates: columns' names, or (n, C) numbers known in every row.
      names: columns that are needed, of an earlier table; None takes all that hold numbers.

    Raises:
      TypeError, ValueError: naming the argument, what is wrong and what is accepted.
    """
    if isinstance(data, Table):
        return _of_table(data, time, group, covariates, names)
    columns = _columns_of(data, time)
    if columns is None:
        return arrays.read(data, time, group, covariates, names)
    return named.read(columns, time, group, covariates, names)


def has_names(data: Any) -> bool:
    """Whether columns, times and labels can go by name in it."""
    return isinstance(data, Table) or _kind(data) in ("frame", "polars", "pyarrow", "xarray")


def _kind(data):
    """Say "frame", "series", "polars", "pyarrow", "xarray" or "array" without importing any."""
    room, name = type(data).__module__.split(".")[0], type(data).__name__
    if (room, name) in (("polars", "DataFrame"), ("pyarrow", "Table")):
        return room
    if room == "xarray" and name in ("DataArray", "Dataset"):
        return room
    if (room, name) == ("polars", "Series"):
        return "series"
    if room != "polars" and hasattr(data, "iloc"):
        return "frame" if hasattr(data, "columns") else "series"
    return "array"


def _columns_of(data, time):
    """What reads it, or None for arrays."""
    kind, room = _kind(data), type(data).__module__.split(".")[0]
    if kind in ("series", "polars") and room == "polars":
        from naomi_jax.tables.frames.polars_columns import PolarsColumns

        return PolarsColumns(data)
    if kind in ("frame", "series"):
        from naomi_jax.tables.frames.pandas_columns import PandasColumns

        return PandasColumns(data)
    if kind == "pyarrow":
        from naomi_jax.tables.frames.pyarrow_columns import PyarrowColumns

        return PyarrowColumns(data)
    if kind == "xarray":
        from naomi_jax.tables.frames.xarray_columns import XarrayColumns

        return XarrayColumns(data, time)
    if room == "polars":
        raise TypeError(f"data: a {type(data).__name__} of polars; hand over .collect() of it")
    return None


def _of_table(table, time, group, covariates, names):
    if time is not None or group is not None:
        raise ValueError("time, group: a Table has its own; leave them out")
    wanted = list(covariates) if covariates is not None else []
    if names is None and not wanted:
        return table
    if names is not None and not wanted and tuple(names) == table.names:
        return table
    return table.only(names, wanted)
