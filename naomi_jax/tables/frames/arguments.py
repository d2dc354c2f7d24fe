"""What is said beside a table - times, covariates - as arrays; and values that are refused."""

import datetime
import numbers
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from naomi_jax.tables import casting, stamps
from naomi_jax.tables.printable import quoted

ADVICE = "numbers are needed, NaN in the holes"


class Names(tuple):
    """Names of columns, and no values: those of an earlier table."""


def check_values(values: np.ndarray, names: Sequence[Hashable]) -> None:
    """Refuse values that are infinite, or too large to work with.

    Args:
      values: (n, D), NaN in the holes.
      names: of the D columns.

    Raises:
      ValueError: naming the row and the column.
    """
    for bad, what in (
        (np.isinf(values), "infinity"),
        (np.abs(values) > casting.LARGEST, "a value too large to work with"),
    ):
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise ValueError(
                f"data: {what} in row {row}, column {quoted(names[column])}; repair it, or make it "
                "NaN to have it filled"
            )


def is_hole(value: Any) -> bool:
    """None, NaN, or the NA and NaT of pandas, which is not imported to tell."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, numbers.Real) and value != value


def is_real(value: Any) -> bool:
    """Whether it is a number, and no boolean."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def time_values(time: Any, count: int) -> np.ndarray | None:
    """(n,) stamps in UTC, or float64; None where nothing is said.

    Args:
      time: stamps with or without zones, periods, dates, timedeltas, text in ISO form, or numbers.
      count: n.

    Raises:
      TypeError, ValueError: it is none of these, a row has none, or there are more or fewer.
    """
    if time is None:
        return None
    if not hasattr(time, "__len__") or isinstance(time, (set, frozenset, dict)):
        raise TypeError(f"time: {type(time).__name__}; one for each of {count} rows is needed")
    kind = getattr(getattr(time, "dtype", None), "kind", None)
    plain = kind in ("i", "u", "f") and isinstance(time.dtype, np.dtype)
    try:
        values = np.asarray(time, dtype=float) if plain else _stamps(time)
    except (ValueError, TypeError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"time: {reason}; convert it with pandas.to_datetime") from None
    if values.shape != (count,):
        raise ValueError(f"time: shape {values.shape}; one for each of {count} rows is needed")
    bad = np.isnat(values) if values.dtype.kind == "M" else ~np.isfinite(values)
    if bad.any():
        raise ValueError(f"time: row {int(np.flatnonzero(bad)[0])} has none")
    return values


def ahead(time: Any) -> np.ndarray | None:
    """How far the clock on the wall is ahead of UTC in each row, timedelta64[ns].

    Args:
      time: as `time_values` takes it.

    Returns:
      None where the stamps carry no zone.
    """
    import pandas as pd

    zone = getattr(getattr(time, "dtype", None), "tz", None)
    if zone is None:
        # Of objects, or text in ISO 8601: those that carry an offset of their own.
        if getattr(getattr(time, "dtype", None), "kind", "O") != "O" or isinstance(time, pd.Index):
            return None
        cells = list(time)
        if not all(isinstance(cell, datetime.datetime) and cell.tzinfo for cell in cells):
            return None
        return np.array([cell.utcoffset() for cell in cells], "timedelta64[ns]")
    local = pd.DatetimeIndex(pd.Series(time).reset_index(drop=True))
    away = local.tz_localize(None) - local.tz_convert(None)
    return away.to_numpy().astype("timedelta64[ns]")


def _stamps(time):
    """What is no array of plain numbers."""
    import pandas as pd

    if str(getattr(time, "dtype", "")).startswith("period"):
        time = pd.PeriodIndex(time).to_timestamp()
    if isinstance(time, np.ndarray) and time.dtype.kind == "M":
        return stamps.counted(time)
    series = pd.Series(time).reset_index(drop=True)
    kind = getattr(series.dtype, "kind", "O")
    known = series.dropna()
    if len(known) and pd.api.types.is_bool_dtype(known.infer_objects()):
        raise ValueError("True and False are no times")
    if kind in "iuf" or (len(known) and all(is_real(t) for t in known)):
        return np.array([np.nan if is_hole(t) else float(t) for t in series])
    if kind == "m" or (len(known) and all(isinstance(t, datetime.timedelta) for t in known)):
        return stamps.since_start(pd.to_timedelta(series).to_numpy())
    if kind == "O" and len(known) and all(isinstance(t, datetime.date) for t in known):
        if len({getattr(t, "tzinfo", None) is None for t in known}) > 1:
            raise ValueError("some have a zone and others have none")
        return stamps.counted(np.array([_in_utc(t) for t in series], "datetime64[us]"))
    # Text in the one form that cannot be misread; all in UTC, also across summer-time steps.
    text = bool(len(known)) and all(isinstance(t, str) for t in known)
    index = pd.DatetimeIndex(pd.to_datetime(series, utc=True, format="ISO8601" if text else None))
    return stamps.counted(index.tz_localize(None).to_numpy())


def _in_utc(date):
    """A date or stamp that numpy can read, None for a hole; pandas' nanoseconds are cut."""
    if is_hole(date):
        return None
    if not isinstance(date, datetime.datetime):
        return date
    if date.tzinfo is not None:
        date = date.astimezone(datetime.UTC).replace(tzinfo=None)
    return np.datetime64(date.replace(tzinfo=None), "us")


def covariate_values(values: Any, count: int) -> np.ndarray:
    """(n, C) float64.

    Args:
      values: (n,), (n, C) or (N, T, C) numbers; None or nothing for none.
      count: n.

    Raises:
      ValueError: they are no numbers, more or fewer, or one is missing or infinite.
    """
    if values is None or (isinstance(values, (list, tuple)) and not len(values)):
        return np.zeros((count, 0))
    try:
        values = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("covariates: not numbers, or rows of different lengths") from None
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim not in (2, 3):
        raise ValueError(f"covariates: shape {values.shape}; ({count}, C) is needed")
    values = values.reshape(-1, values.shape[-1])
    if len(values) != count:
        raise ValueError(f"covariates: {len(values)} rows; one for each of {count} rows is needed")
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise ValueError(f"covariates: row {row} has a value that is missing or infinite")
    return values
