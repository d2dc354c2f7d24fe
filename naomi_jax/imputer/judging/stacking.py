"""Never worse than a line: how much of each candidate goes into the fill.

The fill is a convex combination of the candidates, the straight line among them. Its weights are
fitted to entries that were held out, for each column and class of entries (length of the gap, how
much is known beside and around it); where they are few, what all columns say counts as well.
"""

import dataclasses
import itertools

import numpy as np
from jaxtyping import Float, Int

from naomi_jax.imputer.models.candidate import LINE
from naomi_jax.imputer.preparation import classes

# Entries that a class's own must outnumber to have the say; which, the held-out entries decide.
_BORROWED = (30, 300, 3000)
FOLDS = 4  # stretches of rows to decide it by
_MOST_COLUMNS = 24  # columns to decide it by
_LIKENESS = classes.likeness()
_DOUBT = 0.2  # standard errors
_PREFER_LINE = 0.01  # of the line's error: what a weight must gain to leave the line
_MOST_MIXED = 4  # candidates in a fill; a fifth gains less than chance decides
_CLEARLY = 10.0  # times the line's squared error: a candidate is out of the question


@dataclasses.dataclass(frozen=True)
class Blend:
    """Weights of the candidates.

    Attributes:
      names: of the candidates, the line first.
      weights: (D, C, J), none negative, 1 in sum.
    """

    names: tuple[str, ...]
    weights: Float[np.ndarray, "D C J"]

    def __call__(
        self, candidates: dict[str, Float[np.ndarray, "n D"]], index: Int[np.ndarray, "n D"]
    ) -> Float[np.ndarray, "n D"]:
        """The fill; where a candidate has none its weight goes to the others.

        Raises:
          ValueError: a name has weights and no fills, or fills and no weights.
        """
        columns = np.broadcast_to(np.arange(index.shape[1]), index.shape)
        return self.combine(candidates, columns, index)

    def combine(
        self,
        candidates: dict[str, Float[np.ndarray, "..."]],
        column: Int[np.ndarray, "..."],
        index: Int[np.ndarray, "..."],
    ) -> Float[np.ndarray, "..."]:
        """The mixture of fills, or of errors, of entries of these columns and classes."""
        if set(self.names) != set(candidates):
            differ = sorted(set(self.names) ^ set(candidates))
            raise ValueError(f"candidates: {', '.join(differ)}; weights and fills are of two sets")
        straight = candidates[LINE]
        # The line stands in where all that has weight is absent.
        total, whole = 1e-9 * straight, np.full(index.shape, 1e-9)
        for number, name in enumerate(self.names):
            weight = self.weights[column, index, number]
            finite = np.isfinite(candidates[name])
            total = total + np.where(finite, weight * candidates[name], 0)
            whole = whole + np.where(finite, weight, 0)
        return total / whole

    def shares(self, column: int, index: Int[np.ndarray, " m"]) -> Float[np.ndarray, " J"]:
        """The mean weight of each candidate over entries of a column, of these classes."""
        return self.weights[column, index].mean(0) if len(index) else self.weights[column].mean(0)


def fit(
    errors: dict[str, Float[np.ndarray, " m"]],
    column: Int[np.ndarray, " m"],
    index: Int[np.ndarray, " m"],
    row: Int[np.ndarray, " m"],
    dim: int,
) -> tuple[Blend, list[Blend]]:
    """Weights from the errors of held-out entries; and those of all folds but each one.

    Args:
      errors: of each candidate, the line first; not finite where it has no fill.
      column: of each entry.
      index: its class.
      row: its row; the same one may have been held out several times.
      dim: D.
    """
    names = tuple(errors)
    table = np.stack([errors[name] for name in names], axis=1)
    # Without a fill of its own a candidate is the line there.
    table = np.where(np.isfinite(table), table, table[:, :1])
    fold = folds(row)
    grams = np.zeros((FOLDS, dim, classes.COUNT, len(names), len(names)))
    number = np.zeros((FOLDS, dim, classes.COUNT))
    place = (fold * dim + column) * classes.COUNT + index
    for i, j in itertools.combinations_with_replacement(range(len(names)), 2):
        sums = np.bincount(place, table[:, i] * table[:, j], number.size).reshape(number.shape)
        grams[..., i, j] = grams[..., j, i] = sums
    number += np.bincount(place, minlength=number.size).reshape(number.shape)
    # What was found on few entries, or on a few storms among many dry days, may be chance: all
    # candidates but the line are taken to err more than they did, by the standard error of a mean,
    # and alike, so that nothing is gained by mixing them.
    doubt = _DOUBT / np.sqrt(_effective(table[:, 0], column, dim) + 1)
    borrowed = _best_borrowed(grams, number, doubt)

    def weights(kept):
        return Blend(names, _weights(grams[kept].sum(0), number[kept].sum(0), doubt, borrowed))

    every = np.arange(FOLDS)
    return weights(every >= 0), [weights(every != one) for one in every]


def folds(row: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    """Which of FOLDS stretches of rows each entry lies in."""
    _, rank = np.unique(row, return_inverse=True)
    return rank * FOLDS // (rank.max(initial=0) + 1)


def _weights(grams, number, doubt, borrowed):
    """The weights of every column and class (D, C, J)."""
    products = _borrowed(grams, number, borrowed)
    products[..., 1:, 1:] += doubt[:, None, None, None]
    weights = simplex_least_squares(products)
    # What is right for other columns may be wrong for this one: then the line, wherever its own
    # entries say so; where it has none of a class, those of classes like it.
    own, straight = np.einsum("dci,dcij,dcj->dc", weights, grams, weights), grams[..., 0, 0]
    worse = (own.sum(1) > straight.sum(1))[:, None] & (own > straight)
    mean, count = _mean_products(grams, number)
    alike = np.einsum("kc,dcij->dkij", _LIKENESS, mean * count)
    elsewhere = np.einsum("dci,dcij,dcj->dc", weights, alike, weights)
    worse |= (number == 0) & (elsewhere > alike[..., 0, 0])
    weights[worse] = np.eye(grams.shape[-1])[0]
    return weights


def _best_borrowed(grams, number, doubt):
    """The one of _BORROWED whose weights are best for rows that they were not fitted to.

    By the errors in units of the line's in the same column and class, as the weights are: a class
    counts by its number of entries, long gaps no more than short ones.
    """
    dim = grams.shape[1]
    some = np.unique(np.linspace(0, dim - 1, min(dim, _MOST_COLUMNS)).astype(int))
    grams, number, doubt = grams[:, some], number[:, some], doubt[some]
    squared = np.diagonal(grams.sum(0), axis1=-2, axis2=-1)
    # Where the line is exact but for rounding, the usual candidate says what an error is.
    unit = np.maximum(squared[..., 0], np.median(squared[..., 1:], axis=-1) / _CLEARLY)
    unit = np.where(unit > 0, unit, 1) / np.maximum(number.sum(0), 1)

    def value(borrowed):
        total = 0.0
        for fold in range(FOLDS):
            rest = np.arange(FOLDS) != fold
            weights = _weights(grams[rest].sum(0), number[rest].sum(0), doubt, borrowed)
            error = np.einsum("dci,dcij,dcj->dc", weights, grams[fold], weights)
            total += (error / unit).sum()
        return total

    return min(_BORROWED, key=value)


def _effective(error, column, dim):
    """How many entries of each column make up its squared error."""
    square, fourth = (np.bincount(column, np.abs(error) ** power, dim) for power in (2, 4))
    return np.square(square) / np.where(fourth > 0, fourth, 1)


def _straight_and_best(grams):
    """Squared errors of the line, and of the best other candidate."""
    errors = np.diagonal(grams, axis1=-2, axis2=-1)
    return errors[..., 0], np.min(errors[..., 1:], axis=-1, initial=np.inf)


def _borrowed(grams, number, borrowed):
    """Mean products of errors in units of the line's, those of few entries filled up.

    In units of the line's error in the same column and class: long gaps would outweigh short ones.
    A class of a column borrows half from classes like it in its column, half from these classes of
    all columns.
    """
    mean, weight = _mean_products(grams, number)
    # A candidate that is out of the question in one column must not decide for the others.
    squared = np.diagonal(mean, axis1=-2, axis2=-1)
    least = np.sqrt(np.minimum(_CLEARLY / np.maximum(squared, 1e-300), 1))
    for_others = weight * mean * least[..., :, None] * least[..., None, :]
    of_all = for_others.sum((0, 1)) / np.maximum(weight.sum(), 1)

    def alike(part):
        return np.einsum("kc,dcij->dkij", _LIKENESS, part)

    def filled_up(total, count, prior):
        return (total + borrowed * prior) / (count + borrowed)

    count = alike(weight)
    total = alike(for_others).sum(0, keepdims=True)
    everywhere = filled_up(total, count.sum(0, keepdims=True), of_all)
    prior = (filled_up(alike(weight * mean), count, everywhere) + everywhere) / 2
    return filled_up(weight * mean, weight, prior)


def _mean_products(grams, number):
    """Mean products of errors in units of the line's, and how many entries they count as."""
    straight, best = _straight_and_best(grams)
    mean = grams / np.where(straight > 0, straight, 1)[..., None, None]  # per entry, times 1
    # A line that is exact but for rounding makes errors of 1e20 of those of the others.
    share = np.minimum(_CLEARLY * straight / np.maximum(best, 1e-300), 1)
    return mean, (number * share)[..., None, None]


def simplex_least_squares(grams: Float[np.ndarray, "D C J J"]) -> Float[np.ndarray, "D C J"]:
    """The weights w >= 0, in sum 1, of least w' G w; the line's where nothing gains on it.

    Every set of at most `_MOST_MIXED` candidates is tried: there are few.
    """
    size = grams.shape[-1]
    best = np.zeros(grams.shape[:-1])
    best[..., 0] = 1
    least = grams[..., 0, 0] * (1 - _PREFER_LINE)
    for count in range(1, min(size, _MOST_MIXED) + 1):
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
