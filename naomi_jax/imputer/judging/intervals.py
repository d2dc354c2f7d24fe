"""What is uncertain: errors of the fill on held-out entries, as quantiles, and draws with them.

Quantiles are taken for each column and class of gap, so an interval holds what it says whatever the
distribution (split conformal prediction: Papadopoulos et al. 2002). Draws take a Gaussian process
in time through these quantiles (a Gaussian copula), so that neighbors err alike.
"""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int

from naomi_jax.imputer.preparation import classes
from naomi_jax.imputer.preparation.panel import Panel

LEVELS = np.concatenate([[0.005, 0.01, 0.025], np.arange(0.05, 0.96, 0.05), [0.975, 0.99, 0.995]])
_FEWEST = 40  # held-out entries; with fewer a class takes in those that are most like it


@dataclasses.dataclass(frozen=True)
class Residuals:
    """Quantiles of truth minus fill.

    Attributes:
      quantiles: (D, CLASSES, len(LEVELS)), rising.
      memory: (D,) correlation of the errors of two rows in a row of one gap.
    """

    quantiles: Float[np.ndarray, "D C Q"]
    memory: Float[np.ndarray, " D"]

    def at(
        self, level: Float[np.ndarray, "n D"], index: Int[np.ndarray, "n D"]
    ) -> Float[np.ndarray, "n D"]:
        """The quantile of each entry at its own level, between 0 and 1."""
        place = np.interp(level, LEVELS, np.arange(len(LEVELS), dtype=float))
        left = np.minimum(place.astype(np.int64), len(LEVELS) - 2)
        share = place - left
        column = np.arange(index.shape[1])
        low, high = (self.quantiles[column, index, left + step] for step in (0, 1))
        return low + share * (high - low)

    def draw(
        self, panel: Panel, index: Int[np.ndarray, "n D"], rng: np.random.Generator
    ) -> Float[np.ndarray, "n D"]:
        """One draw of all errors."""
        from scipy.special import ndtr  # jax needs scipy; its import is slow

        noise = rng.standard_normal(index.shape)
        elapsed = np.maximum(np.diff(panel.times, prepend=0), 0)
        first = np.zeros(len(noise), bool)
        first[panel.bounds[:-1]] = True
        keep = np.where(first[:, None], 0, self.memory ** elapsed[:, None])
        for row in range(1, len(noise)):
            noise[row] = keep[row] * noise[row - 1] + np.sqrt(1 - keep[row] ** 2) * noise[row]
        return self.at(ndtr(noise), index)


def fit(
    error: Float[np.ndarray, " m"],
    column: Int[np.ndarray, " m"],
    index: Int[np.ndarray, " m"],
    dim: int,
    memory: Float[np.ndarray, " D"],
) -> Residuals:
    """From truth minus fill of held-out entries, their columns and classes."""
    return Residuals(_quantiles(error, column, index, dim, LEVELS), memory)


def _quantiles(error, column, index, dim, levels):
    """(D, CLASSES, levels); a class with few entries takes in those of classes like it."""
    quantiles = np.zeros((dim, classes.COUNT, len(levels)))
    alike = np.argsort(-classes.likeness(), axis=1, kind="stable")
    order = np.lexsort((index, column))
    cells = (column * classes.COUNT + index)[order]
    edges = np.searchsorted(cells, np.arange(dim * classes.COUNT + 1)).reshape(-1)
    error = error[order]
    for d in range(dim):
        begin = edges[d * classes.COUNT : (d + 1) * classes.COUNT + 1]
        count = np.diff(begin)
        if not count.any():
            continue
        known = {}
        for c in range(classes.COUNT):
            enough = int(np.searchsorted(np.cumsum(count[alike[c]]), _FEWEST)) + 1
            taken = tuple(sorted(k for k in alike[c, :enough] if count[k]))
            if taken not in known:
                parts = [error[begin[k] : begin[k + 1]] for k in taken]
                known[taken] = np.quantile(np.concatenate(parts), levels)
            quantiles[d, c] = known[taken]
    return quantiles


def inside(
    error: Float[np.ndarray, " m"],
    column: Int[np.ndarray, " m"],
    index: Int[np.ndarray, " m"],
    fold: Int[np.ndarray, " m"],
    dim: int,
    level: float = 0.9,
) -> Bool[np.ndarray, " m"]:
    """Whether each error lies in the interval that the entries of the other folds give."""
    found = np.zeros(len(error), bool)
    for one in np.unique(fold):
        mine, tails = fold == one, np.array([(1 - level) / 2, (1 + level) / 2])
        rest = mine if mine.all() else ~mine  # all in one: too few rows for folds
        quantiles = _quantiles(error[rest], column[rest], index[rest], dim, tails)
        ends = quantiles[column[mine], index[mine]]
        low, high = np.minimum(ends[:, 0], 0), np.maximum(ends[:, 1], 0)
        found[mine] = (low <= error[mine]) & (error[mine] <= high)
    return found
