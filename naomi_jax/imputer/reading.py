"""From a table as it came to what the engine works on: rows sorted in time, in steps."""

import dataclasses
import numbers
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from naomi_jax.imputer.preparation import calendar, pivots
from naomi_jax.imputer.preparation.calendar import Calendar
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.tables.table import Table


def panel(
    table: Table, some: Bool[np.ndarray, " D"], counted: Calendar | None
) -> tuple[Panel, Calendar, Int[np.ndarray, " n"]]:
    """Rows sorted in time, how time is counted, and the row of the table that each is.

    Args:
      table: with its rows in any order.
      some: the columns that are filled.
      counted: the calendar of an earlier table; None fits one to this.

    Raises:
      ValueError: a stamp stands twice in a series, or times are of another kind than in the fit.
    """
    count = len(table.values)
    if table.time is None:
        order = np.argsort(table.series, kind="stable")
    else:
        order = np.lexsort((table.time, table.series))
    series = table.series[order]
    bounds = np.flatnonzero(np.diff(series, prepend=-1, append=-1))
    time = None if table.time is None else table.time[order]
    clock = None if table.clock is None else table.clock[order]
    if time is not None:
        _check_once(time, series, order)
        if clock is not None and clock.dtype.kind == "M" and _by_days(clock, series):
            time = clock  # a day is from midnight to midnight, also where it has 23 hours
    if counted is None:
        counted = calendar.fit(time, bounds)
    elif counted.kind != "rows":
        _check_kind(time, counted)
    spans = list(zip(bounds[:-1], bounds[1:]))
    times = np.concatenate(
        [counted.steps(None if time is None else time[b:e], e - b) for b, e in spans]
    )
    stamps = clock if clock is not None and clock.dtype.kind == "M" else None
    waves = counted.covariates(stamps) if stamps is not None else np.zeros((count, 0))
    covariates = np.concatenate([waves, table.covariates[order]], axis=1)
    values = table.values[order][:, some]
    absolute = counted.absolute(time, clock)
    return Panel(values, bounds, times, covariates, stamps, absolute), counted, order


def _by_days(clock, series):
    """Whether rows are a day or more apart by the clock on the wall."""
    follows = np.diff(series) == 0
    steps = np.diff(clock)[follows]
    return len(steps) > 0 and np.median(steps.astype("timedelta64[s]").astype(float)) >= 86_400


def _check_once(time, series, order):
    same = np.flatnonzero((np.diff(series) == 0) & (time[1:] == time[:-1]))
    if len(same):
        first, second = sorted((int(order[same[0]]), int(order[same[0] + 1])))
        raise ValueError(
            f"time: {time[same[0]]} stands in row {first} and in row {second}; each stamp may "
            "stand once in a series (group= names the column that tells series apart)"
        )


def _check_kind(time, counted):
    needed = "numbers" if counted.kind == "numbers" else "time stamps"
    if time is None:
        raise ValueError(f"time: none; the imputer was fitted with {needed}")
    if (time.dtype.kind == "M") != (counted.kind != "numbers"):
        raise ValueError(f"time: {time.dtype}; the imputer was fitted with {needed}")


def standardized(rows: Panel, standard: tuple[Any, Any]) -> Panel:
    """The panel with covariates less their means, by their deviations."""
    mean, std = standard
    return dataclasses.replace(rows, covariates=(rows.covariates - mean) / std)


def wanted(rows: Panel, max_gap: int | None) -> Bool[np.ndarray, "n D"]:
    """Which holes to fill: those of at most so many rows.

    Raises:
      ValueError: `max_gap` is no positive whole number.
    """
    missing = ~rows.observed
    if max_gap is None:
        return missing
    check_whole("max_gap", max_gap, 1)
    sides = pivots.pivots(rows.observed, rows)
    begin = np.maximum(sides.before, rows.first[:, None] - 1)
    end = np.minimum(sides.after, rows.last[:, None] + 1)
    return missing & (end - begin - 1 <= max_gap)


def check_whole(argument: str, value: Any, least: int) -> None:
    """Refuse all but whole numbers from `least` on."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"{argument}: {value!r}; a whole number, at least {least}, is needed")
