"""What is uncertain: errors of the fill on held-out entries, as quantiles, and draws with them.

Quantiles are taken for each column and class of gap, so an interval holds what it says whatever the
distribution (split conformal prediction: Papadopoulos et al. 2002). Draws take a Gaussian process
in time through these quantiles (a Gaussian copula), so that neighbors err alike.
"""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from naomi_jax.imputer.judging import stacking
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
    quantiles = np.zeros((dim, stacking.CLASSES, len(LEVELS)))
    alike = np.argsort(-stacking.LIKENESS, axis=1, kind="stable")
    for d in range(dim):
        mine = column == d
        if not mine.any():
            continue
        own, kind = error[mine], index[mine]
        count = np.bincount(kind, minlength=stacking.CLASSES)
        for c in range(stacking.CLASSES):
            enough = np.searchsorted(np.cumsum(count[alike[c]]), _FEWEST) + 1
            quantiles[d, c] = np.quantile(own[np.isin(kind, alike[c, :enough])], LEVELS)
    return Residuals(quantiles, memory)
