"""A table with holes, from a file or from memory: values, names, series, times and the way back."""

import dataclasses
import hashlib
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float, Int

from naomi_jax.tables.printable import quoted


class Source(Protocol):
    """What a table was read from."""

    def filled(self, fills: np.ndarray, which: np.ndarray) -> Any:
        """A copy in which the entries `which` (n, D) hold `fills` (n, D), in their own types."""
        ...

    def flags(self, which: np.ndarray) -> Any:
        """The same container of booleans (n, D)."""
        ...


SIDES = ("_low", "_high")  # behind a column's name: between which its missing values lie


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """A table as it came: n rows in their own order, D columns that are filled.

    Attributes:
      values: (n, D) float64; NaN in the holes. Arrays of sequences stand under one another.
      names: of the D columns; their numbers where they have no names.
      series: (n,) which series each row belongs to, from 0 in order of appearance.
      labels: of the series; their numbers where they have no names.
      time: (n,) datetime64, in UTC where stamps carry zones, or float64; None: rows are equally
        far apart. Two stamps may be subtracted from each other (stamps.py).
      covariates: (n, C) float64.
      layout: names of the columns of time, group and covariates; None where there is none.
      whole: (D,) columns that are filled with whole numbers.
      source: what was read, and the way back; of a file, how it was written.
      shape: of the data as they came: (n, D), or (N, T, D) for N sequences of one length.
      notes: plain lines on what was assumed or left out.
      empty: plain lines on cells that stay empty, as their columns hold no numbers.
      ahead: (n,) timedelta64[ns], how far the clock on the wall is ahead of `time`, where stamps
        carry zones; None: they are that clock, or nothing is known of it.
    """

    values: Float[np.ndarray, "n D"]
    names: tuple[Hashable, ...]
    series: Int[np.ndarray, " n"]
    labels: tuple[Hashable, ...]
    time: np.ndarray | None
    covariates: Float[np.ndarray, "n C"]
    layout: dict[str, Any]
    whole: Bool[np.ndarray, " D"]
    source: Any
    shape: tuple[int, ...]
    notes: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    ahead: np.ndarray | None = None

    @property
    def clock(self) -> np.ndarray | None:
        """(n,) the times as the clock on the wall shows them: hours of the day are its hours."""
        if self.ahead is None or self.time is None:
            return self.time
        return self.time + self.ahead.astype(f"timedelta64[{np.datetime_data(self.time.dtype)[0]}]")

    @property
    def time_name(self) -> str | None:
        """Of the column of time, "" where it has none; None without such a column."""
        return self.layout["time"]

    @property
    def groups(self) -> np.ndarray | None:
        """(n,) the label of each row's series, or None where rows carry none."""
        if self.layout["group"] is None:
            return None
        return np.array([*self.labels, None], object)[:-1][self.series]

    @property
    def stacked(self) -> np.ndarray:
        """The values in the shape in which they came."""
        return self.values.reshape(self.shape)

    def filled(self, fills: np.ndarray, which: np.ndarray, whole: bool = True) -> Any:
        """A copy of what was read, with fills in some places; of a file, a Table.

        Args:
          fills: (n, D).
          which: (n, D) bool, where they go.
          whole: whether columns of whole numbers take them rounded.
        """
        if whole:
            fills = np.where(self.whole, np.round(fills), fills)
        if hasattr(self.source, "filled"):
            return self.source.filled(fills, which)
        return dataclasses.replace(self, values=np.where(which, fills, self.values))

    def flags(self, which: np.ndarray) -> Any:
        """The same container of booleans (n, D); of a file, an array of them."""
        return self.source.flags(which) if hasattr(self.source, "flags") else which

    def only(
        self, names: Sequence[Hashable] | None, covariates: Sequence[Hashable] = ()
    ) -> "Table":
        """Some of the columns, and others as covariates.

        Args:
          names: in the order wanted; None for all but the covariates.
          covariates: names of columns that are known in every row.

        Raises:
          ValueError: there is no such column, or a covariate has holes.
        """
        if names is None:
            names = [name for name in self.names if name not in covariates]
        place = {name: number for number, name in enumerate(self.names)}
        for argument, wanted in (("data", names), ("covariates", covariates)):
            lost = next((name for name in wanted if name not in place), None)
            if lost is not None:
                raise ValueError(f"{argument}: no column {quoted(lost)}; columns go by name")
        kept = [place[name] for name in names]
        extra = self.values[:, [place[name] for name in covariates]]
        if np.isnan(extra).any():
            row, number = np.argwhere(np.isnan(extra))[0]
            raise ValueError(
                f"covariates: {quoted(covariates[number])} has no value in row {row + 1}; "
                "they are known in every row"
            )
        return dataclasses.replace(
            self,
            values=self.values[:, kept],
            names=tuple(names),
            covariates=np.concatenate([self.covariates, extra], axis=1),
            layout={**self.layout, "covariates": list(covariates) or self.layout["covariates"]},
            whole=self.whole[kept],
            shape=(*self.shape[:-1], len(kept)),
        )

    def sha256(self) -> str:
        """A hash of values, names, times and labels: the same for the same table in any format."""
        digest = hashlib.sha256()
        values = np.where(np.isnan(self.stacked), np.nan, self.stacked)  # one NaN of the many
        for part in (values.astype("<f8"), self.time, self.groups):
            if part is None:
                digest.update(b"none;")
            elif part.dtype.kind == "O":
                digest.update(repr([str(label) for label in part]).encode())
            else:
                part = part.astype("<i8") if part.dtype.kind == "M" else part
                digest.update(f"{part.dtype.kind}{part.shape};".encode())
                digest.update(np.ascontiguousarray(part).tobytes())
        if self.ahead is not None:  # the same moments in another zone have other hours of the day
            digest.update(self.ahead.astype("<i8").tobytes())
        digest.update(repr(self.names).encode())
        return digest.hexdigest()


def series_of(labels: Any, count: int) -> tuple[np.ndarray, tuple[Hashable, ...]]:
    """(number of each row's series, from 0 in order of appearance; the label of each number).

    Args:
      labels: (n,) one for each row, or None for one series.
      count: n.

    Raises:
      ValueError: there are more or fewer, or a row has none.
    """
    if labels is None:
        return np.zeros(count, np.int64), (0,)
    import pandas as pd

    labels = labels if isinstance(labels, pd.Index) else np.asarray(labels)
    if labels.shape != (count,):
        raise ValueError(
            f"group: shape {labels.shape}; one label for each of {count} rows is needed"
        )
    codes, different = pd.factorize(labels)
    if (codes < 0).any():
        raise ValueError(f"group: row {int(np.flatnonzero(codes < 0)[0])} has no label")
    return codes.astype(np.int64), tuple(different.tolist())
