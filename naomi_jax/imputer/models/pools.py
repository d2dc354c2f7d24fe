"""The pool of windows that a network learns from: hidden and filled by the state space in advance.

The whole table is hidden and filled at once, again and again: its fill then looks as it will when
the imputer is used, with all that is known before and after a window.
"""

import dataclasses
import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.models import correction
from naomi_jax.imputer.models.candidate import Given, Learning
from naomi_jax.imputer.models.correction import Prior, Windows
from naomi_jax.imputer.preparation import classes

_WINDOWS = 6000
_MOST_NUMBERS = 60e6  # of all arrays together
_SHARE_OF_TIME = 0.3
_BORROWED = 20  # entries of a class that the column's typical error weighs as much as

# (the table) -> (what the network corrects, about a level, or None; the level), in units of the
# scale.
Corrected = Callable[[Given], tuple[Float[np.ndarray, "n D"] | None, Float[np.ndarray, "n D"]]]


def make(
    given: Given, learning: Learning, corrected: Corrected
) -> tuple[Windows, Float[np.ndarray, "D C"] | None]:
    """A pool, and the typical error of what is corrected in each column and class of gap.

    Args:
      given: the table.
      learning: says which stretches may be learned from; of its time at most a third is used.
      corrected: of a table.
    """
    panel, preparation = given.panel, given.preparation
    window, scale = preparation.window, preparation.scaling
    row = window * (3 * panel.values.shape[1] + panel.covariates.shape[1])
    size = int(min(_WINDOWS, max(_MOST_NUMBERS / row, 64)))
    rng = np.random.default_rng(learning.seed)
    until = learning.share(_SHARE_OF_TIME)
    parts, kinds, count, corrects = [], [], 0, False
    while count < size and (not parts or time.monotonic() < until):
        places = _tiled(learning.stretches, window, int(rng.integers(0, window)))
        # Not the patterns by which the fill is judged later.
        hidden = learning.hidden(panel, places, 1000 + len(parts))
        shown = Given(panel.without(hidden), preparation)
        mean, level = corrected(shown)
        corrects = mean is not None
        prior = None if mean is None else Prior(mean, np.ones_like(mean))
        whole = dataclasses.replace(given.scaled, values=given.scaled.values - level)
        # The same rows cut twice: windows that one pattern fills, and windows between two patterns.
        for cut in (places, _tiled(learning.stretches, window, int(rng.integers(1, window)))):
            parts.append(correction.cut(whole, shown.panel.observed, prior, scale, cut, window))
            index = shown.kinds[correction.rows(cut, window, len(whole.values))[0]]
            kinds.append(index.astype(np.int8))
            count += len(cut)
    pool, error = Windows(*(np.concatenate(arrays) for arrays in zip(*parts))), None
    if corrects:
        pool, error = _in_units(pool, np.concatenate(kinds))
    some = (pool.known & ~pool.shown).any((1, 2))  # windows with something to learn
    return (Windows(*(array[some] for array in pool)) if some.any() else pool), error


def _in_units(pool, index):
    """The pool with its targets in units of the typical error, and these errors (D, CLASSES)."""
    dim = pool.x.shape[-1]
    hidden = pool.known & ~pool.shown
    square, number = np.zeros((dim, classes.COUNT)), np.zeros((dim, classes.COUNT))
    for column in range(dim):
        mine = index[..., column][hidden[..., column]]
        values = pool.x[..., column][hidden[..., column]].astype(np.float64)
        square[column] = np.bincount(mine, np.square(values), classes.COUNT)
        number[column] = np.bincount(mine, minlength=classes.COUNT)
    usual = (square.sum(1) + 1e-12) / np.maximum(number.sum(1), 1)
    error = np.sqrt((square + _BORROWED * usual[:, None]) / (number + _BORROWED))
    x = pool.x / error[np.arange(dim), index].astype(np.float32)
    return pool._replace(x=np.clip(x, -correction.LARGEST, correction.LARGEST)), error


def _tiled(learn, window, shift):
    """Windows one after the other over stretches, the first one short."""
    found = []
    for begin, rows in learn:
        edges = [begin, *range(begin + shift or window, begin + rows, window), begin + rows]
        found.extend((a, b - a) for a, b in zip(edges[:-1], edges[1:]) if b > a)
    return np.array(found, dtype=np.int64)
