"""Columns that swing the more the higher they are: a logarithm makes their swings alike.

    f(x) = c log(1 + (x - a) / c)

Concentrations, flows and counts rise and fall by shares, not by amounts; what follows is linear and
has one error for all levels. a is about the least value, c the median above it. Whether a column is
better so, its own steps decide by their likelihood, as in Box and Cox (1964). Beyond the values
that were seen f goes on as a straight line, so that nothing explodes on the way back.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.preparation.panel import Panel

_LEAST = 0.005  # quantile that a is
_FEWEST = 200  # entries, below which a column stays as it is
_GAIN = 0.02  # of the mean log likelihood of an entry, below which it does too


@dataclasses.dataclass(frozen=True)
class Stabilizer:
    """Arrays (D,), in the data's units.

    Attributes:
      least: a; below it f has slope 1.
      most: above it f keeps the slope that it has there.
      curve: c; infinite where f(x) = x, exactly.
    """

    least: Float[np.ndarray, " D"]
    most: Float[np.ndarray, " D"]
    curve: Float[np.ndarray, " D"]

    def __call__(self, values: Float[np.ndarray, "*B D"]) -> Float[np.ndarray, "*B D"]:
        """f of each column, NaN where there is none."""
        result = np.array(values, np.float64)
        for d in self._curved:
            a, b, c = self.least[d], self.most[d], self.curve[d]
            x = result[..., d]
            inside = np.clip(x, a, b)
            slope = np.where(x > b, 1 / (1 + (b - a) / c), 1)
            result[..., d] = a + c * np.log1p((inside - a) / c) + slope * (x - inside)
        return result

    def inverse(self, values: Float[np.ndarray, "*B D"]) -> Float[np.ndarray, "*B D"]:
        """The values x with these f(x)."""
        result = np.array(values, np.float64)
        for d in self._curved:
            a, b, c = self.least[d], self.most[d], self.curve[d]
            z = result[..., d] - a
            inside = np.clip(z, 0, c * np.log1p((b - a) / c))
            slope = np.where(z > inside, 1 + (b - a) / c, 1)
            result[..., d] = a + c * np.expm1(inside / c) + slope * (z - inside)
        return result

    @property
    def _curved(self):
        return np.flatnonzero(np.isfinite(self.curve))

    def only(self, column: int) -> "Stabilizer":
        """That of one column."""
        parts = (getattr(self, field.name)[[column]] for field in dataclasses.fields(self))
        return Stabilizer(*parts)

    def panel(self, panel: Panel) -> Panel:
        """A panel with f of its values."""
        return dataclasses.replace(panel, values=self(panel.values))


def fit(panel: Panel) -> Stabilizer:
    """With f for each column whose entries are likelier so, given those beside them.

    An entry is taken to lie about the straight line between the known ones before and after it,
    with an error of one size; in absolute values, because a few storms must not decide.
    """
    dim = panel.values.shape[1]
    stabilizer = Stabilizer(np.zeros(dim), np.zeros(dim), np.full(dim, np.inf))
    for d in range(dim):
        rows = np.flatnonzero(panel.observed[:, d])
        x = panel.values[rows, d]
        if len(x) < _FEWEST:
            continue
        least = np.quantile(x, _LEAST)
        typical = np.median(x) - least
        if not typical > 0:
            continue  # mostly one value: there is no size of its swings
        parts = least, x.max(), typical
        curved = Stabilizer(*(np.array([part]) for part in parts))(x[:, None])[:, 0]
        slope = np.log1p(np.maximum(x - least, 0) / typical)  # less than 1, as a logarithm
        if _gain(x, curved, slope, *_beside(panel, rows)) > _GAIN:
            stabilizer.least[d], stabilizer.most[d], stabilizer.curve[d] = parts
    return stabilizer


def _beside(panel, rows):
    """Which known entries have one on both sides, and how far along they are between these."""
    series, times = panel.first[rows], panel.times[rows]
    framed = series[:-2] == series[2:]
    return framed, (times[1:-1] - times[:-2]) / np.where(framed, times[2:] - times[:-2], 1)


def _gain(x, curved, slope, framed, along):
    """How much the mean log likelihood of an entry rises by f."""
    before, after = (
        np.abs(z[1:-1] - z[:-2] - along * (z[2:] - z[:-2]))[framed] for z in (x, curved)
    )
    if not len(before) or not np.median(before) > 0:
        return 0.0  # mostly constant: its few steps say nothing of swings
    return np.log(before.mean() / after.mean()) - slope[1:-1][framed].mean()
