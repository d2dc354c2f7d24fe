"""Read .csv, .tsv and .txt, compressed or not."""

import dataclasses
import io
from typing import Any

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.tables.columns import added_rows, cells, roles, times
from naomi_jax.tables.files import layout, text
from naomi_jax.tables.files.layout import Layout
from naomi_jax.tables.options import Options
from naomi_jax.tables.place import Place
from naomi_jax.tables.table import Table


@dataclasses.dataclass(frozen=True)
class Source:
    """How a text file was written.

    Attributes:
      text: the file.
      records: its lines, joined where a quoted cell goes on in the next.
      rows: (T,) the record of each row of the table; -1 for a row added by --freq.
      like: (T,) the record itself, or the one that an added row stands behind.
      layout: separator, decimal mark, header.
      header: the record of the header, or -1.
      values: (D,) the file's columns that are the table's, from 0.
      roles: of all columns.
      integer: (D,) bool, the columns whose observed cells are all written as integers.
    """

    text: text.Text
    records: list[str]
    rows: np.ndarray
    like: np.ndarray
    layout: Layout
    header: int
    values: np.ndarray
    roles: roles.Roles
    integer: np.ndarray


def read(path: str, options: Options) -> Table:
    """Read a text file of rows and columns.

    Raises:
      InputError: naming the file, the line and what to do.
    """
    file = text.read(path)
    separator, decimal = layout.separator(file, options, path)
    records, numbers = text.records(file, separator, path)
    form = layout.find(records, separator, decimal, options, path)
    header, kept = _rows(records, form)
    place = Place(path, lambda row: int(numbers[kept[row]]))
    _check_widths(records, numbers, kept, header, form, path)
    body = [records[i] for i in kept] if len(kept) < len(records) else records
    frame = _frame(body, form, options, path)
    columns = _columns(frame, body, form, options)
    found = roles.assign(columns, options, form.decimal, place)
    values = np.stack(list(found.values.values()), axis=1)
    where = np.array(list(found.values))
    for marker in cells.numeric(options.missing, form.decimal):
        values[values == marker] = np.nan
    _check_finite(values, [columns[i].name for i in where], place)
    integer = _integer(frame, values, where, body, form)
    groups = None if found.group is None else _labels(columns[found.group].data)
    stamps = None
    if found.times is not None:
        stamps, name = found.times.stamps, columns[found.time or 0].name
        times.check_once(stamps, groups, place, name, not found.times.unit)
    names = tuple(columns[i].name for i in where)
    notes = [*form.notes, *found.notes, *roles.suspicious(values, names)]
    rows = like = np.asarray(kept)
    ahead = None if found.times is None else found.times.ahead
    if options.freq is not None:
        ahead = None  # rows that are added have no clock of their own
        added = added_rows.add(stamps, groups, options.freq, place)
        rows, like = np.where(added.file < 0, -1, rows[added.file]), rows[added.like]
        values = np.where(added.file[:, None] < 0, np.nan, values[added.file])
        groups = None if groups is None else groups[added.like]
        stamps = added.stamps
        notes.append(f"--freq {options.freq}: {np.count_nonzero(rows < 0)} absent rows added")
    if not form.header:
        names = tuple(map(str, range(len(where))))
    title = None if found.time is None else columns[found.time].title or ""
    source = Source(file, records, rows, like, form, header, where, found, integer)
    return roles.table(
        values, names, (title, stamps), (options.group, groups), integer, source, notes, ahead
    )


def _rows(records, form):
    """The record of the header, or -1, and those of the rows."""
    lines = len(records) - 1 if records[-1] == "" else len(records)  # nothing behind the last end
    blank = [text.is_blank(r, form.separator) for r in records[:lines]]
    header = blank.index(False) if form.header else -1
    if form.width == 1 and not form.trailing:  # a blank line is a hole
        return header, list(range(header + 1, lines))
    return header, [i for i in range(header + 1, lines) if not blank[i]]


def _check_widths(records, numbers, kept, header, form, path):
    """Refuse a line with more or fewer cells than the others."""
    width = form.width + form.trailing
    if form.width == 1 and not form.trailing and form.separator != text.BLANKS:
        fits = {0, 1}
    else:
        fits = {width}
    for i in [header, *kept] if header >= 0 else kept:
        record = records[i]
        if '"' in record or form.separator == text.BLANKS:
            count = len(text.split(record, form.separator)[0])
        else:
            count = record.count(form.separator) + 1
        if count in fits or (i == header and count == width - 1 and any(form.titles)):
            continue
        where = f"{path}, line {numbers[i]}"
        if i == header:
            raise InputError(
                f"{where}: {count} cells, but most lines have {width}; remove what stands above "
                "the names of the columns, or repair the line"
            )
        if record.lstrip().startswith("#"):
            raise InputError(f"{where}: a comment; remove lines that begin with '#'")
        raise InputError(
            f"{where}: {count} cells, but most lines have {width}; repair the line, or say what "
            "separates cells: --separator"
        )


def _frame(body, form, options, path):
    """The rows as a DataFrame of numbers and text."""
    import pandas as pd

    try:
        frame = _parse(body, form, options)
    except pd.errors.ParserError:
        frame = ()
    if len(frame) != len(body):
        raise InputError(f"{path}: quotes or line ends that cannot be read; save the file anew")
    return frame


def _parse(body, form, options, columns=None):
    """The rows as a DataFrame; given columns as text to the letter."""
    import pandas as pd

    separator = r"\s+" if form.separator == text.BLANKS else form.separator
    common: dict[str, Any] = dict(
        sep=separator, header=None, names=range(form.width + form.trailing), index_col=False,
        skip_blank_lines=False, low_memory=False, skipinitialspace=True, engine="c",
    )  # fmt: skip
    data = io.StringIO("\n".join(body) + "\n")
    if columns is not None:
        common |= dict(dtype=str, na_filter=False, usecols=columns)
        return pd.read_csv(data, **common)
    if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1):
        common["float_precision"] = "round_trip"  # exact; the default later on
    # Markers that are numbers are looked for in columns of values alone, not among times.
    missing = [m for m in options.missing if not cells.numeric((m,), form.decimal)]
    return pd.read_csv(data, decimal=form.decimal, na_values=missing, **common)


def _columns(frame, body, form, options):
    """The columns with their names; labels of series as the text that they are."""
    named = bool(form.titles)
    titles = list(form.titles) if named else [None] * form.width
    names = roles.unique_names(titles) if named else [f"column {i + 1}" for i in range(form.width)]
    columns = []
    for i in range(form.width):
        series = frame[i]
        if options.group is not None and options.group in (titles[i], names[i]):
            data = _parse(body, form, options, [i])[i].to_numpy(object)
        elif series.dtype.kind in "iuf":
            data = series.to_numpy()
        else:
            data = series.astype(object).where(series.notna(), None).to_numpy(object, copy=True)
            for row, cell in enumerate(data):  # True, and integers of more than 64 bits
                if cell is not None and not isinstance(cell, str):
                    data[row] = str(cell)
        columns.append(roles.Column(titles[i], names[i], data))
    return columns


def _labels(data):
    return np.array(["" if cell is None else str(cell).strip() for cell in data], object)


def _check_finite(values, names, place):
    if np.isinf(values).any():
        row, j = (int(i) for i in np.argwhere(np.isinf(values))[0])
        raise InputError(
            f"{place(row, names[j])}: an infinite value, or one too large; repair it, or leave "
            "the cell empty to have it filled"
        )


def _integer(frame, values, where, body, form):
    """(D,) columns whose observed cells are written without decimals."""
    found = np.array([frame.dtypes[i].kind in "iu" for i in where])
    open_ = []
    for j in np.flatnonzero(~found):
        seen = values[~np.isnan(values[:, j]), j]
        if len(seen) and (seen == np.floor(seen)).all():
            open_.append(j)
    if not open_:
        return found
    # Whole numbers in a column with holes: only their text tells 3 from 3.0.
    written_as = _parse(body, form, None, [int(where[j]) for j in open_])
    for j in open_:
        written = written_as[int(where[j])].to_numpy(object)[~np.isnan(values[:, j])]
        found[j] = all(cell.strip().lstrip("+-").isdigit() for cell in written)
    return found
