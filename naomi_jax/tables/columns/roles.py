"""What each column is for: times, labels of series, row numbers, values, or none of these."""

import collections.abc
import dataclasses
from typing import Any

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.tables import casting, empty_cells
from naomi_jax.tables.columns import cells, times
from naomi_jax.tables.options import Options
from naomi_jax.tables.place import Place, called
from naomi_jax.tables.printable import printable, quoted
from naomi_jax.tables.table import Table, series_of

_SEEN = 20  # cells that decide whether a column of text holds dates
_REPEATED = 3  # a value that stands for a hole is there at least so often,
_SHARE = 0.002  # and in at least this share of the cells,
_DIFFERENT = 5  # in a column with at least so many other values


class NoSuchColumn(InputError):
    """A column that was named is not in the file.

    Attributes:
      option: which named it, "time" or "group".
    """

    def __init__(self, message: str, option: str):
        super().__init__(message)
        self.option = option


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of a file.

    Attributes:
      title: its name in the file, "" where it has none; None where the file names no column.
      name: its name here, which no other column has.
      data: (T,) numbers, datetime64[ns], or an object array of strings with None in holes.
    """

    title: str | None
    name: str
    data: np.ndarray


@dataclasses.dataclass(frozen=True)
class Roles:
    """Columns by what they are for; numbers count the columns of the file from 0.

    Attributes:
      time, clock: the columns of the date and of the time of day where that stands apart, or None.
      times: their stamps, or None.
      group: the column of labels, or None.
      values: number of a column of values -> (T,) float64.
      notes: on what was assumed and left out, and on cells that stay empty.
    """

    time: int | None
    clock: int | None
    times: times.Times | None
    group: int | None
    values: dict[int, np.ndarray]
    notes: tuple[str, ...]


def unique_names(titles: collections.abc.Iterable[str]) -> list[str]:
    """Names that differ: "a", "a" become "a", "a.1", and no name becomes "column 3"."""
    names: dict[str, None] = {}  # in order
    taken = set(titles)
    for number, title in enumerate(titles, 1):
        name, count = title or f"column {number}", 0
        while name in names or (count and name in taken):
            count += 1
            name = f"{title or f'column {number}'}.{count}"
        names[name] = None
    return list(names)


def assign(columns: list[Column], options: Options, decimal: str | None, place: Place) -> Roles:
    """Find the role of every column.

    Args:
      columns: of the file, in its order.
      options: what the user says.
      decimal: mark of numbers in text; None where columns have types, and text is no number.
      place: for messages.

    Raises:
      InputError: a column that the user names is not there, a time cannot be read, a column of
        numbers has other text in it, or no column has numbers.
    """
    notes = []
    group = _named(columns, options.group, "--group", place)
    time, clock, found = _time(columns, options, group, place)
    if time is not None and found is not None:
        words = f" ({found.words})" if found.words else ""
        both = f" and {called(columns[clock].name)}" if clock is not None else ""
        notes.append(f"{called(columns[time].name)}{both}: the time{words}")
    rest = [i for i in range(len(columns)) if i not in (group, time, clock)]
    if rest[:1] == [0] and len(rest) > 1 and _is_row_number(columns[0]):
        notes.append(f"first {called(columns[0].name)}: row numbers, left out")
        rest = rest[1:]
    values, carried = {}, []
    for i in rest:
        data = columns[i].data
        if data.dtype.kind == "O" and decimal:
            data = cells.numbers(data, decimal, options.missing, place, columns[i].name)
        elif data.dtype.kind not in "iuf" or (time is not None and _is_second_time(columns[i])):
            data = None
        if data is None:
            carried.append(columns[i])
        else:
            values[i] = data.astype(np.float64)
    if time is None:
        notes += [note for column in carried for note in _no_times(column)]
    if carried:
        shown = ", ".join(quoted(column.name) for column in carried)
        notes += [f"no numbers, carried through untouched: {shown}", *_empty(carried)]
    if not any(np.isfinite(data).any() for data in values.values()):
        raise InputError(f"{place.path}: no column of numbers")
    return Roles(time, clock, found, group, values, tuple(notes))


def _no_times(column):
    """A note on a column of text that is called like times and holds none."""
    known = [cell for cell in column.data if cell is not None] if column.data.dtype == "O" else []
    if known and times.is_time_name(column.name):
        yield (
            f"{called(column.name)}: not read as times, as {quoted(known[0][:60])} is no date like "
            "2020-12-31 13:00"
        )


def _empty(carried):
    """Notes on the cells that stay empty."""
    switches, others = {}, {}
    for column in carried:
        data = column.data
        if data.dtype.kind == "O":
            holes = np.array([cell is None or not cell.strip() for cell in data])
        else:
            holes = np.isnat(data) if data.dtype.kind == "M" else np.isnan(data)
        known = {cell.strip().lower() for cell in data[~holes]} if data.dtype.kind == "O" else ()
        kind = switches if known and known <= empty_cells.SWITCHES else others
        kind[column.name] = int(np.count_nonzero(holes))
    return empty_cells.lines(switches, others)


def _named(columns, name, option, place):
    if name is None:
        return None
    for i, column in enumerate(columns):
        if name in (column.title, column.name, str(i + 1) if column.title is None else None):
            return i
    names = ", ".join(quoted(c.name) for c in columns[:20])
    raise NoSuchColumn(
        f"{place.path}: {option} {printable(name)}: no such column; there are {names}", option[2:]
    )


def _time(columns, options, group, place):
    """(column, column of the time of day, times); all None without times."""
    chosen = _named(columns, options.time, "--time", place)
    if chosen is not None and chosen == group:
        raise InputError(f"{place.path}: {quoted(options.time)} cannot be both --time and --group")
    open_ = [i for i in range(len(columns)) if i != group]
    if chosen is None:
        dates = [i for i in open_ if _holds_dates(columns[i])]
        dates = [i for i in dates if not _is_constant(columns[i].data) or _clock(columns, i)]
        named = [i for i in dates if times.is_time_name(columns[i].name)]
        chosen = next(iter(named or dates), None)
    if chosen is not None and columns[chosen].data.dtype.kind == "O":
        clock = _clock(columns, chosen)
        text = columns[chosen].data
        if clock is not None:
            text = np.array([_together(*p) for p in zip(text, columns[clock].data)], object)
        found = times.parse(text, options.dayfirst, place, columns[chosen].name)
        return chosen, clock, found
    for i in open_ if chosen is None else [chosen]:
        data = columns[i].data
        if data.dtype.kind == "M":
            if i != chosen and _is_constant(data):
                continue
            _check_whole(np.isnat(data), place, columns[i].name)
            return i, None, times.Times(data)
        if data.dtype.kind in "iuf":
            if np.isnan(data.astype(np.float64)).any():
                if i == chosen:
                    _check_whole(np.isnan(data), place, columns[i].name)
                continue
            index = i == 0 and columns[i].title == ""
            found = times.from_numbers(data, columns[i].name, i == chosen, index)
            if found:
                return i, None, found
    return None, None, None


def _check_whole(missing, place, name):
    if missing.any():
        row = int(np.argmax(missing))
        raise InputError(f"{place(row, name)}: no time in this row; remove it or write its time")


def _holds_dates(column):
    if column.data.dtype.kind == "M":
        return True
    if column.data.dtype.kind != "O":
        return False
    seen = [cell.strip() for cell in column.data if cell is not None][:_SEEN]
    return bool(seen) and all(map(times.is_date, seen))


def _is_constant(data):
    """One date in every row, such as valid until 9999: not the time of the rows."""
    return len(data) > 1 and bool((data == data[0]).all())


def _clock(columns, date):
    """The column behind the date, if it holds times of day and the date has none."""
    if date + 1 >= len(columns) or columns[date + 1].data.dtype.kind != "O":
        return None
    dates, clocks = columns[date].data[:_SEEN], columns[date + 1].data[:_SEEN]
    alone = all(d is not None and ":" not in d for d in dates)
    both = all(c is not None and times.is_clock(c.strip()) for c in clocks)
    return date + 1 if alone and both else None


def _together(date, clock):
    return None if date is None or clock is None else f"{date.strip()} {clock.strip()}"


def _is_row_number(column):
    """Consecutive from 0 or 1; without a title, any index of whole numbers that increase."""
    data = column.data
    if data.dtype.kind not in "iuf" or len(data) < 3 or np.isnan(data.astype(np.float64)).any():
        return False
    if data[0] in (0, 1) and (data == data[0] + np.arange(len(data))).all():
        return True
    return column.title == "" and data.dtype.kind in "iu" and bool((data[1:] > data[:-1]).all())


def _is_second_time(column):
    """Another column of epoch times: no sensor."""
    data = column.data
    if np.isnan(data.astype(np.float64)).any() or not times.is_time_name(column.name):
        return False
    found = times.from_numbers(data, column.name)
    return found is not None and found.stamps.dtype.kind == "M"


def suspicious(values: np.ndarray, names: collections.abc.Sequence[str]) -> list[str]:
    """Notes on a single value far from all others and repeated often, such as -999.

    Args:
      values: (T, D).
      names: of the D columns.
    """
    found = {}
    for j, name in enumerate(names):
        data = values[:, j]
        data = data[~np.isnan(data)]
        if len(data) < _REPEATED:
            continue
        for value in _far(data):
            found.setdefault(float(value), []).append(name)
    return [
        f"{value:g} stands often in {', '.join(map(quoted, where[:5]))}"
        f"{' and others' if len(where) > 5 else ''}, far from all other values; where it means "
        f"missing: --missing {value:g}"
        for value, where in found.items()
    ]


def _far(data):
    """The least or the greatest value, where it is repeated and far outside the rest."""
    ends = (data.min(), data.max())
    often = [
        end for end in ends if np.count_nonzero(data == end) >= max(_REPEATED, _SHARE * len(data))
    ]
    if not often:
        return []
    rest = data[~np.isin(data, often)]
    if not len(rest) or len(np.unique(rest[:1000])) < _DIFFERENT:
        return []
    low, high = rest.min(), rest.max()
    return [end for end in often if max(low - end, end - high) > high - low]


def table(
    values: np.ndarray,
    names: tuple[str, ...],
    time: tuple[str | None, np.ndarray | None],
    group: tuple[str | None, np.ndarray | None],
    integer: np.ndarray,
    source: Any,
    notes: collections.abc.Sequence[str],
    ahead: np.ndarray | None = None,
) -> Table:
    """The table of a file of columns.

    Args:
      values: (T, D), NaN in the holes.
      names: of the D columns.
      time: name of the column of time and its stamps, or None.
      group: name of the column of labels and these, or None.
      integer: (D,) columns that are integers in the file.
      source: how the file was written.
      notes, ahead: as in `Table`.
    """
    series, labels = series_of(group[1], len(values))
    return Table(
        values,
        names,
        series,
        labels,
        time[1],
        np.zeros((len(values), 0)),
        {"time": time[0], "group": group[0], "covariates": None},
        integer | casting.whole(values),
        source,
        values.shape,
        tuple(notes),
        ahead=ahead,
    )
