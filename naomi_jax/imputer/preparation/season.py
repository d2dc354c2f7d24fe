"""What repeats: the mean of a phase (hour of the week), and the line through the same phases."""

import dataclasses

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.models.lines import line, pivots
from naomi_jax.imputer.preparation.calendar import Calendar
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.imputer.preparation.scaling import Scaling

_PRIOR = 4  # observations that a phase's mean weighs against that of the shorter cycle
_MOST_SLOTS = 4  # slots of a regular grid for each row; with more, rows are too far apart


@dataclasses.dataclass(frozen=True)
class Profile:
    """The mean of each phase of the longest cycle, and how much of it holds for new data.

    Attributes:
      means: (P, D) less the column's mean.
      center: (D,) the column's mean.
      share: (D,) from 0 to 1: what to subtract of the means before anything else is modelled.
    """

    means: Float[np.ndarray, "P D"]
    center: Float[np.ndarray, " D"]
    share: Float[np.ndarray, " D"]

    def __call__(self, calendar: Calendar, panel: Panel) -> Float[np.ndarray, "n D"]:
        """The mean of each row's phase; the column's mean without stamps."""
        phases = calendar.phases(panel.stamps)
        if not phases or not len(self.means):
            return np.broadcast_to(self.center, panel.values.shape)
        return self.center + self.means[phases[-1][0]]

    def base(self, calendar: Calendar, panel: Panel) -> Float[np.ndarray, "n D"]:
        """What is subtracted: the part of the means that holds for new data."""
        return self.center + self.share * (self(calendar, panel) - self.center)


def fit_profile(calendar: Calendar, panel: Panel) -> Profile:
    """Means by phase, the longer cycle's shrunk toward the shorter one's."""
    observed = panel.observed
    count = np.maximum(observed.sum(0), 1)
    center = np.where(observed, panel.values, 0).sum(0) / count
    rest = np.where(observed, panel.values - center, 0)
    phases = calendar.phases(panel.stamps)
    means = np.zeros((0, panel.values.shape[1]))
    fitted = np.zeros_like(rest)
    held = np.zeros_like(rest)
    for phase, size in phases:
        total, number = _sums(rest - fitted, observed, phase, size)
        step = total / (number + _PRIOR)
        # What each entry would be told by the others of its phase alone.
        others = (total[phase] - np.where(observed, rest - fitted, 0)) / (
            np.maximum(number[phase] - observed, 0) + _PRIOR
        )
        held = held + others
        fitted = fitted + step[phase]
        means = step if not len(means) else np.tile(means, (size // len(means), 1)) + step
    if not phases:
        return Profile(means, center, np.zeros(panel.values.shape[1]))
    held = np.where(observed, held, 0)
    share = (held * rest).sum(0) / np.maximum(np.square(held).sum(0), 1e-300)
    explained = 1 - np.square(rest - np.clip(share, 0, 1) * held).sum(0) / np.maximum(
        np.square(rest).sum(0), 1e-300
    )
    share = np.where(explained > 0.02, np.clip(share, 0, 1), 0)
    return Profile(means, center, share)


def _sums(values, observed, phase, size):
    """Sum and number of the observed values in each bin, (size, D)."""
    total = np.zeros((size, values.shape[1]))
    number = np.zeros((size, values.shape[1]))
    np.add.at(total, phase, np.where(observed, values, 0))
    np.add.at(number, phase, observed)
    return total, number


def phase_line(panel: Panel, period: int) -> Float[np.ndarray, "n D"] | None:
    """The straight line through the entries whole periods before and after; NaN without any.

    With a yearly period it goes from last year's March to next year's, whatever the level does.
    NaN also where neither the period before nor the one after has a value.

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
            return None
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
    sides = pivots(series.observed, series)
    cycle = np.arange(cycles)[:, None]
    before = (sides.before >= 0) & (cycle - sides.before <= 1)
    near = before | ((sides.after < cycles) & (sides.after - cycle <= 1))
    filled = np.where(near, line(series, sides), np.nan)
    return filled.reshape(cycles * period, dim)[place]


def local_mean(panel: Panel, scaling: Scaling, reach: int) -> Float[np.ndarray, "n D"]:
    """The level of the rows around each entry, `reach` rows on each side, within the series."""
    known = panel.observed
    total, number = (
        np.concatenate([np.zeros((1, known.shape[1])), np.cumsum(part, axis=0)])
        for part in (np.where(known, panel.values, 0), known)
    )
    row = np.arange(len(known))
    begin = np.maximum(row - reach, panel.first)
    end = np.minimum(row + reach, panel.last) + 1
    return scaling.shrunk(total[end] - total[begin], number[end] - number[begin])
