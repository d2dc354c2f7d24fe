"""Write a text table back: the file as it was, with other text in its holes alone."""

from collections.abc import Sequence

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.tables.columns import times
from naomi_jax.tables.files import digits, text
from naomi_jax.tables.table import SIDES, Table

_SEEN = 500  # rows that show with how many digits a column is written,
_CELLS = 200_000  # with at most so many cells
_ENOUGH = 20  # observed cells among them; else the column's own are looked for
_SUFFIX = "_filled"


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
      table: from `delimited.read`.
      values: (T, D); NaN leaves a hole as it was.
      flags: (T, D) bool, or None: columns NAME_filled of 0 and 1 for the columns with holes.
      sides: low and high (T, D), or None: columns NAME_low and NAME_high, empty where they are NaN.

    Raises:
      InputError: the file cannot be written.
    """
    source = table.source
    holes = np.isnan(table.values)
    rows = _rows(table)
    _fill(rows, table, values, holes & ~np.isnan(values))
    records = list(source.records)
    flagged = np.flatnonzero(holes.any(axis=0))
    if flags is not None and len(flagged):
        marks = np.where(flags[:, flagged], "1", "0").tolist()
        rows = [_with(record, cells, source) for record, cells in zip(rows, marks)]
        if source.header >= 0:
            records[source.header] = _titled(records[source.header], source, flagged, [_SUFFIX])
    if sides is not None and len(flagged):
        marks = _sides(table, flagged, sides)
        rows = [_with(record, cells, source) for record, cells in zip(rows, marks)]
        if source.header >= 0:
            records[source.header] = _titled(records[source.header], source, flagged, SIDES)
    for record, row in zip(source.rows.tolist(), rows):
        if record >= 0:
            records[record] = row
    records = _with_added(records, source, rows)
    with atomic_write(path, mode="wb") as file:
        file.write(text.encode(source.text, source.text.end.join(records)))


def _rows(table):
    """The record of each row of the table; those of added rows are made."""
    source = table.source
    rows = [source.records[i] for i in source.like]
    added = np.flatnonzero(source.rows < 0)
    if not len(added):
        return rows
    width, role, separator = source.layout.width, source.roles, source.layout.separator
    example = _longest_time(source)
    for row in added:
        old, tail = text.split(rows[row], separator)
        cells = [" NaN" if separator == text.BLANKS else ""] * (width + source.layout.trailing)
        if role.group is not None:
            cells[role.group] = old[role.group]
        stamp = times.render(example, table.time[row], role.times)
        if role.clock is None:
            new = [(role.time, stamp)]
        else:
            new = zip((role.time, role.clock), stamp.split(" ", 1))
        for column, word in new:
            quoted = old[column].lstrip().startswith('"')
            word = f'"{word}"' if quoted else word
            cells[column] = f" {word}" if separator == text.BLANKS else word
        rows[row] = text.join(cells, tail, separator).lstrip(" ")
    return rows


def _longest_time(source):
    """A time of the file that shows all parts: some leave out 00:00."""
    best = ""
    for i in source.rows[source.rows >= 0][:100]:
        cells, _ = text.split(source.records[i], source.layout.separator)
        found = text.content(cells[source.roles.time])
        if source.roles.clock is not None:
            found += " " + text.content(cells[source.roles.clock])
        best = max(best, found, key=len)
    return best


def _fill(rows, table, values, fill):
    """Write values into the cells of rows, in place."""
    source = table.source
    separator = source.layout.separator
    at, columns = np.nonzero(fill)
    written = np.empty(len(at), object)
    sample = _sample(table)
    for j in np.unique(columns):
        here = np.flatnonzero(columns == j)
        form = _form(table, j, sample, bool(source.integer[j]))
        written[here] = [form.write(value) for value in values[at[here], j].tolist()]
    starts = np.flatnonzero(np.diff(at, prepend=-1)).tolist()
    where, written, at = source.values[columns].tolist(), written.tolist(), at.tolist()
    for start, end in zip(starts, [*starts[1:], len(at)]):
        cells, tail = text.split(rows[at[start]], separator)
        for k in range(start, end):
            cells[where[k]] = _put(cells[where[k]], written[k], separator)
        rows[at[start]] = text.join(cells, tail, separator)


def _form(table, j, sample, integer):
    """With how many digits a column is written."""
    cells, decimal = _seen(table, j, sample), table.source.layout.decimal
    return digits.of(cells, table.values[:, j], integer, decimal)


def _sides(table, columns, sides):
    """The cells of each row: low and high of each of the columns."""
    separator, sample = table.source.layout.separator, _sample(table)
    empty = "NaN" if separator == text.BLANKS else ""
    found = []
    for j in columns:
        form = _form(table, j, sample, False)
        for side in sides:
            each = (empty if np.isnan(v) else form.write(v) for v in side[:, j].tolist())
            found.append([f'"{cell}"' if separator in cell else cell for cell in each])
    return zip(*found)


def _sample(table):
    """Raw cells of rows from all over the file: row of the table -> cells."""
    source = table.source
    count = min(_SEEN, max(_CELLS // source.layout.width, _ENOUGH))
    rows = np.unique(np.linspace(0, len(source.rows) - 1, count).astype(int)).tolist()
    return {row: _cells(source, row) for row in rows if source.rows[row] >= 0}


def _seen(table, j, sample):
    """Some observed cells of a column, as they are written."""
    source = table.source
    observed = ~np.isnan(table.values[:, j])
    rows = [row for row in sample if observed[row]]
    if len(rows) < _ENOUGH:
        rows = np.flatnonzero(observed)[:_ENOUGH].tolist()
    column = source.values[j]
    for row in rows:
        yield text.content((sample.get(row) or _cells(source, row))[column])


def _cells(source, row):
    return text.split(source.records[source.rows[row]], source.layout.separator)[0]


def _put(cell, new, separator):
    """A raw cell with a value in place of its hole; its quotes and blanks stay."""
    if cell:
        core = cell.strip()
        if core.startswith('"'):
            new = f'"{new}"'
        lead = cell[: len(cell) - len(cell.lstrip())] if core else cell[0]
        return lead + new + cell[len(cell.rstrip()) :] if core else lead + new
    return f'"{new}"' if separator in new else new


def _with(record, cells, source):
    """A record with cells at its end, before the separator that ends every line."""
    separator = source.layout.separator
    body = record.rstrip("\r")
    end = record[len(body) :]
    if source.layout.trailing and body.rstrip(" ").endswith(separator):
        cut = body.rindex(separator)
        body, end = body[:cut], body[cut:] + end
    return separator.join([body, *cells]) + end


def _titled(record, source, columns, suffixes):
    """The header with more names: those of the columns and what follows, with their quotes."""
    cells, _ = text.split(record, source.layout.separator)
    missing = max(source.layout.width - len(cells), 0)  # R gives row names no title
    names = []
    for column in source.values[columns]:
        core = cells[column - missing].strip()
        if not core:
            core = f"column {column + 1}"
        quoted = len(core) > 1 and core[0] == core[-1] == '"'
        for end in suffixes:
            names.append(f'{core[:-1]}{end}"' if quoted else core + end)
    return _with(record, names, source)


def _with_added(records, source, rows):
    """The records with those of added rows behind the rows that they belong to."""
    added = np.flatnonzero(source.rows < 0).tolist()
    if not added:
        return records
    behind = {}
    for row in added:
        behind.setdefault(int(source.like[row]), []).append(rows[row].rstrip("\r"))
    mark = "\r" if records[0].endswith("\r") else ""
    lines = []
    for number, record in enumerate(records):
        new = behind.get(number, [])
        if new and number == len(records) - 1:  # the file's last line has no end
            record, new = record + mark, [*(line + mark for line in new[:-1]), new[-1]]
        else:
            new = [line + mark for line in new]
        lines += [record, *new]
    return lines
