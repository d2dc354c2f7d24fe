"""Rows that arrive one after the other, filled from the rows before them."""

import dataclasses
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from naomi_jax.tables.frames import Rows

if TYPE_CHECKING:
    from naomi_jax.imputer.imputer import Imputer


class Stream:
    """What `Imputer.stream` makes: keeps the last rows of each series, and `push` fills new ones.

    The backward side of a network sees every new row, so that no state of fixed size would give
    the same answer: the kept rows are read again. Their number stays the same, and nothing compiles
    once it is reached.
    """

    def __init__(self, imputer: "Imputer", rows: int):
        self._imputer = imputer
        self._rows = rows
        self._kept: dict[Hashable, Rows] = {}

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
        whole = _joined([*self._before(new), new])
        panel, order = imputer._sorted(whole)
        is_new = np.arange(len(whole.values)) >= len(whole.values) - len(new.values)
        wanted = ~panel.observed & is_new[order, None]
        filled = imputer._engine.fill(panel, wanted)[0] if wanted.any() else panel.values
        fills, which = imputer._placed(whole, order, wanted, filled)
        for number, label in enumerate(new.labels):
            last = order[whole.series[order] == number][-self._rows :]
            self._kept[label] = _taken(whole, last)
        return new.back(fills[is_new], which[is_new])

    def _before(self, new):
        """The kept rows of each series of the new ones, with its number among these."""
        for number, label in enumerate(new.labels):
            if label not in self._kept:
                continue
            kept = self._kept[label]
            if (kept.time is None) != (new.time is None):
                raise ValueError("time: given for some of the rows that were pushed, not for all")
            if new.time is not None and kept.time is not None:
                earliest, latest = new.time[new.series == number].min(), kept.time.max()
                if earliest <= latest:
                    raise ValueError(
                        f"time: {earliest} was pushed after {latest}; rows must come in the order "
                        "of time"
                    )
            yield dataclasses.replace(kept, series=np.full(len(kept.values), number))


def _taken(rows, which):
    time = None if rows.time is None else rows.time[which]
    values, covariates = rows.values[which], rows.covariates[which]
    return dataclasses.replace(
        rows, values=values, series=rows.series[which], time=time, covariates=covariates
    )


def _joined(parts):
    """All rows under one another."""
    last = parts[-1]
    return dataclasses.replace(
        last,
        values=np.concatenate([part.values for part in parts]),
        series=np.concatenate([part.series for part in parts]),
        time=None if last.time is None else np.concatenate([part.time for part in parts]),
        covariates=np.concatenate([part.covariates for part in parts]),
    )
