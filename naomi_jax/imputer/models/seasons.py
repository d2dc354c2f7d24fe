"""Candidates that follow a season: the line about it, and the line along one phase."""

import dataclasses

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.models.candidate import Given, Learning, Model
from naomi_jax.imputer.preparation import pivots
from naomi_jax.imputer.preparation.panel import Panel

_MOST_SLOTS = 4  # slots of a regular grid for each row; with more, rows are too far apart


@dataclasses.dataclass(frozen=True)
class AboutSeason:
    """The straight line between what the season leaves of the known entries."""

    name: str = "line about the season"

    def fill(self, given, wanted):
        """As the protocol says."""
        about = dataclasses.replace(given.panel, values=given.panel.values - given.season)
        return given.season + pivots.line(about, given.sides)


@dataclasses.dataclass(frozen=True)
class SamePhase:
    """The straight line through the entries whole periods before and after.

    With a yearly period it goes from last year's March to next year's, whatever the level does.

    Attributes:
      period: in steps.
    """

    period: int

    @property
    def name(self) -> str:
        """With the period: there may be several."""
        return f"line through period {self.period}"

    def fill(self, given, wanted):
        """As the protocol says; NaN where neither the period before nor the next has a value."""
        through = phase_line(given.panel, self.period)
        return np.full(given.panel.values.shape, np.nan) if through is None else through


def phase_line(panel: Panel, period: int) -> Float[np.ndarray, "n D"] | None:
    """The straight line through the entries whole periods before and after; NaN without any.

    Returns:
      None where rows are not on a regular grid, or no series is longer than a period.
    """
    slot = np.round(panel.times).astype(np.int64)
    if np.abs(panel.times - slot).max(initial=0) > 1e-3:
        return None
    result = np.full_like(panel.values, np.nan)
    for begin, end in zip(panel.bounds[:-1], panel.bounds[1:]):
        place = slot[begin:end] - slot[begin]
        slots = int(place[-1]) + 1
        if slots <= period:
            continue
        if slots > _MOST_SLOTS * (end - begin) + period:
            continue  # rows are too far apart
        result[begin:end] = _lines_of_phases(panel.values[begin:end], place, slots, period)
    return None if np.isnan(result).all() else result


def _lines_of_phases(values, place, slots, period):
    """The line along cycles of one series, (rows, D)."""
    cycles = -(-slots // period)
    dim = values.shape[1]
    grid = np.full((cycles * period, dim), np.nan)
    grid[place] = values
    grid = grid.reshape(cycles, period * dim)
    series = Panel(grid, np.array([0, cycles]), np.arange(cycles, dtype=float), grid[:, :0])
    sides = pivots.pivots(series.observed, series)
    cycle = np.arange(cycles)[:, None]
    before = (sides.before >= 0) & (cycle - sides.before <= 1)
    near = before | ((sides.after < cycles) & (sides.after - cycle <= 1))
    filled = np.where(near, pivots.line(series, sides), np.nan)
    return filled.reshape(cycles * period, dim)[place]


def fit(given: Given, learning: Learning):
    """Where the data show a season, and a line for each period that they are long enough for."""
    about = (AboutSeason(),) if given.preparation.season.found else ()
    return *about, *map(SamePhase, given.preparation.calendar.periods)


MODEL = Model("seasons", fit, (AboutSeason, SamePhase), simple=True)
