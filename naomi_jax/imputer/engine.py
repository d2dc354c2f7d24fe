"""What an imputer has learned of one kind of table, and how it fills another of that kind.

    candidates (line, curve, phase, network) -> blend -> bounds, constants

Everything here is arrays: rows sorted in time, columns in the order of the fit. Values are
stabilized (stabilizing.py), but for the straight line's: it is that of the data.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from naomi_jax.imputer.judging import stacking
from naomi_jax.imputer.judging.intervals import Residuals
from naomi_jax.imputer.judging.stacking import Blend
from naomi_jax.imputer.models import groups, lines, network
from naomi_jax.imputer.models.groups import Groups
from naomi_jax.imputer.models.network import Prior
from naomi_jax.imputer.preparation import scaling, season
from naomi_jax.imputer.preparation.calendar import Calendar
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.imputer.preparation.scaling import Scaling
from naomi_jax.imputer.preparation.season import Profile
from naomi_jax.imputer.preparation.stabilizing import Stabilizer


@dataclasses.dataclass(frozen=True)
class Engine:
    """Fitted; all arrays in stabilized units, columns in the order of the fit.

    Attributes:
      stabilizer: from the data's units to those of all that follows.
      calendar: how time is counted.
      profile: mean of each phase.
      scaling: level and scale of windows.
      spike: deviations beyond which an entry is a false reading.
      low, high: (D,) bounds that fills keep.
      constant: (D,) whether the column has one value; it is `profile.center`.
      window: W of the network and of levels.
      state_space: a linear model of the columns, or None where they are many or rows few.
      error: (D, CLASSES) typical errors of the state space in units of the scale, or None.
      params: of the network, or None for tables too small for one.
      blend: weights of the candidates.
      residuals: errors of the fill on held-out entries.
    """

    stabilizer: Stabilizer
    calendar: Calendar
    profile: Profile
    scaling: Scaling
    spike: Float[np.ndarray, " D"]
    low: Float[np.ndarray, " D"]
    high: Float[np.ndarray, " D"]
    constant: Bool[np.ndarray, " D"]
    window: int
    state_space: Groups | None = None
    error: Float[np.ndarray, "D C"] | None = None
    params: Any = None
    blend: Blend | None = None
    residuals: Residuals | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the candidates it can have."""
        found = ["line", "curve", "local mean"]
        found += ["line about the phase"] if self.profile.share.any() else []
        found += [f"line through period {period}" for period in self._periods]
        if self.state_space is not None:
            found += ["state space"]
            found += ["state space and cycles"] if self.state_space.about_cycles else []
        return (*found, *(["network"] if self.params is not None else []))

    @property
    def _periods(self):
        """Cycles that are candidates of their own; a state space that knows them is better."""
        knows = self.state_space is not None and self.state_space.about_cycles
        return () if knows else self.calendar.periods

    def clean(self, panel: Panel) -> Panel:
        """The panel without false readings."""
        return panel.without(scaling.spikes(panel, self.spike))

    def scaled(self, panel: Panel) -> tuple[Panel, Callable[[np.ndarray], np.ndarray]]:
        """The panel less its profile in units of the scale, and the way back."""
        return self._about(panel, self.profile.base(self.calendar, panel))

    def _about(self, panel, base):
        unit = self.scaling.scale
        values = (panel.values - base) / unit
        return dataclasses.replace(panel, values=values), lambda filled: base + unit * filled

    def candidates(
        self, panel: Panel, wanted: Bool[np.ndarray, "n D"]
    ) -> tuple[dict[str, Float[np.ndarray, "n D"]], Any]:
        """Fills of each kind at the wanted entries, and the class of each entry.

        Args:
          panel: without false readings.
          wanted: entries that are needed; the network looks for no others.
        """
        base = self.profile.base(self.calendar, panel)
        about = dataclasses.replace(panel, values=panel.values - base)
        sides = lines.pivots(panel.observed, panel)
        beyond = lines.outer(panel, sides)
        scaled, back = self._about(panel, base)
        local = back(season.local_mean(scaled, self.scaling, self.window))
        straight = self._line(panel, sides)
        straight = np.where(np.isfinite(straight), straight, local)
        found = {"line": straight, "curve": lines.curve(panel, sides, beyond), "local mean": local}
        if self.profile.share.any():
            found["line about the phase"] = base + lines.line(about, sides)
        for period in self._periods:
            through = season.phase_line(panel, period)
            if through is not None:
                found[f"line through period {period}"] = through
        scaled, level = scaling.levelled(scaled, self.scaling)
        index = stacking.classes(panel, sides, beyond)
        prior = None
        if self.state_space is not None:
            mean, both = groups.smooth(self.state_space, scaled)
            found["state space"] = back(mean + level)
            if both is not None:
                found["state space and cycles"] = back(both + level)
                mean = both
            if self.error is not None:
                prior = Prior(mean, self.error[np.arange(index.shape[1]), index])
        if self.params is not None:
            filled = network.fill(self.params, scaled, prior, self.scaling, self.window, wanted)
            found["network"] = back(filled + level)
        return found, index

    def _line(self, panel, sides):
        """Straight in the data's units: people compare with this one."""
        values = self.stabilizer.inverse(panel.values)
        return self.stabilizer(lines.line(dataclasses.replace(panel, values=values), sides))

    def fill(
        self, panel: Panel, wanted: Bool[np.ndarray, "n D"]
    ) -> tuple[Float[np.ndarray, "n D"], Any]:
        """The best fill of the wanted entries, and the class of each entry."""
        candidates, index = self.candidates(self.clean(panel), wanted)
        filled = candidates["line"] if self.blend is None else self.blend(candidates, index)
        return self.bounded(panel, filled), index

    def bounded(
        self, panel: Panel, filled: Float[np.ndarray, "... n D"]
    ) -> Float[np.ndarray, "... n D"]:
        """Within the bounds, wherever this table's own entries keep them; constants kept."""
        with np.errstate(all="ignore"):
            low = np.fmin(self.low, np.nanmin(panel.values, axis=0, initial=np.inf))
            high = np.fmax(self.high, np.nanmax(panel.values, axis=0, initial=-np.inf))
        filled = np.clip(filled, low, high)
        same = self.constant & np.all(
            np.isnan(panel.values) | (panel.values == self.profile.center), axis=0
        )
        return np.where(same, self.profile.center, filled)
