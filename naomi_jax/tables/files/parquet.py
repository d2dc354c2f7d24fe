"""Read and write .parquet: columns keep their types, order and metadata."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError
from naomi_jax.tables.columns import added_rows, arrow_columns, cells, roles, times
from naomi_jax.tables.options import Options
from naomi_jax.tables.place import Place
from naomi_jax.tables.printable import printable
from naomi_jax.tables.table import SIDES, Table

_INDEX = "__index_level_"  # pandas' name for an index without one


@dataclasses.dataclass(frozen=True)
class Source:
    """How the file was written.

    Attributes:
      table: the pyarrow.Table, with rows added by --freq.
      compression: of its columns.
      values: (D,) the file's columns that are the table's, from 0.
    """

    table: Any
    compression: str
    values: np.ndarray


def _pyarrow(path):
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(f"{path}: reading .parquet needs pyarrow: pip install pyarrow") from None
    return pyarrow


def read(path: str, options: Options) -> Table:
    """Read a parquet file; null and NaN are holes.

    Raises:
      InputError: pyarrow is missing, or naming the file and what is wrong with it.
    """
    for name in ("header", "separator", "decimal"):
        if getattr(options, name) is not None:
            raise InputError(f"{path}: --{name} is for text files, not for .parquet")
    arrow = _pyarrow(path)
    try:
        with open(path, "rb") as stream:
            file = arrow.parquet.ParquetFile(stream)
            data = file.read()
            packed = file.metadata.row_group(0).column(0).compression if data.num_rows else "NONE"
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (arrow.ArrowException, OSError, IndexError) as error:
        reason = printable(str(error).splitlines()[0])
        raise InputError(f"{path}: damaged, or not what its name says ({reason})") from None
    if not data.num_rows:
        raise InputError(f"{path}: no rows")
    place = Place(path, lambda row: row + 1, "row")
    columns = _columns(data, options, place)
    found = roles.assign(columns, options, None, place)
    values = np.stack(list(found.values.values()), axis=1)
    where = np.array(list(found.values))
    names = tuple(columns[i].name for i in where)
    _finish(values, names, options, place)
    integer = np.array([arrow.types.is_integer(data.schema.field(int(i)).type) for i in where])
    groups = None
    if found.group is not None:
        groups = np.array([str(cell) for cell in columns[found.group].data], object)
    stamps = None if found.times is None else found.times.stamps
    title = None
    if stamps is not None:
        column = columns[found.time or 0]
        title = column.title or ""
        times.check_once(stamps, groups, place, column.name, False)
    notes = [*found.notes, *roles.suspicious(values, names)]
    ahead = None if stamps is None else _ahead(data.schema.field(found.time or 0).type, stamps)
    if options.freq is not None:
        ahead = None  # rows that are added have no clock of their own
        added = added_rows.add(stamps, groups, options.freq, place)
        data = _with_rows(data, added, found, arrow, path)
        values = np.where(added.file[:, None] < 0, np.nan, values[added.file])
        groups = None if groups is None else groups[added.like]
        stamps = added.stamps
        notes.append(f"--freq {options.freq}: {np.count_nonzero(added.file < 0)} rows added")
    source = Source(data, packed, where)
    return roles.table(
        values, names, (title, stamps), (options.group, groups), integer, source, notes, ahead
    )


def _ahead(kind, stamps):
    """How far the zone of a column of stamps is ahead of UTC in each row; None without one."""
    import pandas as pd

    zone = getattr(kind, "tz", None)
    if zone is None or stamps.dtype != "datetime64[ns]":
        return None
    local = pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return local.to_numpy() - stamps


def _columns(data, options, place):
    """The columns as numpy arrays: numbers, stamps in UTC, text."""
    titles = ["" if name.startswith(_INDEX) else name for name in data.column_names]
    names = roles.unique_names(titles)
    return [
        roles.Column(title, name, _numpy(column, options.group in (title, name), place, name))
        for title, name, column in zip(titles, names, data.columns)
    ]


def _numpy(column, label, place, name):
    kind = "text" if label else arrow_columns.kind(column)
    if kind == "time":
        try:
            return arrow_columns.times(column)
        except ValueError as error:
            raise InputError(f"{place(None, name)}: {error}") from None
    if kind == "number":
        return arrow_columns.numbers(column)
    return arrow_columns.text(column)


def _finish(values, names, options, place):
    """Markers of holes that are numbers, in place; infinite values are refused."""
    for marker in cells.numeric(options.missing):
        values[values == marker] = np.nan
    if np.isinf(values).any():
        row, j = (int(i) for i in np.argwhere(np.isinf(values))[0])
        raise InputError(f"{place(row, names[j])}: an infinite value; repair it, or make it null")


def _with_rows(data, added, found, arrow, path):
    """The table with added rows: their time and label, and null in all other columns."""
    take = arrow.array(added.file, mask=added.file < 0)
    new = data.take(take)
    kind = data.schema.field(found.time).type
    if not arrow.types.is_timestamp(kind) and not arrow.types.is_date(kind):
        raise InputError(f"{path}: --freq needs a column of dates, not of text or numbers")
    zone = getattr(kind, "tz", None)
    stamps = (
        arrow.array(added.stamps)
        .cast(arrow.timestamp(np.datetime_data(added.stamps.dtype)[0], zone))
        .cast(kind, safe=False)
    )
    new = new.set_column(found.time, data.schema.field(found.time), stamps)
    if found.group is not None:
        labels = data.column(found.group).take(arrow.array(added.like))
        new = new.set_column(found.group, data.schema.field(found.group), labels)
    return new


def write(
    path: str,
    table: Table,
    values: np.ndarray,
    flags: np.ndarray | None,
    sides: Sequence[np.ndarray] | None = None,
) -> None:
    """Write the filled table.

    Args:
      path: the file.
      table: from `read`.
      values: (T, D); NaN leaves a hole as it was.
      flags: (T, D) bool, or None: columns NAME_filled of 0 and 1 for the columns with holes.
      sides: low and high (T, D), or None: columns NAME_low and NAME_high, null where they are NaN.

    Raises:
      InputError: the file cannot be written.
    """
    arrow = _pyarrow(path)
    source = table.source
    data = source.table
    holes = np.isnan(table.values)
    fill = holes & ~np.isnan(values)
    for j in np.flatnonzero(fill.any(axis=0)):
        number = int(source.values[j])
        field = data.schema.field(number)
        column = arrow_columns.replaced(data.column(number), fill[:, j], values[fill[:, j], j])
        data = data.set_column(number, field, column)
    if flags is not None:
        for j in np.flatnonzero(holes.any(axis=0)):
            data = data.append_column(
                f"{table.names[j]}_filled", arrow.array(flags[:, j].astype(np.int8))
            )
    for j in np.flatnonzero(holes.any(axis=0)) if sides is not None else ():
        for end, side in zip(SIDES, sides or ()):
            column = arrow.array(side[:, j], mask=np.isnan(side[:, j]))
            data = data.append_column(f"{table.names[j]}{end}", column)
    data = data.replace_schema_metadata(source.table.schema.metadata)
    with atomic_write(path, mode="wb") as file:
        arrow.parquet.write_table(data, file, compression=source.compression)
