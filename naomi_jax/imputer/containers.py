"""What people hand over - DataFrames, arrays, lists of arrays - as rows, and the way back.

Rows are (n, D) float64, with a series and a time for each; the way back copies what was handed
over and writes into its holes alone, so that types, index, columns and observed values stay.
"""

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int


@dataclasses.dataclass(frozen=True)
class Rows:
    """A table as it came, in its own order.

    Attributes:
      values: (n, D) float64; NaN in the holes.
      names: of the D columns; their numbers for arrays.
      series: (n,) which series each row belongs to, from 0 in order of appearance.
      time: (n,) datetime64[ns] or float64; None: rows are equally far apart.
      covariates: (n, C) float64.
      back: (fills (n, D), which (n, D)) -> a copy in which these entries are written.
      flags: (n, D) bool -> the same container, of booleans.
    """

    values: Float[np.ndarray, "n D"]
    names: tuple[Hashable, ...]
    series: Int[np.ndarray, " n"]
    time: np.ndarray | None
    covariates: Float[np.ndarray, "n C"]
    back: Callable[[np.ndarray, np.ndarray], Any]
    flags: Callable[[np.ndarray], Any]


def read(
    data: Any,
    *,
    time: Any = None,
    group: Any = None,
    covariates: Any = None,
    names: Sequence[Hashable] | None = None,
) -> Rows:
    """Rows of a DataFrame, an array (T, D) or (N, T, D), or a list of arrays (T_i, D).

    Args:
      data: NaN or None in its holes.
      time: a column's name, or stamps or numbers for each row; None takes a DatetimeIndex.
      group: a column's name, or a label for each row, where several series stand under one another.
      covariates: columns' names, or (n, C) numbers known in every row.
      names: columns that are needed, of an earlier table; None takes all that hold numbers.

    Raises:
      TypeError, ValueError: naming the argument, what is wrong and what is accepted.
    """
    if is_frame(data):
        return _read_frame(data, time, group, covariates, names)
    if hasattr(data, "to_frame") and hasattr(data, "index"):  # a pandas Series
        rows = _read_frame(data.to_frame(), time, group, covariates, names)
        return dataclasses.replace(
            rows,
            back=lambda fills, which: rows.back(fills, which).iloc[:, 0],
            flags=lambda which: rows.flags(which).iloc[:, 0],
        )
    return _read_arrays(data, time, group, covariates, names)


def is_frame(data: Any) -> bool:
    """Whether it is a DataFrame."""
    return hasattr(data, "columns") and hasattr(data, "iloc")


# DataFrames.


def _read_frame(frame, time, group, covariates, names):
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"data: two columns are named {twice!r}; give each a name of its own")
    stamps, own = _frame_time(frame, time)
    labels, own_group = _named(frame, group, "group")
    extra, own_covariates = _frame_covariates(frame, covariates)
    taken = {*own, *own_group, *own_covariates}
    names = _chosen(frame, taken, names)
    values = np.empty((len(frame), len(names)))
    for number, name in enumerate(names):
        values[:, number] = _column_values(frame[name])
    _check_finite(values, names)

    def back(fills, which):
        filled = frame.copy()
        for number, name in enumerate(names):
            if which[:, number].any():
                filled[name] = _filled_column(frame[name], fills[:, number], which[:, number])
        return filled

    def flags(which):
        import pandas as pd

        return pd.DataFrame(which, index=frame.index, columns=list(names))

    count = len(frame)
    if not count:
        raise ValueError("data: no rows")
    return Rows(
        values,
        tuple(names),
        _codes(labels, count),
        _time_values(stamps, count),
        _covariates(extra, count),
        back,
        flags,
    )


def _named(frame, what, argument):
    """(a value for each row or None, the columns that it uses up)."""
    if what is None:
        return None, ()
    if isinstance(what, str) or (isinstance(what, Hashable) and not hasattr(what, "__len__")):
        if what not in frame.columns:
            raise ValueError(
                f"{argument}: no column {what!r}; the columns are "
                f"{', '.join(map(str, frame.columns))}"
            )
        return frame[what], (what,)
    return what, ()


def _frame_time(frame, time):
    if time is not None:
        return _named(frame, time, "time")
    kind = type(frame.index).__name__
    if kind == "DatetimeIndex":
        return frame.index, ()
    if kind == "PeriodIndex":
        return frame.index.to_timestamp(), ()
    return None, ()


def _frame_covariates(frame, covariates):
    if covariates is None:
        return None, ()
    if isinstance(covariates, str):
        covariates = [covariates]
    if all(isinstance(name, Hashable) and name in frame.columns for name in covariates):
        return frame[list(covariates)].to_numpy(float), tuple(covariates)
    if isinstance(covariates, (list, tuple)) and all(isinstance(c, str) for c in covariates):
        lost = next(name for name in covariates if name not in frame.columns)
        raise ValueError(f"covariates: no column {lost!r}")
    return covariates, ()


def _chosen(frame, taken, names):
    """The columns to fill."""
    if names is not None:
        lost = [name for name in names if name not in frame.columns]
        if lost:
            raise ValueError(
                f"data: no column {lost[0]!r}, which the imputer was fitted on; columns go by name"
            )
        return list(names)
    chosen = [name for name in frame.columns if name not in taken and _is_number(frame[name])]
    if not chosen:
        raise ValueError("data: no column of numbers")
    return chosen


def _is_number(column):
    """Whether it holds numbers: text, categories, booleans and stamps are carried through."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "iuf":
        return True
    if kind != "O" or str(column.dtype) in ("category", "string", "str"):
        return False
    known = column.dropna()
    return len(known) > 0 and all(
        isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        for value in known
    )


def _column_values(column):
    try:
        return column.astype("Float64").to_numpy(float, na_value=np.nan)
    except (TypeError, ValueError):
        raise ValueError(
            f"data: column {column.name!r} holds something else than numbers"
        ) from None


def _filled_column(column, fills, which):
    """A copy of the column with fills in some places, in its own dtype."""
    filled = column.copy()
    kind = getattr(column.dtype, "kind", "O")
    if kind in "iu":  # a nullable integer: others have no holes
        fills = np.round(fills).astype(np.int64)
    elif kind == "f" and str(column.dtype).startswith("float"):
        fills = fills.astype(column.dtype)
    positions = np.flatnonzero(which)
    filled.iloc[positions] = fills[positions]
    return filled


# Arrays.


def _read_arrays(data, time, group, covariates, names):
    if data is None or isinstance(data, (str, bytes, dict)) or not hasattr(data, "__len__"):
        raise TypeError(
            f"data: {type(data).__name__}; a DataFrame, an array (T, D) or (N, T, D), or a list "
            "of arrays (T_i, D) is needed"
        )
    parts = _parts(data)
    dim = parts[0].shape[1]
    if names is not None and dim != len(names):
        raise ValueError(
            f"data: {dim} columns; the imputer was fitted on {len(names)} features as columns"
        )
    values = np.concatenate([part.astype(np.float64) for part in parts])
    names = tuple(range(dim)) if names is None else tuple(names)
    _check_finite(values, names)
    lengths = [len(part) for part in parts]
    count = len(values)
    if group is not None and len(parts) > 1:
        raise ValueError("group: each array is a series already; leave it out")
    series = np.repeat(np.arange(len(parts)), lengths) if group is None else _codes(group, count)
    if time is not None and len(parts) > 1 and len(np.ravel(time)) == lengths[0]:
        time = np.concatenate([np.ravel(time)] * len(parts))  # the same stamps for all
    if time is not None and not isinstance(time, str) and len(parts) > 1:
        time = np.concatenate([np.ravel(part) for part in time]) if np.ndim(time) != 1 else time
    if isinstance(time, str) or isinstance(group, str):
        raise ValueError(
            "time, group: arrays have no named columns; hand over a value for each row"
        )

    def spread(whole):
        pieces = np.split(whole, np.cumsum(lengths)[:-1])
        if isinstance(data, np.ndarray):
            return pieces[0] if data.ndim == 2 else np.stack(pieces)
        return pieces if _is_list_of_arrays(data) else pieces[0]

    def back(fills, which):
        whole = np.concatenate([np.asarray(part) for part in parts])
        if whole.dtype.kind in "iu":
            fills = np.round(fills)
        whole = whole.copy()
        whole[which] = fills[which].astype(whole.dtype)
        return spread(whole)

    return Rows(
        values,
        names,
        series,
        _time_values(time, count),
        _covariates(covariates, count),
        back,
        spread,
    )


def _is_list_of_arrays(data):
    return not isinstance(data, np.ndarray) and np.ndim(data[0]) == 2


def _parts(data):
    """Each series (T_i, D)."""
    if not len(data):
        raise ValueError("data: no rows")
    if isinstance(data, np.ma.MaskedArray):
        data = np.ma.filled(data.astype(float), np.nan)
    if isinstance(data, np.ndarray) or not _is_list_of_arrays(data):
        array = _numbers(data)
        if array.ndim == 1:
            raise ValueError(
                "data: 1-D; Expected 2D array: reshape your data, one column is data.reshape(-1, 1)"
            )
        if array.ndim not in (2, 3):
            raise ValueError(f"data: shape {array.shape}; (T, D) or (N, T, D) is needed")
        parts = [array] if array.ndim == 2 else list(array)
    else:
        parts = [_numbers(part) for part in data]
    shapes = {part.shape[1:] for part in parts}
    if len(shapes) != 1 or parts[0].ndim != 2:
        raise ValueError(f"data: series of shapes {[p.shape for p in parts][:4]}; (T_i, D) each")
    if not parts[0].shape[1]:
        raise ValueError(
            f"data: 0 feature(s) (shape={parts[0].shape}) while a minimum of 1 is required."
        )
    if any(not len(part) for part in parts):
        raise ValueError("data: a series without rows (0 sample(s))")
    return parts


def _numbers(data):
    """An array of numbers; None is a hole."""
    if hasattr(data, "toarray"):
        raise TypeError("data: a sparse matrix; hand over data.toarray(), with NaN in the holes")
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError("data: rows of different lengths") from None
    if array.dtype.kind == "c":
        raise ValueError("data: Complex data not supported; hand over real numbers")
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise type(error)(f"data: not numbers ({error}); {_ADVICE}") from None
    if array.dtype.kind not in "iufb":
        raise ValueError(f"data: dtype {array.dtype}; {_ADVICE}")
    return array.astype(float) if array.dtype.kind == "b" else array


_ADVICE = "numbers are needed, NaN in the holes"


# What both have.


def _check_finite(values, names):
    bad = np.isinf(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"data: infinity in row {row}, column {names[column]!r}; repair it, or make it NaN "
            "to have it filled"
        )


def _codes(labels, count):
    """Numbers from 0 in order of appearance."""
    if labels is None:
        return np.zeros(count, np.int64)
    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise ValueError(
            f"group: shape {labels.shape}; one label for each of {count} rows is needed"
        )
    missing = labels != labels if labels.dtype.kind in "fO" else np.zeros(count, bool)
    if np.any(missing) or any(label is None for label in labels if labels.dtype.kind == "O"):
        raise ValueError("group: a row without a label")
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _time_values(time, count):
    """datetime64[ns] in UTC, or float64."""
    if time is None:
        return None
    kind = getattr(getattr(time, "dtype", None), "kind", None)
    if kind in ("i", "u", "f"):
        values = np.asarray(time, dtype=float)
        bad = ~np.isfinite(values)
    else:
        values = _stamps(time)
        bad = np.isnat(values) if values.dtype.kind == "M" else ~np.isfinite(values)
    if values.shape != (count,):
        raise ValueError(f"time: shape {values.shape}; one for each of {count} rows is needed")
    if bad.any():
        raise ValueError(f"time: row {int(np.flatnonzero(bad)[0])} has none")
    return values


def _stamps(time):
    import pandas as pd

    try:
        if all(isinstance(t, (int, float, np.number)) for t in list(time)[:3]):
            return np.asarray(time, dtype=float)
        index = pd.DatetimeIndex(pd.to_datetime(np.asarray(time) if _is_plain(time) else time))
    except (ValueError, TypeError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"time: {reason}; convert it with pandas.to_datetime") from None
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    return index.to_numpy().astype("datetime64[ns]")


def _is_plain(time):
    """Whether it is a plain array of stamps."""
    return getattr(getattr(time, "dtype", None), "kind", "") == "M" and isinstance(time, np.ndarray)


def _covariates(values, count):
    if values is None:
        return np.zeros((count, 0))
    values = np.asarray(values, dtype=float)
    values = values[:, None] if values.ndim == 1 else values.reshape(-1, values.shape[-1])
    if len(values) != count:
        raise ValueError(f"covariates: {len(values)} rows; one for each of {count} rows is needed")
    if not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise ValueError(f"covariates: row {row} has a value that is missing or infinite")
    return values
