"""Never worse than a line: how much of each candidate goes into the fill.

The fill is a convex combination of the candidates, the straight line among them. Its weights are
fitted to entries that were held out, for each column and class of entries (length of the gap, how
much is known beside and around it); where they are few, what all columns say counts as well.
"""

import dataclasses
import itertools

import numpy as np
from jaxtyping import Float, Int

from naomi_jax.imputer import lines
from naomi_jax.imputer.lines import Outer, Pivots
from naomi_jax.imputer.panel import Panel

# Time from pivot to pivot, in steps, up to which an entry belongs to a class; then longer gaps,
# and those with a pivot on one side or none.
_GAPS = (2.5, 4.5, 8.5, 16.5, 32.5, 64.5)
CLASSES = 4 * (len(_GAPS) + 2)
_BORROWED = 1000  # entries that a class's own must outnumber to have the say
_DOUBT = 0.2  # standard errors
_PREFER_LINE = 0.01  # of the line's error: what a weight must gain to leave the line


def classes(panel: Panel, sides: Pivots, beyond: Outer) -> Int[np.ndarray, "n D"]:
    """The class of each entry: its gap, whether half of its row is known, whether it is framed."""
    gap = lines.gap(panel, sides)
    index = np.where(np.isfinite(gap), np.searchsorted(_GAPS, gap), len(_GAPS) + 1)
    half = panel.observed.mean(1, keepdims=True) >= 0.5
    return 4 * index + 2 * half + lines.framed(panel, sides, beyond)


@dataclasses.dataclass(frozen=True)
class Blend:
    """Weights of the candidates.

    Attributes:
      names: of the candidates, the line first.
      weights: (D, CLASSES, J), none negative, 1 in sum.
    """

    names: tuple[str, ...]
    weights: Float[np.ndarray, "D C J"]

    def __call__(
        self, candidates: dict[str, Float[np.ndarray, "n D"]], index: Int[np.ndarray, "n D"]
    ) -> Float[np.ndarray, "n D"]:
        """The fill; a candidate that is absent or not finite leaves its weight to the others."""
        columns = np.broadcast_to(np.arange(index.shape[1]), index.shape)
        return self.combine(candidates, columns, index)

    def combine(
        self,
        candidates: dict[str, Float[np.ndarray, "..."]],
        column: Int[np.ndarray, "..."],
        index: Int[np.ndarray, "..."],
    ) -> Float[np.ndarray, "..."]:
        """The mixture of fills, or of errors, of entries of these columns and classes."""
        straight = candidates["line"]
        # The line stands in where all that has weight is absent.
        total, whole = 1e-9 * straight, np.full(index.shape, 1e-9)
        for number, name in enumerate(self.names):
            if name not in candidates:
                continue
            weight = self.weights[column, index, number]
            finite = np.isfinite(candidates[name])
            total = total + np.where(finite, weight * candidates[name], 0)
            whole = whole + np.where(finite, weight, 0)
        return total / whole

    def away_from_line(self, column: int) -> float:
        """The mean over classes of what is not the line's."""
        return float(1 - self.weights[column, :, 0].mean())


def fit(
    errors: dict[str, Float[np.ndarray, " m"]],
    column: Int[np.ndarray, " m"],
    index: Int[np.ndarray, " m"],
    dim: int,
) -> Blend:
    """Weights from the errors of held-out entries.

    Args:
      errors: of each candidate, the line first; not finite where it has no fill.
      column: of each entry.
      index: its class.
      dim: D.
    """
    names = tuple(errors)
    table = np.stack([errors[name] for name in names], axis=1)
    # Without a fill of its own a candidate is the line there.
    table = np.where(np.isfinite(table), table, table[:, :1])
    grams = np.zeros((dim, CLASSES, len(names), len(names)))
    number = np.zeros((dim, CLASSES))
    np.add.at(grams, (column, index), table[:, :, None] * table[:, None, :])
    np.add.at(number, (column, index), 1)
    products = _borrowed(grams, number)
    # What was found on few entries, or on a few storms among many dry days, may be chance: all
    # candidates but the line are taken to err more than they did, by the standard error of a mean,
    # and alike, so that nothing is gained by mixing them.
    doubt = _DOUBT / np.sqrt(_effective(table[:, 0], column, dim) + 1)
    products[..., 1:, 1:] += doubt[:, None, None, None]
    weights = simplex_least_squares(products)
    # What is right for other columns may be wrong for this one: then the line, wherever its own
    # entries say so.
    own, straight = np.einsum("dci,dcij,dcj->dc", weights, grams, weights), grams[..., 0, 0]
    worse = (own.sum(1) > straight.sum(1))[:, None] & (own > straight)
    weights[worse] = np.eye(len(names))[0]
    return Blend(names, weights)


def _effective(error, column, dim):
    """How many entries of each column make up its squared error."""
    square, fourth = (np.bincount(column, np.abs(error) ** power, dim) for power in (2, 4))
    return np.square(square) / np.where(fourth > 0, fourth, 1)


def _borrowed(grams, number):
    """Mean products of errors in units of the line's, those of few entries filled up.

    In units of the line's error in the same column and class: long gaps would outweigh short ones.
    A class of a column borrows half from the column's other classes, half from the same class of
    other columns.
    """
    straight = grams[..., 0, 0]
    mean = grams / np.where(straight > 0, straight, 1)[..., None, None]  # per entry, times 1
    weight = (number * (straight > 0))[..., None, None]
    of_all = (weight * mean).sum((0, 1)) / np.maximum(weight.sum(), 1)

    def pooled(axis):
        total, count = (weight * mean).sum(axis, keepdims=True), weight.sum(axis, keepdims=True)
        return (total + _BORROWED * of_all) / (count + _BORROWED)

    prior = (pooled(0) + pooled(1)) / 2
    return (weight * mean + _BORROWED * prior) / (weight + _BORROWED)


def simplex_least_squares(grams: Float[np.ndarray, "D C J J"]) -> Float[np.ndarray, "D C J"]:
    """The weights w >= 0, in sum 1, of least w' G w; the line's where nothing gains on it.

    Every set of candidates is tried: there are few.
    """
    size = grams.shape[-1]
    best = np.zeros(grams.shape[:-1])
    best[..., 0] = 1
    least = grams[..., 0, 0] * (1 - _PREFER_LINE)
    for count in range(1, size + 1):
        for chosen in itertools.combinations(range(size), count):
            part = grams[..., chosen, :][..., :, chosen]
            ridge = 1e-9 * np.trace(part, axis1=-2, axis2=-1)[..., None, None] + 1e-300
            solved = np.linalg.solve(part + ridge * np.eye(count), np.ones((*part.shape[:-1], 1)))[
                ..., 0
            ]
            weight = solved / np.where(solved.sum(-1) != 0, solved.sum(-1), 1)[..., None]
            value = np.einsum("...i,...ij,...j->...", weight, part, weight)
            better = (weight >= 0).all(-1) & np.isfinite(value) & (value < least)
            least = np.where(better, value, least)
            full = np.zeros_like(best)
            full[..., chosen] = weight
            best = np.where(better[..., None], full, best)
    return best
