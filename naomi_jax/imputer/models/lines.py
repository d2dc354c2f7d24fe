"""Candidates that look at a column's own entries: the line, the curve, the level around."""

import dataclasses

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.models.candidate import LINE, Given, Learning, Model
from naomi_jax.imputer.preparation import pivots

_MOST_ALIKE = 1 - 1e-6  # at 1 nothing would be drawn to the level, and weights would be 0 / 0


@dataclasses.dataclass(frozen=True)
class Line:
    """Straight in the data's own units, as people compare with; the level where nothing is known.

    Attributes:
      level: the column's own, in stabilized units.
    """

    level: Float[np.ndarray, " D"]
    name: str = LINE

    def fill(self, given, wanted):
        """As the protocol says."""
        stabilizer, panel = given.preparation.stabilizer, given.panel
        straight = pivots.line(
            dataclasses.replace(panel, values=stabilizer.inverse(panel.values)), given.sides
        )
        straight = stabilizer(straight)
        return np.where(np.isfinite(straight), straight, self.level)


@dataclasses.dataclass(frozen=True)
class Curve:
    """A cubic through four known entries; the line where there are fewer."""

    name: str = "curve"

    def fill(self, given, wanted):
        """As the protocol says."""
        return pivots.curve(given.panel, given.sides, given.beyond)


@dataclasses.dataclass(frozen=True)
class Level:
    """From the known entries on both sides toward the level of the rows around.

    The mean of an autoregression z_t = r z_(t-1) + noise between two known values, z about the
    season and the level: near a known entry it keeps its value, far from all it is the level.

    Attributes:
      keep: (D,) r, in a step.
    """

    keep: Float[np.ndarray, " D"]
    name: str = "toward the level"

    def fill(self, given, wanted):
        """As the protocol says."""
        panel, sides = given.scaled, given.sides
        level = _around(given)
        since, span = pivots.elapsed(panel, sides)
        left, right = (pivots.at(panel.values, side) - level for side in sides)
        has_left, has_right = sides.before >= 0, sides.after < len(panel.values)
        # Where one is missing it is infinitely far.
        a, b = np.where(has_left, since, np.inf), np.where(has_right, span - since, np.inf)
        with np.errstate(all="ignore"):
            near, far = self.keep**a, self.keep**b
            whole = np.where(has_left & has_right, self.keep ** (2 * span), 0)
            first = near * (1 - far**2) / (1 - whole)
            second = far * (1 - near**2) / (1 - whole)
        told = np.where(has_left, first * left, 0) + np.where(has_right, second * right, 0)
        return given.restored(np.where(panel.observed, panel.values, level + told))


def _keep(given: Given) -> Float[np.ndarray, " D"]:
    """r of each column: how alike known entries are that follow each other, by the time between."""
    panel = given.scaled
    about = panel.values - _around(given)
    found = np.zeros(about.shape[1])
    for column in range(len(found)):
        rows = np.flatnonzero(panel.observed[:, column])
        z, series, times = about[rows, column], panel.first[rows], panel.times[rows]
        follows = series[1:] == series[:-1]
        if not follows.any():
            continue
        alike = (z[1:] * z[:-1])[follows].sum() / max(np.square(z[:-1])[follows].sum(), 1e-300)
        step = np.median(np.diff(times)[follows])
        found[column] = np.clip(alike, 0, _MOST_ALIKE) ** (1 / step)
    return found


def _around(given: Given) -> Float[np.ndarray, "n D"]:
    """The level about each entry: of a window of rows on both sides of its hole."""
    panel, reach = given.scaled, given.preparation.window
    known = panel.observed
    total, number = (
        np.concatenate([np.zeros((1, known.shape[1])), np.cumsum(part, axis=0)])
        for part in (np.where(known, panel.values, 0), known)
    )
    row = np.arange(len(known))[:, None]
    before = np.where(given.sides.before < 0, row, given.sides.before)
    after = np.where(given.sides.after >= len(known), row, given.sides.after)
    begin = np.maximum(before - reach, panel.first[:, None])
    end = np.minimum(after + reach, panel.last[:, None]) + 1
    total, number = (
        np.take_along_axis(part, end, axis=0) - np.take_along_axis(part, begin, axis=0)
        for part in (total, number)
    )
    return given.preparation.scaling.shrunk(total, number)


def fit(given: Given, learning: Learning):
    """All three, for every table."""
    mine = dataclasses.replace(given, panel=given.panel.without(~learning.rows[:, None]))
    return Line(given.preparation.season.center), Curve(), Level(_keep(mine))


MODEL = Model("lines", fit, (Line, Curve, Level), simple=True)
