"""Columns of xarray: those of a DataArray over time, or the variables of a Dataset."""

# ruff: noqa: D102 - columns.Columns says what each method does

from collections.abc import Hashable
from typing import Any

import numpy as np

from naomi_jax.tables import casting
from naomi_jax.tables.columns import times
from naomi_jax.tables.frames.arguments import ADVICE, is_hole
from naomi_jax.tables.frames.columns import Index
from naomi_jax.tables.printable import listed, quoted

_KINDS = {"i": "number", "u": "number", "f": "number", "b": "switch", "M": "time", "m": "time"}


class XarrayColumns:
    """See `columns.Columns`."""

    def __init__(self, data: Any, time: Any):
        """`data`: a DataArray or Dataset; `time`: as the user says it, perhaps a dimension."""
        self._data = data
        self._is_set = hasattr(data, "data_vars")
        self._dim = _time_dimension(data, time)
        if self._is_set:
            self._cells = {
                name: data[name].values
                for name in data.data_vars
                if data[name].dims == (self._dim,)
            }
            return
        others = [dim for dim in data.dims if dim != self._dim]
        if len(others) > 1:
            raise ValueError(
                f"data: a DataArray of {data.ndim} dimensions ({listed(data.dims)}); hand over one "
                "of time and one other, as .stack(column=[...]) makes it"
            )
        values = data.transpose(self._dim, *others).values.reshape(data.sizes[self._dim], -1)
        names = list(range(values.shape[1]))
        if others and others[0] in data.coords:
            names = [_plain(name) for name in data.coords[others[0]].values]
        elif not others:
            names = [0 if data.name is None else data.name]
        if len(set(names)) < len(names):
            raise ValueError(f"data: two entries of {quoted(others[0])} have one name")
        self._cells = dict(zip(names, values.T))

    @property
    def names(self) -> list[Hashable]:
        return list(self._cells)

    def __len__(self):
        return self._data.sizes[self._dim]

    def has(self, name):
        return name in self._cells or self._is_beside(name)

    def _is_beside(self, name):
        """Whether it is a coordinate along the rows."""
        return name in self._data.coords and self._data.coords[name].dims == (self._dim,)

    def kind(self, name):
        return _KINDS.get(self._cells[name].dtype.kind, "text")

    def numbers(self, name, argument):
        what, cells = self.kind(name), self._cells[name]
        if not (what == "number" or (what == "switch" and argument == "covariates")):
            raise ValueError(
                f"{argument}: column {quoted(name)} holds something else than numbers "
                f"({cells.dtype}); {ADVICE}"
            )
        return cells.astype(np.float64)

    def plain(self, name):
        return self._data.coords[name].values if self._is_beside(name) else self._cells[name]

    def holes(self, name):
        cells = self._cells[name]
        if cells.dtype.kind in "mM":
            return int(np.isnat(cells).sum())
        return sum(map(is_hole, cells)) if cells.dtype.kind == "O" else 0

    def is_integer(self, name):
        return self._cells[name].dtype.kind in "iu"

    def index(self, time, group):
        del group
        if not time or self._dim not in self._data.coords:
            return Index()
        cells = self._data.coords[self._dim].values
        if _is_time(cells):
            return Index(time=cells)
        if times.is_time_name(str(self._dim)):
            if cells.dtype.kind in "iuf":
                return Index(time=cells)
            note = (
                f"the coordinate {quoted(self._dim)} is not read as times ({cells.dtype}): rows "
                "are taken to be equally far apart; convert it to datetime64"
            )
            return Index(notes=(note,))
        return Index()

    def filled(self, fills):
        new = {}
        for name, (positions, values) in fills.items():
            cells = self._cells[name].copy()
            cells[positions] = casting.cast(values, cells.dtype)
            new[name] = cells
        return self._with(new)

    def _with(self, new):
        """A copy with other cells of some columns; dimensions, coordinates and attributes stay."""
        data = self._data
        if self._is_set:
            filled = data.copy(deep=True)
            for name, cells in new.items():
                filled[name] = data[name].copy(data=cells)
            return filled
        return self._array([new.get(name, cells) for name, cells in self._cells.items()])

    def _array(self, columns):
        """A DataArray like that which was handed over, of these columns."""
        data = self._data
        others = [dim for dim in data.dims if dim != self._dim]
        ordered = data.transpose(self._dim, *others)
        return ordered.copy(data=np.stack(columns, axis=1).reshape(ordered.shape)).transpose(
            *data.dims
        )

    def flags(self, names, which):
        by_name = {name: which[:, number] for number, name in enumerate(names)}
        if not self._is_set:
            nothing = np.zeros(len(self), bool)
            return self._array([by_name.get(name, nothing) for name in self._cells])
        flags = self._data[list(names)].copy(deep=True)
        for name, cells in by_name.items():
            flags[name] = self._data[name].copy(data=cells)
        return flags


def _plain(value):
    """A label as Python's own object."""
    return value.item() if isinstance(value, np.generic) else value


def _is_time(cells):
    return cells.dtype.kind in "mM"


def _time_dimension(data, time):
    """The dimension along which the rows stand.

    Raises:
      ValueError: there is none, or one of several must be said.
    """
    dims = list(data.dims)
    if isinstance(time, str) and time in dims:
        return time
    timed = [d for d in dims if d in data.coords and _is_time(data.coords[d].values)]
    timed = timed or [d for d in dims if times.is_time_name(str(d))]
    if len(timed) == 1:
        return timed[0]
    if len(dims) == 1 or (len(dims) == 2 and not timed and not hasattr(data, "data_vars")):
        return dims[0]
    raise ValueError(
        f"data: dimensions {listed(dims)}, of which {len(timed) or 'none'} "
        f"{'are' if len(timed) != 1 else 'is'} time; say which: time=DIMENSION"
    )
