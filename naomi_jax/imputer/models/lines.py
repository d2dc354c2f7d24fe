"""Candidates that look at a column's own entries: the line, the curve, the level around."""

import dataclasses

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.models.candidate import LINE, Given, Learning, Model
from naomi_jax.imputer.preparation import pivots
from naomi_jax.imputer.preparation.panel import Panel


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
    """The level of the rows around: the mean of a window before and after, about the season."""

    name: str = "level around"

    def fill(self, given, wanted):
        """As the protocol says."""
        return given.restored(_around(given.scaled, given.preparation))


def _around(panel: Panel, preparation) -> Float[np.ndarray, "n D"]:
    known = panel.observed
    total, number = (
        np.concatenate([np.zeros((1, known.shape[1])), np.cumsum(part, axis=0)])
        for part in (np.where(known, panel.values, 0), known)
    )
    row = np.arange(len(known))
    begin = np.maximum(row - preparation.window, panel.first)
    end = np.minimum(row + preparation.window, panel.last) + 1
    return preparation.scaling.shrunk(total[end] - total[begin], number[end] - number[begin])


def fit(given: Given, learning: Learning):
    """All three, for every table."""
    del learning
    return Line(given.preparation.season.center), Curve(), Level()


MODEL = Model("lines", fit, (Line, Curve, Level), simple=True)
