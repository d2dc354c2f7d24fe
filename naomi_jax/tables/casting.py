"""Fills in the type of the column that they go into: nothing beyond its ends, whole where it is."""

import decimal
from collections.abc import Iterable

import numpy as np

LARGEST = 1e150  # in size: the square of a larger value is no number any more
_EVIDENCE = 20  # whole values that show that a column of floats has no others
_EXACT = decimal.Context(prec=2000)  # of more digits than any float has


def cast(fills: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Fills in the dtype of what they fill: integers rounded, and nothing beyond its range."""
    if dtype.kind == "O":
        return fills.astype(object)
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        # float64 rounds 2^63 - 1 up, to what no int64 holds: the greatest is put in by itself.
        over = fills >= float(high)
        inside = np.maximum(np.where(over, 0, np.round(fills)), float(low)).astype(dtype)
        return np.where(over, dtype.type(high), inside).astype(dtype, copy=False)
    if dtype.kind == "b":
        return fills >= 0.5
    largest = min(np.finfo(dtype).max, np.finfo(np.float64).max)
    return np.clip(fills, -float(largest), float(largest)).astype(dtype)


def decimals(
    fills: Iterable[float], places: int, digits: int | None = None
) -> list[decimal.Decimal]:
    """Fills as decimals.

    Args:
      fills: any number of them.
      places: digits behind the point.
      digits: of the longest number that the type holds; None for any.
    """
    step = decimal.Decimal(1).scaleb(-places)
    found = [_EXACT.quantize(decimal.Decimal(float(fill)), step) for fill in fills]
    if digits is None:
        return found
    largest = _EXACT.multiply(decimal.Decimal(10**digits - 1), step)
    return [max(largest.copy_negate(), min(one, largest)) for one in found]


def places(known: Iterable[decimal.Decimal]) -> int:
    """Digits behind the point of the decimals that have the most."""
    exponents = [one.as_tuple().exponent for one in known]
    return max((-one for one in exponents if isinstance(one, int)), default=0)


def whole(values: np.ndarray, least: int = _EVIDENCE) -> np.ndarray:
    """(D,) the columns of floats that hold whole numbers alone: counts.

    Args:
      values: (n, D), NaN in the holes.
      least: how many numbers it takes; fewer may be whole by chance.
    """
    known = ~np.isnan(values)
    fits = ~known | (values == np.floor(values))
    return fits.all(axis=0) & (np.count_nonzero(known, axis=0) >= least)
