"""What is done to a table before any candidate sees it, and undone after it.

    false readings out -> stabilized -> less the season -> in units of the scale -> about a level

A candidate chooses how far it goes along this chain (`models/candidate.py`).
"""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float

from naomi_jax.imputer.preparation import scaling, season, stabilizing
from naomi_jax.imputer.preparation.calendar import Calendar
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.imputer.preparation.scaling import Scaling
from naomi_jax.imputer.preparation.season import Season
from naomi_jax.imputer.preparation.stabilizing import Stabilizer


@dataclasses.dataclass(frozen=True)
class Preparation:
    """Fitted; all arrays in stabilized units, columns in the order of the fit.

    Attributes:
      stabilizer: from the data's units to those of all that follows.
      calendar: how time is counted.
      season: mean of each phase.
      scaling: level and scale of windows.
      spike: deviations beyond which an entry is a false reading.
      least: (D,) 0 for a column that never was negative and that the user named no lower bound
        for, otherwise -inf; gives way to a table's own entries.
      low, high: (D,) bounds that the user has named, in the data's own units; they hold always.
      constant: (D,) whether the column has one value; it is `season.center`.
      window: rows of a window, for levels and for the network.
    """

    stabilizer: Stabilizer
    calendar: Calendar
    season: Season
    scaling: Scaling
    spike: Float[np.ndarray, " D"]
    least: Float[np.ndarray, " D"]
    low: Float[np.ndarray, " D"]
    high: Float[np.ndarray, " D"]
    constant: Bool[np.ndarray, " D"]
    window: int

    def clean(self, panel: Panel) -> Panel:
        """A stabilized panel without false readings."""
        return panel.without(scaling.spikes(panel, self.spike))

    def bounded(
        self, panel: Panel, filled: Float[np.ndarray, "... n D"]
    ) -> Float[np.ndarray, "... n D"]:
        """Within the bounds; constants kept.

        Args:
          panel: the table, stabilized. What it shows below `least` is possible, so fills may go
            there too; the user's own bounds do not give way.
          filled: fills of it.
        """
        with np.errstate(all="ignore"):
            least = np.fmin(self.least, np.nanmin(panel.values, axis=0, initial=np.inf))
        filled = np.clip(filled, least, np.inf)
        filled = np.clip(filled, self.stabilizer(self.low), self.stabilizer(self.high))
        center = self.season.center
        same = self.constant & np.all(np.isnan(panel.values) | (panel.values == center), axis=0)
        return np.where(same, center, filled)

    def in_units(self, filled: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n D"]:
        """Fills in the data's own units; the way back rounds, so bounds are kept once more."""
        return np.clip(self.stabilizer.inverse(filled), self.low, self.high)

    def learned_from(self, clean: Panel) -> "Preparation":
        """The same, its season and scale those of other rows.

        Args:
          clean: the rows to learn from; stabilized, without false readings.
        """
        found = season.fit(self.calendar, clean)
        center = np.where(clean.observed.any(0) & ~self.constant, found.center, self.season.center)
        found = dataclasses.replace(found, center=center)
        about = dataclasses.replace(clean, values=clean.values - found(self.calendar, clean))
        scale = scaling.fit_scaling(about, self.window)
        return dataclasses.replace(self, season=found, scaling=scale)


def fit(
    panel: Panel,
    calendar: Calendar,
    low: Float[np.ndarray, " D"],
    high: Float[np.ndarray, " D"],
    window: int | None = None,
) -> tuple[Preparation, Panel]:
    """Of a table, and the table as `clean` gives it.

    Args:
      panel: in the data's units.
      calendar: of it.
      low, high: bounds of each column in the data's units; NaN where there are none.
      window: rows of a window; None follows the lengths of the gaps.
    """
    stabilizer = stabilizing.fit(panel)
    panel = stabilizer.panel(panel)
    spike = scaling.spike_limit(panel)
    clean = panel.without(scaling.spikes(panel, spike))
    known = clean.observed
    least = np.where(known, clean.values, np.inf).min(0)
    constant = least == np.where(known, clean.values, -np.inf).max(0)
    window = window or window_of(clean)
    dim = clean.values.shape[1]
    found = Preparation(
        stabilizer,
        calendar,
        Season(np.where(constant, least, 0)),
        scaling.Scaling(np.ones(dim), np.zeros(dim), np.ones(dim)),
        spike,
        np.where((least >= 0) & np.isnan(low), 0, -np.inf),
        np.where(np.isnan(low), -np.inf, low),
        np.where(np.isnan(high), np.inf, high),
        constant,
        window,
    )
    return found.learned_from(clean), clean


def window_of(panel: Panel) -> int:
    """Rows of a window: twice what nine of ten gaps have, between 48 and 96, or the series."""
    longest = int(np.diff(panel.bounds).max())
    lengths = gap_lengths(panel)
    usual = int(np.quantile(lengths, 0.9)) if len(lengths) else 0
    window = int(np.clip(2 * usual, 48, 96))
    return max(min(window, longest), 2)


def gap_lengths(panel: Panel) -> np.ndarray:
    """Rows of every hole of every column."""
    missing = ~panel.observed
    edge = np.zeros((1, missing.shape[1]), bool)
    starts = missing & ~np.concatenate([edge, missing[:-1]])
    starts[panel.bounds[:-1]] |= missing[panel.bounds[:-1]]
    order = np.flatnonzero(missing.T)
    number = np.cumsum(starts.T.reshape(-1)[order]) - 1
    return np.bincount(number) if len(order) else np.zeros(0, int)
