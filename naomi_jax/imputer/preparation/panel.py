"""Series under one another, as the imputer works on them: rows sorted in time, NaN in the holes."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclasses.dataclass(frozen=True)
class Panel:
    """Rows of one or several series.

    Attributes:
      values: (n, D) float64; NaN where there is none.
      bounds: (S + 1,) the first row of each series, and n.
      times: (n,) in units of a step, increasing within a series.
      covariates: (n, C), known everywhere, standardized.
      stamps: (n,) datetime64 of the clock on the wall, or None where time is only a number.
      absolute: (n,) as `times`, but counted from a moment that all tables share, where there is
        one: phases of cycles that the user names count from there. None: as `times`.
    """

    values: Float[np.ndarray, "n D"]
    bounds: Int[np.ndarray, " S+1"]
    times: Float[np.ndarray, " n"]
    covariates: Float[np.ndarray, "n C"]
    stamps: np.ndarray | None = None
    absolute: np.ndarray | None = None

    @property
    def observed(self) -> Bool[np.ndarray, "n D"]:
        """Where there is a value."""
        return ~np.isnan(self.values)

    @property
    def first(self) -> Int[np.ndarray, " n"]:
        """The first row of each row's series."""
        return np.repeat(self.bounds[:-1], np.diff(self.bounds))

    @property
    def last(self) -> Int[np.ndarray, " n"]:
        """The last row of each row's series."""
        return np.repeat(self.bounds[1:] - 1, np.diff(self.bounds))

    def without(self, hidden: Bool[np.ndarray, "n D"]) -> "Panel":
        """The same with further holes."""
        return dataclasses.replace(self, values=np.where(hidden, np.nan, self.values))

    def pieces(self, windows: Int[np.ndarray, "N 2"]) -> tuple["Panel", Int[np.ndarray, " m"]]:
        """Windows (first row, rows) as series of their own, and the row that each row was."""
        rows = rows_of(windows)
        part = Panel(
            self.values[rows],
            np.concatenate([[0], np.cumsum(windows[:, 1])]),
            self.times[rows],
            self.covariates[rows],
            None if self.stamps is None else self.stamps[rows],
            (self.times if self.absolute is None else self.absolute)[rows],
        )
        return part, rows


def rows_of(windows: Int[np.ndarray, "N 2"]) -> Int[np.ndarray, " m"]:
    """The rows of windows (first row, rows), one window after the other."""
    return np.concatenate([np.arange(first, first + count) for first, count in windows])


def series_windows(panel: Panel, length: int, stride: int) -> Int[np.ndarray, "N 2"]:
    """First row and number of rows of windows that cover every series.

    A series of at most `length` rows is one window. The last window of a longer one ends with it.
    """
    found = []
    for begin, end in zip(panel.bounds[:-1], panel.bounds[1:]):
        if end - begin <= length:
            found.append((begin, end - begin))
            continue
        starts = [*range(begin, end - length, stride), end - length]
        found.extend((start, length) for start in starts)
    return np.array(found, dtype=np.int64).reshape(-1, 2)
