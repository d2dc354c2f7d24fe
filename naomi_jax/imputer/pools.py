"""The pool of windows that a network learns from: hidden and filled by the state space in advance.

The whole table is hidden and filled at once, again and again: its fill then looks as it will when
the imputer is used, with all that is known before and after a window.
"""

import dataclasses
import time

import numpy as np
from jaxtyping import Int

from naomi_jax.imputer import holding_out, network, scaling, state_space
from naomi_jax.imputer.engine import Engine
from naomi_jax.imputer.network import Windows
from naomi_jax.imputer.panel import Panel
from naomi_jax.parallel.hiding import Hiding

_WINDOWS = 6000
_MOST_NUMBERS = 60e6  # of all arrays together
_SHARE_OF_TIME = 0.3


def make(
    engine: Engine,
    panel: Panel,
    learn: Int[np.ndarray, "S 2"],
    hiding: Hiding,
    seed: int,
    deadline: float,
) -> Windows:
    """A pool.

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
    parts, count = [], 0
    while count < size and (not parts or time.monotonic() < until):
        places = _tiled(learn, window, int(rng.integers(0, window)))
        hidden = holding_out.hidden(panel, places, window, hiding, int(rng.integers(2**31)))
        given, level = scaling.levelled(panel.without(hidden), engine.scaling)
        about = dataclasses.replace(panel, values=panel.values - level)
        prior = None
        if engine.state_space is not None:
            prior = state_space.smooth(engine.state_space, given)
        shown = panel.observed & ~hidden
        # The same rows cut twice: windows that one pattern fills, and windows between two patterns.
        for cut in (places, _tiled(learn, window, int(rng.integers(1, window)))):
            parts.append(network.cut(about, shown, prior, engine.scaling, cut, window))
            count += len(cut)
    whole = Windows(*(np.concatenate(arrays) for arrays in zip(*parts)))
    some = (whole.known & ~whole.shown).any((1, 2))  # windows with something to learn
    return Windows(*(array[some] for array in whole)) if some.any() else whole


def _tiled(learn, window, shift):
    """Windows one after the other over stretches, the first one short."""
    found = []
    for begin, rows in learn:
        edges = [begin, *range(begin + shift or window, begin + rows, window), begin + rows]
        found.extend((a, b - a) for a, b in zip(edges[:-1], edges[1:]) if b > a)
    return np.array(found, dtype=np.int64)
