"""Rows that are absent between the first and the last time of a regular series."""

import dataclasses
import warnings

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.tables.place import Place


@dataclasses.dataclass(frozen=True)
class Rows:
    """The rows of a table after absent ones were added.

    Attributes:
      file: (T,) the row of the file, from 0; -1 for an added row.
      like: (T,) the row itself, or for an added row the one of the file that it stands beside.
      stamps: (T,) datetime64.
    """

    file: np.ndarray
    like: np.ndarray
    stamps: np.ndarray


def add(stamps: np.ndarray | None, groups: np.ndarray | None, freq: str, place: Place) -> Rows:
    """Every time from the first to the last at this step, in each series.

    Added rows stand behind the row of the time before them; in a table whose times fall, behind
    the row of the time after them.

    Args:
      stamps: (T,) times of the file's rows, none doubled.
      groups: (T,) labels of series, or None.
      freq: a pandas offset alias.
      place: for messages.

    Raises:
      InputError: there are no dates, the alias is unknown, a row lies between the steps, or more
        rows would be added than a file can have.
    """
    if stamps is None or stamps.dtype.kind != "M":
        raise InputError(f"{place.path}: --freq {freq} needs a column of dates")
    labels = (
        np.zeros(len(stamps), int) if groups is None else np.unique(groups, return_inverse=True)[1]
    )
    after, new = [], []
    for label in range(labels.max() + 1):
        rows = np.flatnonzero(labels == label)
        rows = rows[np.argsort(stamps[rows], kind="stable")]
        absent = _absent(stamps[rows], rows, freq, place)
        falls = len(rows) > 1 and bool((np.diff(rows) < 0).all())
        at = np.searchsorted(stamps[rows], absent)
        after.append(rows[at] if falls else rows[at - 1])
        new.append(absent)
    after, new = np.concatenate(after), np.concatenate(new)
    like = np.concatenate([np.arange(len(stamps)), after])
    every = np.concatenate([stamps, new])
    added = np.repeat([0, 1], [len(stamps), len(new)])
    # Behind the row of the file in the order of time, which falls where the file's times fall.
    sign = np.where(every < stamps[like], -1, 1)
    order = np.lexsort((every.astype(np.int64) * sign, added, like))
    return Rows(np.where(added, -1, like)[order], like[order], every[order])


def _absent(stamps, rows, freq, place):
    """Times of the regular series that are not among these, which are in order."""
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on old names of steps; pandas knows them still
            step = pd.tseries.frequencies.to_offset(freq)
        span = (stamps[-1] - stamps[0]).astype("timedelta64[us]").astype(np.int64)
        count = 1000.0 * span / _nanoseconds(step)
        if count > 20_000_000:
            raise InputError(
                f"{place.path}: --freq {freq} gives {count:.0f} rows; use a longer step"
            )
        grid = pd.date_range(stamps[0], stamps[-1], freq=step).to_numpy().astype(stamps.dtype)
    except InputError:
        raise
    except pd.errors.OutOfBoundsDatetime:
        raise InputError(f"{place.path}: --freq {freq} needs dates from 1678 to 2262") from None
    except (ValueError, TypeError, AttributeError):
        raise InputError(
            f"--freq {freq!r}: no pandas offset alias, such as 'h', '15min' or 'D'"
        ) from None
    outside = ~np.isin(stamps, grid)
    if outside.any():
        first = int(np.argmax(outside))
        raise InputError(
            f"{place(int(rows[first]))}: {pd.Timestamp(stamps[first])} is no step of --freq {freq} "
            f"from {pd.Timestamp(stamps[0])}; use a shorter step, or round the times"
        )
    return grid[~np.isin(grid, stamps)]


def _nanoseconds(step):
    """The length of a step; a day at least for those of the calendar, such as months."""
    import pandas as pd

    try:
        return max(pd.Timedelta(step).value, 1)
    except ValueError:
        return pd.Timedelta("1D").value
