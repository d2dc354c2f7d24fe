"""Values made fit for a network: spikes left out, a window's own level taken off, scaled.

All in float64, so that pascals and UTM metres lose nothing before they become float32.
"""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Num

from naomi_jax.imputer.preparation.panel import Panel, series_windows

_NEIGHBORS = 7  # known entries of a running median
_STEPS = 4  # and so many of the largest usual steps
_SPIKE = 12  # times the deviation that all but 1 % keep within


def spike_limit(panel: Panel) -> Float[np.ndarray, " D"]:
    """The deviation from the running median beyond which an entry is a false reading.

    Infinite where there is no telling: a column that is mostly constant has events, not spikes.
    """
    found = np.full(panel.values.shape[1], np.inf)
    for column in range(len(found)):
        known = np.flatnonzero(~np.isnan(panel.values[:, column]))
        if len(known) > 10 * _NEIGHBORS:
            typical = np.quantile(_from_median(panel, known, column), 0.99)
            # What rises steadily is its own running median; its steps say how far it goes.
            steps = np.abs(np.diff(panel.values[known, column]))
            elapsed = np.maximum(np.abs(np.diff(panel.times[known])), 1)
            if typical > 0:
                found[column] = _SPIKE * typical + _STEPS * np.quantile(steps / elapsed, 0.99)
    return found


def spikes(panel: Panel, limit: Float[np.ndarray, " D"]) -> Bool[np.ndarray, "n D"]:
    """Where a known entry is farther than `limit` from the running median around it."""
    found = np.zeros(panel.values.shape, bool)
    for column in np.flatnonzero(np.isfinite(limit)):
        known = np.flatnonzero(~np.isnan(panel.values[:, column]))
        if len(known) >= _NEIGHBORS:
            away = _from_median(panel, known, column)
            found[known[away > limit[column]], column] = True
    return found


def _from_median(panel, known, column):
    """Of each known entry, per step of the time that its neighbors cover beyond the least.

    Between rows that are far apart a moving body moves far.
    """
    half = _NEIGHBORS // 2
    values = panel.values[known, column]
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(values, half, mode="reflect"), _NEIGHBORS
    )
    place = np.arange(len(known))
    first, last = np.maximum(place - half, 0), np.minimum(place + half, len(known) - 1)
    covered = np.abs(panel.times[known[last]] - panel.times[known[first]])
    alone = panel.first[known[last]] == panel.first[known[first]]
    away = np.abs(values - np.median(around, axis=1)) / np.maximum(covered / (2 * half), 1)
    return np.where(alone, away, 0)  # what another series shows says nothing of this one


@dataclasses.dataclass(frozen=True)
class Scaling:
    """A window's level and the scale of what is left.

    A window's level is the mean of its shown entries, shrunk toward 0, the column's own level: by
    much where windows differ little from each other, and not at all where they drift, or where
    this window is farther away than any that was seen (a place 100 km away, another sensor's
    offset).

    Attributes:
      scale: of a column's values about the level of their window.
      prior: entries that the column's own level weighs as much as; 0 takes the window's alone.
      spread: deviation of the levels of windows, in units of the scale.
    """

    scale: Float[np.ndarray, " D"]
    prior: Float[np.ndarray, " D"]
    spread: Float[np.ndarray, " D"]

    def level(
        self, values: Float[np.ndarray, "B W D"], shown: Bool[np.ndarray, "B W D"]
    ) -> Float[np.ndarray, "B 1 D"]:
        """The level of each window and column; values are finite, also where not shown."""
        number = shown.sum(1, keepdims=True)
        return self.shrunk(np.where(shown, values, 0).sum(1, keepdims=True), number)

    def shrunk(
        self, total: Float[np.ndarray, "*B D"], number: Num[np.ndarray, "*B D"]
    ) -> Float[np.ndarray, "*B D"]:
        """The level of entries of this sum and number."""
        mean = total / np.maximum(number, 1)
        away = np.minimum(np.abs(mean) / (3 * self.spread), 30)  # its square must not overflow
        prior = self.prior * np.exp(-np.square(away))
        return total / np.maximum(number + prior, 1e-6)


def fit_scaling(panel: Panel, length: int) -> Scaling:
    """From windows of `length` rows; values have their profile subtracted already."""
    total = panel.values.shape[1]
    within, between = np.zeros(total), np.zeros(total)
    means: list[list[float]] = [[] for _ in range(total)]
    number = np.zeros(total)
    for begin, rows in series_windows(panel, length, length):
        window = panel.values[begin : begin + rows]
        known = ~np.isnan(window)
        count = known.sum(0)
        mean = np.where(known, window, 0).sum(0) / np.maximum(count, 1)
        within += np.where(known, np.square(window - mean), 0).sum(0)
        number += np.maximum(count - 1, 0)
        for column in np.flatnonzero(count >= min(3, rows)):
            means[column].append(mean[column])
    within = within / np.maximum(number, 1)
    between = np.array([np.mean(np.square(m)) if m else 0.0 for m in means])
    tiny = np.maximum(1e-12 * (within + between), 1e-300)
    prior = np.clip(within / (between + tiny), 0, 1e6)
    scale = np.sqrt(np.where(within > 0, within, np.where(between > 0, between, 1)))
    return Scaling(scale, prior, np.sqrt(between + within + tiny) / scale)


def levelled(
    panel: Panel, scaling: Scaling, alike: float = 1.0
) -> tuple[Panel, Float[np.ndarray, "n D"]]:
    """A panel in units of the scale, about the level of each series, and these levels.

    Args:
      panel: in units of the scale.
      scaling: of the table.
      alike: entries of a series that say as much of its level as one that is independent of the
        others would, because they follow each other in time and columns go together.
    """
    known = panel.observed
    scaling = dataclasses.replace(scaling, prior=scaling.prior * alike)
    values = np.where(known, panel.values, 0)
    series = panel.bounds[:-1]
    total = np.add.reduceat(values, series, axis=0)
    number = np.add.reduceat(known.astype(float), series, axis=0)
    level = np.repeat(scaling.shrunk(total, number), np.diff(panel.bounds), axis=0)
    return dataclasses.replace(panel, values=panel.values - level), level
