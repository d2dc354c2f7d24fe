"""Read any container with named columns: which column is time, label, covariate or value."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from naomi_jax.tables import casting, empty_cells
from naomi_jax.tables.columns import times
from naomi_jax.tables.frames import arguments
from naomi_jax.tables.frames.arguments import Names
from naomi_jax.tables.frames.columns import Columns
from naomi_jax.tables.printable import listed, quoted
from naomi_jax.tables.table import Table, series_of

_SEEN = 20  # cells that decide whether a column of text looks like times


@dataclasses.dataclass(frozen=True)
class Source:
    """The way back into a container.

    Attributes:
      columns: the container.
      names: of its columns that are the table's.
    """

    columns: Columns
    names: tuple[Hashable, ...]

    def filled(self, fills: np.ndarray, which: np.ndarray) -> Any:
        """A copy in which the entries `which` (n, D) hold `fills` (n, D)."""
        new = {}
        for number, name in enumerate(self.names):
            positions = np.flatnonzero(which[:, number])
            if len(positions):
                new[name] = positions, fills[positions, number]
        return self.columns.filled(new)

    def flags(self, which: np.ndarray) -> Any:
        """The same container of booleans (n, D)."""
        return self.columns.flags(self.names, which)


def read(
    columns: Columns, time: Any, group: Any, covariates: Any, names: Sequence[Hashable] | None
) -> Table:
    """The table in a container with named columns.

    Args:
      columns: of the container.
      time, group, covariates, names: as in `reading.table_of`.

    Raises:
      TypeError, ValueError: naming the argument, what is wrong and what is accepted.
    """
    count = len(columns)
    if not count:
        raise ValueError("data: no rows (0 sample(s))")
    beside = columns.index(time is None, group is None)
    stamps, own_time = _named(columns, time, "time")
    labels, own_group = _named(columns, group, "group")
    extra, own_covariates = _covariates(columns, covariates)
    taken = {*own_time, *own_group, *own_covariates}
    chosen = _chosen(columns, taken, names)
    values = np.empty((count, len(chosen)))
    for number, name in enumerate(chosen):
        values[:, number] = columns.numbers(name, "data")
    arguments.check_values(values, chosen)
    given = beside.time if time is None else stamps
    stamps = arguments.time_values(given, count)
    series, different = series_of(beside.group if group is None else labels, count)
    notes = beside.notes if stamps is not None else (*beside.notes, *_ignored(columns, taken))
    integer = np.array([columns.is_integer(name) for name in chosen])
    return Table(
        values,
        tuple(chosen),
        series,
        different,
        stamps,
        arguments.covariate_values(extra, count),
        {
            "time": own_time[0] if own_time else None,
            "group": own_group[0] if own_group else None,
            "covariates": list(own_covariates) or None,
        },
        integer | casting.whole(values),
        Source(columns, tuple(chosen)),
        values.shape,
        notes,
        _empty(columns, {*taken, *chosen}),
        None if given is None else arguments.ahead(given),
    )


def _named(columns, what, argument):
    """(a value for each row or None, the columns that it uses up)."""
    if what is None:
        return None, ()
    if isinstance(what, Hashable) and columns.has(what):
        return columns.plain(what), (what,)
    if isinstance(what, str) or not hasattr(what, "__len__"):
        raise ValueError(
            f"{argument}: no column {quoted(what)}; the columns are {listed(columns.names)}"
        )
    return what, ()


def _covariates(columns, covariates):
    """(values or None, the columns that they are).

    A list may hold names or values. Text in it is names, as no value is text; other names are taken
    for such only where there are not as many as rows, or an earlier table says so.
    """
    if covariates is None:
        return None, ()
    if isinstance(covariates, str) or not hasattr(covariates, "__len__"):
        covariates = Names([covariates])
    elif isinstance(covariates, tuple) and covariates in columns.names:
        covariates = Names([covariates])  # a column of several levels
    wanted = _names_in(covariates, columns)
    if wanted is None:
        return covariates, ()
    every = set(columns.names)
    lost = next((name for name in wanted if name not in every), None)
    if lost is not None:
        raise ValueError(f"covariates: no column {quoted(lost)}")
    if not wanted:
        return None, ()
    found = [columns.numbers(name, "covariates") for name in wanted]
    return np.stack(found, axis=1), tuple(wanted)


def _names_in(covariates, columns):
    """The names, or None where they are values."""
    if isinstance(covariates, Names):
        return covariates
    kind = getattr(getattr(covariates, "dtype", None), "kind", None)
    if getattr(covariates, "ndim", 1) != 1 or kind in ("i", "u", "f", "b"):
        return None
    if not isinstance(covariates, (list, tuple)) and kind is None:
        return None
    cells = list(covariates)
    if all(isinstance(cell, str) for cell in cells):
        return cells
    every = set(columns.names)
    known = all(isinstance(cell, Hashable) and cell in every for cell in cells)
    if known and len(cells) != len(columns) and len(set(cells)) == len(cells):
        return cells
    return None


def _chosen(columns, taken, names):
    """The columns to fill."""
    if names is not None:
        every = set(columns.names)
        lost = [name for name in names if name not in every]
        if lost and tuple(names) == tuple(range(len(names))):
            raise ValueError(
                "data: a DataFrame; the imputer was fitted on an array without names of columns: "
                "hand over frame.to_numpy()"
            )
        if lost:
            raise ValueError(
                f"data: no column {quoted(lost[0])}, which the imputer was fitted on; columns go "
                "by name"
            )
        return list(names)
    chosen = [
        name for name in columns.names if name not in taken and columns.kind(name) == "number"
    ]
    if not chosen:
        raise ValueError("data: no column of numbers")
    return chosen


def _ignored(columns, taken):
    """Notes on columns that look like time, where none is read."""
    for name in columns.names:
        if name in taken:
            continue
        kind = columns.kind(name)
        if kind == "time" or (kind == "text" and _looks_like_time(columns.plain(name), name)):
            yield (
                f"column {quoted(name)} holds times and is not read as such: rows are taken to be "
                f"equally far apart; if it has their times, say time={quoted(name)}"
            )
            return


def _looks_like_time(cells, name):
    if not times.is_time_name(str(name)):
        return False
    seen = [cell for cell in list(cells[:_SEEN]) if not arguments.is_hole(cell)]
    return bool(seen) and all(isinstance(c, str) and times.is_date(c.strip()) for c in seen)


def _empty(columns, used):
    """Lines on cells that stay empty."""
    switches, others = {}, {}
    for name in columns.names:
        if name not in used:
            kind = columns.kind(name)
            if kind != "number":
                (switches if kind == "switch" else others)[name] = columns.holes(name)
    return empty_cells.lines(switches, others)
