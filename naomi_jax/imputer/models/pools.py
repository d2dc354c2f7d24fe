"""The pool of windows that a network learns from: hidden and filled by the state space in advance.

The whole table is hidden and filled at once, again and again: its fill then looks as it will when
the imputer is used, with all that is known before and after a window.
"""

import dataclasses
import time

import numpy as np
from jaxtyping import Float, Int

from naomi_jax.imputer.engine import Engine
from naomi_jax.imputer.judging import holding_out, stacking
from naomi_jax.imputer.models import groups, lines, network
from naomi_jax.imputer.models.network import Prior, Windows
from naomi_jax.imputer.preparation import scaling
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.parallel.hiding import Hiding

_WINDOWS = 6000
_MOST_NUMBERS = 60e6  # of all arrays together
_SHARE_OF_TIME = 0.3
_BORROWED = 20  # entries of a class that the column's typical error weighs as much as


def make(
    engine: Engine,
    panel: Panel,
    learn: Int[np.ndarray, "S 2"],
    hiding: Hiding,
    seed: int,
    deadline: float,
) -> tuple[Windows, Float[np.ndarray, "D C"] | None]:
    """A pool, and the typical error of the state space in each column and class of gap.

    Args:
      engine: with its state space, if it has one.
      panel: in units of the scale.
      learn: stretches that may be learned from, (first row, rows).
      hiding: the mixture of patterns.
      seed: of the patterns.
      deadline: `time.monotonic()`; at most a third of what is left is used.
    """
    window = engine.window
    row = window * (3 * panel.values.shape[1] + panel.covariates.shape[1])
    size = int(min(_WINDOWS, max(_MOST_NUMBERS / row, 64)))
    rng = np.random.default_rng(seed)
    until = time.monotonic() + _SHARE_OF_TIME * (deadline - time.monotonic())
    parts, classes, count = [], [], 0
    while count < size and (not parts or time.monotonic() < until):
        places = _tiled(learn, window, int(rng.integers(0, window)))
        # Not the patterns by which the fill is judged later.
        hidden = holding_out.hidden(panel, places, window, hiding, seed, 1000 + len(parts))
        given, level = scaling.levelled(panel.without(hidden), engine.scaling)
        about = dataclasses.replace(panel, values=panel.values - level)
        prior = None
        if engine.state_space is not None:
            mean = groups.mean(engine.state_space, given)
            prior = Prior(mean, np.ones_like(mean))
        sides = lines.pivots(given.observed, given)
        index = stacking.classes(given, sides, lines.outer(given, sides))
        # The same rows cut twice: windows that one pattern fills, and windows between two patterns.
        for cut in (places, _tiled(learn, window, int(rng.integers(1, window)))):
            parts.append(network.cut(about, given.observed, prior, engine.scaling, cut, window))
            classes.append(index[network.rows(cut, window, len(index))[0]].astype(np.int8))
            count += len(cut)
    whole = Windows(*(np.concatenate(arrays) for arrays in zip(*parts)))
    error = None
    if engine.state_space is not None:
        whole, error = _in_units(whole, np.concatenate(classes))
    some = (whole.known & ~whole.shown).any((1, 2))  # windows with something to learn
    return (Windows(*(array[some] for array in whole)) if some.any() else whole), error


def _in_units(pool, index):
    """The pool with its targets in units of the typical error, and these errors (D, CLASSES)."""
    dim = pool.x.shape[-1]
    hidden = pool.known & ~pool.shown
    square, number = np.zeros((dim, stacking.CLASSES)), np.zeros((dim, stacking.CLASSES))
    for column in range(dim):
        mine = index[..., column][hidden[..., column]]
        values = pool.x[..., column][hidden[..., column]].astype(np.float64)
        square[column] = np.bincount(mine, np.square(values), stacking.CLASSES)
        number[column] = np.bincount(mine, minlength=stacking.CLASSES)
    usual = (square.sum(1) + 1e-12) / np.maximum(number.sum(1), 1)
    error = np.sqrt((square + _BORROWED * usual[:, None]) / (number + _BORROWED))
    x = pool.x / error[np.arange(dim), index].astype(np.float32)
    return pool._replace(x=np.clip(x, -network.LARGEST, network.LARGEST)), error


def _tiled(learn, window, shift):
    """Windows one after the other over stretches, the first one short."""
    found = []
    for begin, rows in learn:
        edges = [begin, *range(begin + shift or window, begin + rows, window), begin + rows]
        found.extend((a, b - a) for a, b in zip(edges[:-1], edges[1:]) if b > a)
    return np.array(found, dtype=np.int64)
