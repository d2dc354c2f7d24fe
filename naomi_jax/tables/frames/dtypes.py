"""A pandas column of any dtype as float64, and fills in its own dtype."""

import datetime
import decimal
from typing import Any

import numpy as np

from naomi_jax.tables import casting
from naomi_jax.tables.frames.arguments import ADVICE, is_hole, is_real
from naomi_jax.tables.printable import quoted


def kind(column: Any) -> str:
    """Say "number", "switch" (true and false), "time" or "text" of a column.

    Numbers may be objects, if all of them are numbers or decimals.
    """
    own = getattr(column.dtype, "kind", "O")
    name = str(column.dtype)
    if own in "iuf":
        return "number"
    if own == "b":
        return "switch"
    if own in "mM" or name.startswith("period"):
        return "time"
    if _arrow_decimal(column.dtype):
        return "number"
    if name != "object":
        return "text"
    known = [value for value in column if not is_hole(value)]
    if not known:
        return "text"
    for what, found in (
        ("number", lambda value: is_real(value) or isinstance(value, decimal.Decimal)),
        ("switch", lambda value: isinstance(value, (bool, np.bool_))),
        ("time", lambda value: isinstance(value, (datetime.date, datetime.timedelta))),
    ):
        if all(map(found, known)):
            return what
    return "text"


def _arrow_decimal(dtype):
    """The type of a column of decimals of pyarrow, or None."""
    own = getattr(dtype, "pyarrow_dtype", None)
    return own if own is not None and str(own).startswith("decimal") else None


def numbers(column: Any, what: str, argument: str) -> np.ndarray:
    """(n,) float64, NaN in the holes.

    Args:
      column: a pandas Series.
      what: its `kind`.
      argument: that it is for; covariates may be switches.

    Raises:
      ValueError: it is sparse or holds something else than numbers.
    """
    if str(column.dtype).startswith("Sparse"):
        raise ValueError(
            f"{argument}: column {quoted(column.name)} is sparse; hand over frame.sparse.to_dense()"
        )
    # A column of the fit may have no value at all in another table.
    nothing = what == "text" and str(column.dtype) == "object" and all(map(is_hole, column))
    if not (what == "number" or (what == "switch" and argument == "covariates") or nothing):
        raise ValueError(
            f"{argument}: column {quoted(column.name)} holds something else than numbers "
            f"({column.dtype}); {ADVICE}"
        )
    if getattr(column.dtype, "kind", "O") == "f" and isinstance(column.dtype, np.dtype):
        with np.errstate(over="ignore"):
            return column.to_numpy(np.float64)  # "Float64" would refuse float16
    if str(column.dtype) == "object" or _arrow_decimal(column.dtype) is not None:
        return np.array([np.nan if is_hole(value) else _float(value) for value in column], float)
    return column.astype("Float64").to_numpy(float, na_value=np.nan)


def _float(value):
    """As float64; infinite where it is too large, which is refused later."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def filled(column: Any, positions: np.ndarray, fills: np.ndarray) -> Any:
    """A copy of a column of numbers with fills in some places, in its own dtype.

    Args:
      column: a pandas Series.
      positions: (m,) where.
      fills: (m,) float64.
    """
    new = column.copy()
    name = str(column.dtype).lower()
    arrow = _arrow_decimal(column.dtype)
    if arrow is not None:
        import pandas as pd

        cells = casting.decimals(fills, arrow.scale, arrow.precision)
        new.iloc[positions] = pd.array(cells, dtype=column.dtype)  # pyright: ignore
    elif getattr(column.dtype, "kind", "O") in "iu":  # a nullable integer: others have no holes
        plain = np.dtype(f"{column.dtype.kind}{column.dtype.itemsize}")
        new.iloc[positions] = casting.cast(fills, plain)
    elif name in ("float16", "float32"):  # nullable ones, too
        new.iloc[positions] = casting.cast(fills, np.dtype(name))
    elif name in ("float[pyarrow]", "halffloat[pyarrow]"):
        plain = np.dtype("float32" if name.startswith("float") else "float16")
        new.iloc[positions] = casting.cast(fills, plain)
    elif name == "object":
        new.iloc[positions] = np.array([*_objects(column, fills), None], dtype=object)[:-1]
    else:
        new.iloc[positions] = fills
    return new


def _objects(column, fills):
    """Fills of the type that the column's own objects have."""
    known = [value for value in column if not is_hole(value)]
    if known and all(isinstance(value, decimal.Decimal) for value in known):
        return casting.decimals(fills, casting.places(known))
    if known and all(isinstance(value, (int, np.integer)) for value in known):
        return [round(fill) for fill in fills]
    return [float(fill) for fill in fills]
