"""Rows that arrive one after the other, filled from the rows before them."""

import dataclasses
import math
from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol

import numpy as np

from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.tables.table import Table


class Filler(Protocol):
    """What a stream needs of a fitted imputer."""

    _engine: Any

    def _read(self, data: Any, time: Any, group: Any, covariates: Any) -> tuple[Table, Panel, Any]:
        """The table of the data, the panel of its rows, and the row that each of these is."""
        ...

    def _sorted(self, rows: Table) -> tuple[Panel, Any]:
        """The panel of a table, and the row that each of its rows is."""
        ...

    def _placed(
        self, rows: Table, order: Any, wanted: np.ndarray, filled: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fills, and which entries are filled, in the rows and columns of the table."""
        ...


class Kept(NamedTuple):
    """The last rows of a series, copied: what was pushed may be forgotten.

    Attributes:
      values: (n, D) float64; NaN in the holes.
      time: (n,) stamps or numbers, or None.
      ahead: as in `Table`.
      covariates: (n, C) float64.
    """

    values: np.ndarray
    time: np.ndarray | None
    covariates: np.ndarray
    ahead: np.ndarray | None


class Stream:
    """What `Imputer.stream` makes: keeps the last rows of each series, and `push` fills new ones.

    The backward side of a network sees every new row, so that no state of fixed size would give
    the same answer: the kept rows are read again. Their number stays the same, and nothing compiles
    once it is reached. A stream can be pickled, with the rows that it keeps.
    """

    def __init__(self, imputer: Filler, rows: int):
        self._imputer = imputer
        self._rows = rows
        self._kept: dict[Hashable, Kept] = {}

    def push(
        self, data: Any, *, time: Any = None, group: Any = None, covariates: Any = None
    ) -> Any:
        """The new rows without holes.

        They are what `Imputer.transform` of the kept rows and these gives; then these are kept,
        and the oldest are not.

        Args:
          data: one row or more, as in `Imputer.transform`: a DataFrame, or an array (k, D). Each
            series (`group`) goes on from its own rows.
          time, group, covariates: as in `Imputer.transform`, of these rows.

        Returns:
          The same container, filled. Observed entries are bit-identical.

        Raises:
          TypeError, ValueError: naming the argument, what is wrong and what is accepted; the rows
            are then not kept.
        """
        imputer = self._imputer
        # Its own panel is not needed, but says which of the new rows have one stamp twice.
        new = imputer._read(data, time, group, covariates)[0]
        whole = _joined(list(self._before(new)), new)
        panel, order = imputer._sorted(whole)
        is_new = np.arange(len(whole.values)) >= len(whole.values) - len(new.values)
        wanted = ~panel.observed & is_new[order, None]
        filled = imputer._engine.fill(panel, wanted)[0] if wanted.any() else panel.values
        fills, which = imputer._placed(whole, order, wanted, filled)
        for number, label in enumerate(new.labels):
            rows = order[whole.series[order] == number]
            last = rows[_dropped(len(rows) - self._rows, imputer._engine.preparation.calendar) :]
            time, ahead = (None if t is None else t[last] for t in (whole.time, whole.ahead))
            self._kept[label] = Kept(whole.values[last], time, whole.covariates[last], ahead)
        return new.filled(fills[is_new], which[is_new])

    def _before(self, new):
        """The kept rows of each series of the new ones, with its number among these."""
        for number, label in enumerate(new.labels):
            if label not in self._kept:
                continue
            kept = self._kept[label]
            if (kept.time is None) != (new.time is None):
                raise ValueError("time: given for some of the rows that were pushed, not for all")
            if (kept.ahead is None) != (new.ahead is None):
                raise ValueError("time: some of the rows that were pushed carry a zone, not all")
            if new.time is not None and kept.time is not None:
                earliest, latest = new.time[new.series == number].min(), kept.time.max()
                if earliest <= latest:
                    raise ValueError(
                        f"time: {earliest} was pushed after {latest}; rows must come in the order "
                        "of time"
                    )
            yield number, kept


def _dropped(surplus, calendar):
    """How many of the oldest rows go: whole cycles of those that the user has named.

    Where rows have no times, the phase of a row is counted from the first one that is kept.
    """
    if calendar.kind != "rows" or surplus <= 0:
        return max(surplus, 0)
    cycle = math.lcm(*(round(period) for period in calendar.given))
    return surplus // cycle * cycle


def _joined(before, new):
    """The kept rows and the new ones under one another; the new ones' way back."""
    parts = [kept for _, kept in before]
    series = [np.full(len(kept.values), number) for number, kept in before]
    values = np.concatenate([*(kept.values for kept in parts), new.values])
    times = None if new.time is None else np.concatenate([*(k.time for k in parts), new.time])
    ahead = None if new.ahead is None else np.concatenate([*(k.ahead for k in parts), new.ahead])
    return dataclasses.replace(
        new,
        ahead=ahead,
        values=values,
        series=np.concatenate([*series, new.series]),
        time=times,
        covariates=np.concatenate([*(kept.covariates for kept in parts), new.covariates]),
        shape=values.shape,
    )
