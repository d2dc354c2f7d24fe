"""Stamps of any year, in 64 bits: nanoseconds where these hold them, else microseconds."""

import numpy as np

_FIRST, _LAST = np.datetime64("1677-09-22", "us"), np.datetime64("2262-04-11", "us")
_SPAN = np.timedelta64(292 * 365, "D")  # of nanoseconds; their differences wrap beyond it
_YEARS = np.datetime64("0001", "Y"), np.datetime64("9999", "Y")


def counted(stamps: np.ndarray) -> np.ndarray:
    """The same stamps as datetime64[ns], or as datetime64[us] where they lie too far apart.

    So the difference of any two of them is right.

    Args:
      stamps: (T,) datetime64 of any unit.

    Raises:
      ValueError: one lies outside the years 1 to 9999.
    """
    known = stamps[~np.isnat(stamps)]
    if not len(known):
        return stamps.astype("datetime64[ns]")
    years = known.astype("datetime64[Y]")
    if years.min() < _YEARS[0] or years.max() > _YEARS[1]:
        raise ValueError("a date lies outside the years 1 to 9999")
    least, most = known.min().astype("datetime64[us]"), known.max().astype("datetime64[us]")
    near = least >= _FIRST and most <= _LAST and most - least < _SPAN
    return stamps.astype("datetime64[ns]" if near else "datetime64[us]")


def since_start(elapsed: np.ndarray) -> np.ndarray:
    """Elapsed times (timedelta64) as stamps since 1970-01-01: days and hours count from there."""
    unit, _ = np.datetime_data(elapsed.dtype)
    return counted(np.zeros(1, f"datetime64[{unit}]") + elapsed)
