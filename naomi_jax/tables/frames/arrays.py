"""Arrays (T, D) and (N, T, D), and lists of arrays (T_i, D), as tables; and back as they were."""

import dataclasses
import numbers
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from naomi_jax.tables import casting
from naomi_jax.tables.frames import arguments
from naomi_jax.tables.frames.arguments import ADVICE, is_hole
from naomi_jax.tables.table import Table, series_of


@dataclasses.dataclass(frozen=True)
class Source:
    """The way back into arrays.

    Attributes:
      data: an array, or a list of arrays.
      parts: its series, (T_i, D) each.
    """

    data: Any
    parts: list[Any]

    def filled(self, fills: np.ndarray, which: np.ndarray) -> Any:
        """A copy in which the entries `which` (n, D) hold `fills` (n, D)."""
        filled, pieces = _copied(self.data, self.parts)
        edges = self._edges
        for piece, fill, some in zip(pieces, np.split(fills, edges), np.split(which, edges)):
            np.ma.getdata(piece)[some] = casting.cast(fill[some], piece.dtype)
            if isinstance(piece, np.ma.MaskedArray):
                np.ma.getmaskarray(piece)[some] = False
        return filled

    def flags(self, which: np.ndarray) -> Any:
        """The same container of booleans (n, D)."""
        pieces = np.split(which, self._edges)
        if isinstance(self.data, list):
            return pieces
        return pieces[0] if self.data.ndim == 2 else np.stack(pieces)

    @property
    def _edges(self):
        return np.cumsum([len(part) for part in self.parts])[:-1]


def read(
    data: Any, time: Any, group: Any, covariates: Any, names: Sequence[Hashable] | None
) -> Table:
    """The table in an array or a list of them.

    Args:
      data, time, group, covariates, names: as in `reading.table_of`.

    Raises:
      TypeError, ValueError: naming the argument, what is wrong and what is accepted.
    """
    data, parts = _parts(data)
    dim = parts[0].shape[1]
    if names is not None and dim != len(names):
        raise ValueError(
            f"data: X has {dim} features, but Imputer is expecting {len(names)} features as input"
        )
    values = np.concatenate([_array_values(part) for part in parts])
    names = tuple(range(dim)) if names is None else tuple(names)
    arguments.check_values(values, names)
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
        series, labels = series_of(group, count)
    return Table(
        values,
        names,
        series,
        labels,
        arguments.time_values(_joined_time(time, lengths), count),
        arguments.covariate_values(covariates, count),
        {"time": None, "group": None, "covariates": None},
        casting.whole(values) | np.array([part.dtype.kind in "iu" for part in parts]).all(),
        Source(data, parts),
        (len(parts), *parts[0].shape) if len(set(lengths)) == 1 < len(parts) else values.shape,
    )


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
    if hasattr(data[0], "iloc"):
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
        raise ValueError(f"data: dtype {array.dtype}; {ADVICE}")
    if array.dtype.kind == "O":
        for place, value in np.ndenumerate(array):
            if not (is_hole(value) or isinstance(value, numbers.Real)):
                # In scikit-learn's words: its checks look for them.
                raise TypeError(
                    f"data: {value!r} at {place}: argument must be a number, not a string or "
                    f"another object; {ADVICE}"
                )
        if not isinstance(data, np.ndarray):
            array = _array_values(array)  # a list with None in it: no dtype to keep
    return array


def _array_values(array):
    """(T, D) float64, NaN in the holes."""
    values = np.ma.getdata(array)
    if values.dtype.kind == "O":
        holes = np.asarray(np.frompyfunc(is_hole, 1, 1)(values), bool)
        values = np.where(holes, np.nan, values)
    with np.errstate(over="ignore"):  # what float64 does not hold is refused as infinite
        values = values.astype(np.float64)
    values[np.ma.getmaskarray(array)] = np.nan
    return values
