"""What time stamps tell: the length of a step, the periods of the data, the phase of a row.

Months are steps of a calendar; all else is counted in units of one length.
"""

import dataclasses
import numbers
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from naomi_jax.imputer.preparation.panel import Panel

_DAY = 86_400 * 10**9  # in nanoseconds, as stamps are counted
_CYCLES = 3
_SHORTEST_BIN = 3_600 * 10**9 // 2  # of a profile: half an hour


@dataclasses.dataclass(frozen=True)
class Calendar:
    """How time is counted. Fitted once; other tables are read with the same units.

    Attributes:
      kind: "stamps", "months" (stamps a calendar month apart), "numbers" or "rows".
      unit: a step, in nanoseconds or in the unit of the numbers; 1 for months and rows.
      periods: in steps, of cycles that the data may have: days and weeks, or years.
      longest: nanoseconds from the first row to the last: a week does not tell of a year.
      given: lengths of cycles that the user has named, in steps.
    """

    kind: str
    unit: float
    periods: tuple[int, ...]
    longest: float = 0.0
    given: tuple[float, ...] = ()

    def steps(self, time: Any, count: int) -> Float[np.ndarray, " n"]:
        """Time stamps in steps from the first of them; rows where there are none."""
        if self.kind == "rows" or time is None:
            return np.arange(count, dtype=float)
        if self.kind == "months":
            return _months(time) - _months(time[:1])
        if np.issubdtype(time.dtype, np.datetime64):
            return elapsed(time, time[:1]) / self.unit
        return (time - time[0]) / self.unit

    def phases(self, panel: Panel) -> list[tuple[Int[np.ndarray, " n"], int]]:
        """Bins of each row in cycles from short to long, with their number.

        Of the calendar each cycle contains the one before it: hour of the day, then hour of the
        week. Then those that were named (`given`), which need no stamps.
        """
        return [*self._of_calendar(panel.stamps), *self._of_given(panel)]

    def _of_given(self, panel):
        times = panel.times if panel.absolute is None else panel.absolute
        for period in self.given:
            bins = max(round(period), 2)
            if abs(period - bins) < 1e-6:
                yield np.round(times).astype(np.int64) % bins, bins
            else:  # rounding must not put the first moment of a bin into the one before
                part = np.floor(times % period / period * bins + 1e-6)
                yield part.astype(np.int64) % bins, bins

    def absolute(self, time: Any, clock: Any) -> np.ndarray | None:
        """Times in steps from a moment that all tables share; None for rows.

        Args:
          time: stamps or numbers, or None.
          clock: stamps of the clock on the wall, where there are stamps.
        """
        if self.kind == "rows" or time is None:
            return None
        if self.kind == "months":
            return _months(clock)
        if np.issubdtype(time.dtype, np.datetime64):
            return elapsed(clock, np.zeros(1, clock.dtype)) / self.unit
        return time / self.unit

    def _of_calendar(self, stamps):
        if stamps is None or self.kind not in ("stamps", "months"):
            return []
        if self.kind == "months":
            return (
                [(_months(stamps).astype(np.int64) % 12, 12)] if self._holds(12 * 30 * _DAY) else []
            )
        days, in_day = _days(stamps)
        weekday = (days + 3) % 7  # 1970-01-01 was a Thursday
        if self.unit > 7 * _DAY * 0.99:
            return []
        if self.unit > _DAY / 2 * 1.01:
            return [(weekday, 7)] if self._holds(7 * _DAY) else []
        if not self._holds(_DAY):
            return []
        width = int(max(self.unit, _SHORTEST_BIN))
        bins = -(-_DAY // width)
        of_day = in_day // width
        found = [(of_day, bins), (weekday * bins + of_day, 7 * bins)]
        return found if self._holds(7 * _DAY) else found[:1]

    def _holds(self, cycle):
        """Whether the data are long enough to tell a cycle from a drift."""
        return self.longest >= _CYCLES * cycle

    def covariates(self, stamps: np.ndarray | None) -> Float[np.ndarray, "n C"]:
        """Sine and cosine of the time of day, of the week and of the year, as they apply."""
        if stamps is None:
            return np.zeros((0, self.waves))
        # Weeks begin on Monday; 1970-01-01 was a Thursday.
        angles = [
            2 * np.pi * _place_in(length, stamps, 4 if length == 7 * _DAY else 0) / length
            for length in self._lengths()
        ]
        found = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
        return np.stack(found, axis=1) if found else np.zeros((len(stamps), 0))

    @property
    def waves(self) -> int:
        """How many columns `covariates` has."""
        return 2 * len(self._lengths())

    def _lengths(self):
        """Day, week and year, where two steps or more make one and the data span it."""
        if self.kind not in ("stamps", "months"):
            return []
        lengths = (_DAY, 7 * _DAY, round(365.2425 * _DAY))
        return [n for n in lengths if 2 * self._nanoseconds <= n <= self.longest]

    @property
    def _nanoseconds(self):
        return 30 * _DAY if self.kind == "months" else self.unit


def fit(stamps: Any, bounds: Int[np.ndarray, " S+1"]) -> Calendar:
    """The calendar of a table.

    Args:
      stamps: (n,) datetime64 or numbers, increasing within each series; None for rows.
      bounds: first row of each series, and n.
    """
    if stamps is None:
        return Calendar("rows", 1.0, ())
    inside = np.ones(len(stamps), bool)
    inside[bounds[:-1]] = False
    if not inside.any():
        return Calendar("rows", 1.0, ())
    if not np.issubdtype(stamps.dtype, np.datetime64):
        return Calendar("numbers", float(np.median(np.diff(stamps)[inside[1:]])), ())
    unit = float(np.median(elapsed(stamps[1:], stamps[:-1])[inside[1:]]))
    span = float(elapsed(stamps.max(), stamps.min()))
    if unit > 27 * _DAY and unit < 32 * _DAY and _once_a_month(stamps):
        return Calendar("months", 1.0, (12,), longest=span)
    cycles = [_DAY, 7 * _DAY] if unit <= _DAY / 2 else [7 * _DAY] if unit <= 3.5 * _DAY else []
    periods = tuple(
        round(cycle / unit)
        for cycle in cycles
        if abs(cycle / unit - round(cycle / unit)) < 1e-6 and span >= _CYCLES * cycle
    )
    return Calendar("stamps", unit, periods, longest=span)


def elapsed(later: Any, earlier: Any) -> Any:
    """Nanoseconds from stamps to others, float64: right also beyond the 292 years of 64 bits."""
    (days, rest), (first, start) = _days(later), _days(earlier)
    return (days - first) * float(_DAY) + (rest - start)


def _days(stamps):
    """Whole days since 1970-01-01 and the nanoseconds after them, int64."""
    days = stamps.astype("datetime64[D]")
    return days.astype(np.int64), (stamps - days).astype("timedelta64[ns]").astype(np.int64)


def _place_in(length, stamps, first):
    """Nanoseconds since the last multiple of a length, counted from a day of 1970, int64."""
    days, rest = _days(stamps)
    seconds = (days - first) * 86_400 % (length // 10**9)
    return (seconds * 10**9 + rest) % length


def with_given(calendar: Calendar, period: Any, panel: Panel) -> Calendar:
    """The calendar with cycles that the user has named.

    Args:
      calendar: of the table.
      period: a number of steps, a time such as "24h", or several of them; None: none.
      panel: the table, which must hold two of each.

    Raises:
      ValueError: one is no length of time, or there are no stamps for it, or it does not fit.
    """
    if period is None:
        return calendar
    several = period if isinstance(period, (list, tuple)) else [period]
    longest = max(np.ptp(panel.times[b:e]) + 1 for b, e in zip(panel.bounds, panel.bounds[1:]))
    found = []
    for one in several:
        steps = _steps_of(one, calendar)
        if not 2 <= steps <= longest / 2:
            raise ValueError(
                f"period: {one!r} is {steps:g} steps; from 2 to half of the table "
                f"({longest / 2:g}) is accepted"
            )
        found.append(steps)
    whole = [round(steps) for steps in found if abs(steps - round(steps)) < 1e-6]
    periods = tuple(sorted({*calendar.periods, *whole}))
    return dataclasses.replace(calendar, given=tuple(sorted(found)), periods=periods)


def _steps_of(period, calendar):
    import pandas as pd

    wrong = f"period: {period!r}; a number of steps, or a time such as '24h', is needed"
    plain = isinstance(period, numbers.Real) and not isinstance(period, (bool, np.timedelta64))
    if plain:
        return float(period)
    try:
        length = pd.Timedelta(period)
    except (ValueError, TypeError):
        raise ValueError(wrong) from None
    if calendar.kind != "stamps":
        raise ValueError(f"period: {period!r} is a time, and the table has no stamps of that kind")
    return length.total_seconds() * 1e9 / calendar.unit


def _once_a_month(stamps):
    """Whether all stand on one day of the month, or on its last."""
    days = stamps.astype("datetime64[D]")
    month = days.astype("datetime64[M]")
    in_month = days - month.astype("datetime64[D]")
    to_end = (month + 1).astype("datetime64[D]") - days
    return bool((in_month == in_month[0]).all() or (to_end == to_end[0]).all())


def _months(stamps):
    return stamps.astype("datetime64[M]").astype(np.int64).astype(float)
