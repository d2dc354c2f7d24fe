"""What people hand over - DataFrames, arrays, lists of arrays - as rows, and the way back.

Rows are (n, D) float64, with a series and a time for each; the way back copies what was handed
over and writes into its holes alone, so that types, index, columns and observed values stay.
"""

import dataclasses
import numbers
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
      labels: of the series; their numbers where they have no names.
      time: (n,) datetime64[ns] or float64; None: rows are equally far apart.
      covariates: (n, C) float64.
      layout: names of the columns of time, group and covariates; None where values were given.
      back: (fills (n, D), which (n, D)) -> a copy in which these entries are written.
      flags: (n, D) bool -> the same container, of booleans.
    """

    values: Float[np.ndarray, "n D"]
    names: tuple[Hashable, ...]
    series: Int[np.ndarray, " n"]
    labels: tuple[Hashable, ...]
    time: np.ndarray | None
    covariates: Float[np.ndarray, "n C"]
    layout: dict[str, Any]
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
    if hasattr(data, "to_frame") and hasattr(data, "iloc"):  # a pandas Series
        rows = _read_frame(data.to_frame(), time, group, covariates, names)
        return dataclasses.replace(
            rows,
            back=lambda fills, which: rows.back(fills, which).iloc[:, 0].rename(data.name),
            flags=lambda which: rows.flags(which).iloc[:, 0].rename(data.name),
        )
    return _read_arrays(data, time, group, covariates, names)


def is_frame(data: Any) -> bool:
    """Whether it is a DataFrame."""
    return hasattr(data, "columns") and hasattr(data, "iloc")


# DataFrames.


def _read_frame(frame, time, group, covariates, names):
    count = len(frame)
    if not count:
        raise ValueError("data: no rows (0 sample(s))")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"data: two columns are named {twice!r}; give each a name of its own")
    stamps, own_time = _frame_time(frame, time)
    labels, own_group = _named(frame, group, "group")
    extra, own_covariates = _frame_covariates(frame, covariates)
    taken = {*own_time, *own_group, *own_covariates}
    names = _chosen(frame, taken, names)
    values = np.empty((count, len(names)))
    for number, name in enumerate(names):
        values[:, number] = _column_values(frame[name], "data")
    _check_finite(values, names)

    def back(fills, which):
        filled = frame.copy()
        for number, name in enumerate(names):
            if which[:, number].any():
                filled[name] = _filled_column(frame[name], fills[:, number], which[:, number])
        return filled

    def flags(which):
        import pandas as pd

        return pd.DataFrame(which, index=frame.index, columns=frame[list(names)].columns)

    return Rows(
        values,
        tuple(names),
        *_codes(labels, count),
        _time_values(stamps, count),
        _covariates(extra, count),
        {
            "time": own_time[0] if own_time else None,
            "group": own_group[0] if own_group else None,
            "covariates": list(own_covariates) or None,
        },
        back,
        flags,
    )


def _has(frame, name):
    """Whether it names a column of the frame; lists and arrays name none."""
    return isinstance(name, Hashable) and name in frame.columns


def _named(frame, what, argument):
    """(a value for each row or None, the columns that it uses up)."""
    if what is None:
        return None, ()
    if _has(frame, what):
        return frame[what], (what,)
    if isinstance(what, str) or not hasattr(what, "__len__"):
        columns = ", ".join(map(str, frame.columns))
        raise ValueError(f"{argument}: no column {what!r}; the columns are {columns}")
    return what, ()


def _frame_time(frame, time):
    if time is not None:
        return _named(frame, time, "time")
    if type(frame.index).__name__ in ("DatetimeIndex", "PeriodIndex"):
        return frame.index, ()
    return None, ()


def _frame_covariates(frame, covariates):
    if covariates is None:
        return None, ()
    if _has(frame, covariates):
        covariates = [covariates]
    if isinstance(covariates, str):
        raise ValueError(f"covariates: no column {covariates!r}")
    if all(_has(frame, name) for name in covariates):
        columns = [_column_values(frame[name], "covariates") for name in covariates]
        return np.stack(columns, axis=1), tuple(covariates)
    if isinstance(covariates, (list, tuple)) and all(isinstance(c, str) for c in covariates):
        lost = next(name for name in covariates if name not in frame.columns)
        raise ValueError(f"covariates: no column {lost!r}")
    return covariates, ()


def _chosen(frame, taken, names):
    """The columns to fill."""
    if names is not None:
        lost = [name for name in names if name not in frame.columns]
        if lost and names == tuple(range(len(names))):
            raise ValueError(
                "data: a DataFrame; the imputer was fitted on an array without names of columns: "
                "hand over frame.to_numpy()"
            )
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
    if kind != "O" or str(column.dtype) != "object":
        return False
    known = column.dropna()
    return len(known) > 0 and all(_is_real(value) for value in known)


def _is_real(value):
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _column_values(column, argument):
    kind = getattr(column.dtype, "kind", "O")
    if str(column.dtype).startswith("Sparse"):
        raise ValueError(
            f"{argument}: column {column.name!r} is sparse; hand over frame.sparse.to_dense()"
        )
    kinds = "iufb" if argument == "covariates" else "iuf"
    of_objects = str(column.dtype) == "object" and all(_is_real(v) for v in column.dropna())
    if kind not in kinds and not of_objects:
        raise ValueError(
            f"{argument}: column {column.name!r} holds something else than numbers "
            f"({column.dtype}); {_ADVICE}"
        )
    if kind == "f" and isinstance(column.dtype, np.dtype):
        return column.to_numpy(np.float64)  # "Float64" would refuse float16
    return column.astype("Float64").to_numpy(float, na_value=np.nan)


def _filled_column(column, fills, which):
    """A copy of the column with fills in some places, in its own dtype."""
    filled = column.copy()
    positions = np.flatnonzero(which)
    name = str(column.dtype).lower()
    if getattr(column.dtype, "kind", "O") in "iu":  # a nullable integer: others have no holes
        plain = np.dtype(f"{column.dtype.kind}{column.dtype.itemsize}")
        filled.iloc[positions] = cast(fills[positions], plain)
    elif name in ("float16", "float32"):  # nullable ones, too
        filled.iloc[positions] = cast(fills[positions], np.dtype(name))
    elif name == "object":
        whole = all(isinstance(value, (int, np.integer)) for value in column.dropna())
        own = [round(value) if whole else float(value) for value in fills[positions]]
        filled.iloc[positions] = np.array(own, dtype=object)
    else:
        filled.iloc[positions] = fills[positions]
    return filled


# Arrays.


def _read_arrays(data, time, group, covariates, names):
    data, parts = _parts(data)
    dim = parts[0].shape[1]
    if names is not None and dim != len(names):
        raise ValueError(
            f"data: X has {dim} features, but Imputer is expecting {len(names)} features as input"
        )
    values = np.concatenate([_array_values(part) for part in parts])
    names = tuple(range(dim)) if names is None else tuple(names)
    _check_finite(values, names)
    lengths = [len(part) for part in parts]
    count = len(values)
    if isinstance(time, str) or isinstance(group, str) or isinstance(covariates, str):
        raise ValueError(
            "time, group, covariates: arrays have no named columns; hand over a value for each row"
        )
    if group is not None and len(parts) > 1:
        raise ValueError("group: each array is a series already; leave it out")
    series, labels = np.repeat(np.arange(len(parts)), lengths), tuple(range(len(parts)))
    if group is not None:
        series, labels = _codes(group, count)

    def back(fills, which):
        filled, pieces = _copied(data, parts)
        edges = np.cumsum(lengths)[:-1]
        for piece, fill, some in zip(pieces, np.split(fills, edges), np.split(which, edges)):
            np.ma.getdata(piece)[some] = cast(fill[some], piece.dtype)
            if isinstance(piece, np.ma.MaskedArray):
                np.ma.getmaskarray(piece)[some] = False
        return filled

    def flags(which):
        pieces = np.split(which, np.cumsum(lengths)[:-1])
        if isinstance(data, list):
            return pieces
        return pieces[0] if data.ndim == 2 else np.stack(pieces)

    return Rows(
        values,
        names,
        series,
        labels,
        _time_values(_joined_time(time, lengths), count),
        _covariates(covariates, count),
        {"time": None, "group": None, "covariates": None},
        back,
        flags,
    )


def cast(fills: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Fills in the dtype of what they fill: integers rounded, and nothing beyond its range."""
    if dtype.kind == "O":
        return fills.astype(object)
    if dtype.kind in "iu":
        top = float(np.iinfo(dtype).max)
        top = np.nextafter(top, 0) if dtype.itemsize == 8 else top  # float64 rounds 2^63 - 1 up
        return np.clip(np.round(fills), np.iinfo(dtype).min, top).astype(dtype)
    if dtype.kind == "b":
        return fills >= 0.5
    largest = min(np.finfo(dtype).max, np.finfo(np.float64).max)
    return np.clip(fills, -float(largest), float(largest)).astype(dtype)


def _copied(data, parts):
    """(A copy of the container, its series as arrays to write into)."""
    if isinstance(data, list):
        pieces = [_own(part) for part in parts]
        return pieces, pieces
    filled = _own(data)
    return filled, [filled] if filled.ndim == 2 else list(filled)


def _own(array):
    """A copy whose mask, if it has one, is an array that can be written to."""
    if not isinstance(array, np.ma.MaskedArray):
        return array.copy()
    return np.ma.array(array.data.copy(), mask=np.ma.getmaskarray(array).copy())


def _joined_time(time, lengths):
    """A stamp for each row, where each series may have its own or all have the same."""
    if time is None or len(lengths) < 2 or not hasattr(time, "__len__") or not len(time):
        return time
    if np.ndim(next(iter(time))) == 1:
        given = [len(part) for part in time]
        if given != lengths:
            raise ValueError(
                f"time: {given[:4]} stamps for the series; their rows are {lengths[:4]}"
            )
        return np.concatenate([np.asarray(part) for part in time])
    if set(lengths) == {len(time)}:
        return np.concatenate([np.asarray(time)] * len(lengths))
    return time


def _parts(data):
    """(The data as an array or a list of arrays, each series (T_i, D))."""
    if hasattr(data, "toarray"):
        raise TypeError(
            "data: sparse input is not supported; hand over data.toarray(), NaN in the holes"
        )
    known = hasattr(data, "__len__") or hasattr(data, "__array__")
    if isinstance(data, (str, bytes, dict, set)) or not known:
        raise TypeError(
            f"data: {type(data).__name__}; a DataFrame, an array (T, D) or (N, T, D), or a list "
            "of arrays (T_i, D) is needed"
        )
    if isinstance(data, (list, tuple)) and _is_list_of_series(data):
        whole = parts = [_numbers(part) for part in data]
    else:
        whole = _numbers(data)
        if whole.ndim == 1:
            raise ValueError(
                "data: 1-D; Expected 2D array. Reshape your data: one column is data.reshape(-1, 1)"
            )
        if whole.ndim not in (2, 3):
            raise ValueError(f"data: shape {whole.shape}; (T, D) or (N, T, D) is needed")
        parts = [whole] if whole.ndim == 2 else list(whole)
    shapes = {part.shape[1:] for part in parts}
    if not parts or any(not len(part) for part in parts):
        raise ValueError("data: no rows (0 sample(s)), or a series without any")
    if len(shapes) != 1 or parts[0].ndim != 2:
        raise ValueError(f"data: series of shapes {[p.shape for p in parts][:4]}; (T_i, D) each")
    if not parts[0].shape[1]:
        raise ValueError(
            f"data: 0 feature(s) (shape={parts[0].shape}) while a minimum of 1 is required."
        )
    return whole, parts


def _is_list_of_series(data):
    if not len(data):
        return False
    if is_frame(data[0]):
        raise TypeError(
            "data: a list of DataFrames; hand over pandas.concat(...) with a column that tells "
            "them apart, and name it as group="
        )
    try:
        return np.ndim(data[0]) == 2
    except ValueError:
        raise ValueError("data: rows of different lengths") from None


def _numbers(data):
    """An array of numbers, or of objects that are numbers or None."""
    if isinstance(data, np.ma.MaskedArray):
        array = data
    else:
        try:
            array = np.asarray(data)
        except ValueError:
            raise ValueError("data: rows of different lengths") from None
    if array.dtype.kind == "c":
        raise ValueError("data: Complex data not supported; hand over real numbers")
    if array.dtype.kind not in "iufbO":
        raise ValueError(f"data: dtype {array.dtype}; {_ADVICE}")
    if array.dtype.kind == "O":
        for place, value in np.ndenumerate(array):
            if not (_is_hole(value) or isinstance(value, numbers.Real)):
                # In scikit-learn's words: its checks look for them.
                raise TypeError(
                    f"data: {value!r} at {place}: argument must be a number, not a string or "
                    f"another object; {_ADVICE}"
                )
        if not isinstance(data, np.ndarray):
            array = _array_values(array)  # a list with None in it: no dtype to keep
    return array


def _is_hole(value):
    """None, or the NA of pandas, which is not imported to tell."""
    return value is None or type(value).__name__ == "NAType"


def _array_values(array):
    """(T, D) float64, NaN in the holes."""
    values = np.ma.getdata(array)
    if values.dtype.kind == "O":
        holes = np.asarray(np.frompyfunc(_is_hole, 1, 1)(values), bool)
        values = np.where(holes, np.nan, values)
    with np.errstate(over="ignore"):  # what float64 does not hold is refused as infinite
        values = values.astype(np.float64)
    values[np.ma.getmaskarray(array)] = np.nan
    return values


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
    """(numbers from 0 in order of appearance, the label of each number)."""
    if labels is None:
        return np.zeros(count, np.int64), (0,)
    import pandas as pd

    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise ValueError(
            f"group: shape {labels.shape}; one label for each of {count} rows is needed"
        )
    codes, different = pd.factorize(labels)
    if (codes < 0).any():
        raise ValueError(f"group: row {int(np.flatnonzero(codes < 0)[0])} has no label")
    return codes.astype(np.int64), tuple(different.tolist())


def _time_values(time, count):
    """datetime64[ns] in UTC, or float64."""
    if time is None:
        return None
    if not hasattr(time, "__len__"):
        raise TypeError(f"time: {type(time).__name__}; one for each of {count} rows is needed")
    kind = getattr(getattr(time, "dtype", None), "kind", None)
    plain = kind in ("i", "u", "f") and isinstance(time.dtype, np.dtype)
    values = np.asarray(time, dtype=float) if plain else _stamps(time)
    if values.shape != (count,):
        raise ValueError(f"time: shape {values.shape}; one for each of {count} rows is needed")
    bad = np.isnat(values) if values.dtype.kind == "M" else ~np.isfinite(values)
    if bad.any():
        raise ValueError(f"time: row {int(np.flatnonzero(bad)[0])} has none")
    return values


def _stamps(time):
    """What is no array of plain numbers: stamps, with or without zones, text, lists, nullables."""
    import pandas as pd

    if str(getattr(time, "dtype", "")).startswith("period"):
        time = pd.PeriodIndex(time).to_timestamp()
    series = pd.Series(time).reset_index(drop=True)
    known = series.dropna()
    try:
        if len(known) and pd.api.types.is_bool_dtype(known.infer_objects()):
            raise ValueError("True and False are no times")
        if series.dtype.kind in "iuf" or (len(known) and all(_is_real(t) for t in known)):
            return series.astype("Float64").to_numpy(float, na_value=np.nan)
        # Text in the one form that cannot be misread; all in UTC, also across summer-time steps.
        text = bool(len(known)) and all(isinstance(t, str) for t in known)
        index = pd.DatetimeIndex(
            pd.to_datetime(series, utc=True, format="ISO8601" if text else None)
        )
        return index.tz_localize(None).as_unit("ns").to_numpy()
    except (ValueError, TypeError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"time: {reason}; convert it with pandas.to_datetime") from None


def _covariates(values, count):
    if values is None:
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
