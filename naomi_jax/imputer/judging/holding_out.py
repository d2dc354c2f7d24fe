"""Which rows a fit keeps aside, and which of their entries it hides to see how well it fills."""

import dataclasses

import jax
import numpy as np
from jaxtyping import Bool, Int

from naomi_jax.imputer.preparation.panel import Panel, series_windows
from naomi_jax.parallel.hiding import Hiding, hide

_SHARE = 0.12  # of the rows
_BLOCK = 2  # windows in a row that are kept aside together
_WINDOWS = 160  # patterns to be judged by
_FEWEST_DRAWS = 20  # of one kind each
_MOST_DRAWS = 32
# Of points that fill a square evenly: 1 over the root of x^3 = x + 1, and its square.
_EVEN_STEPS = (0.7548776662466927, 0.5698402909980532)


def split(
    panel: Panel, window: int, seed: int
) -> tuple[Int[np.ndarray, "N 2"], Int[np.ndarray, "M 2"]]:
    """Stretches to learn from, and windows to be judged by: (first row, rows) each.

    Whole series are kept aside where there are many, otherwise stretches of the long ones.
    """
    rng = np.random.default_rng(seed)
    blocks = []
    for begin, end in zip(panel.bounds[:-1], panel.bounds[1:]):
        size = min(_BLOCK * window, max((end - begin) // 8, 1)) if end - begin > window else window
        edges = [*range(begin, end, int(size)), end]
        if len(edges) > 2 and edges[-1] - edges[-2] < size / 2:
            del edges[-2]
        blocks.extend(zip(edges[:-1], edges[1:]))
    count = max(round(_SHARE * len(blocks)), 1)
    if len(blocks) < 4:
        return np.array([(b, e - b) for b, e in blocks]), _cut(blocks, window)
    aside = set(rng.choice(len(blocks), count, replace=False).tolist())
    learn, held, series = [], [], panel.first
    for number, (begin, end) in enumerate(blocks):
        if number in aside:
            held.append((begin, end))
        elif learn and sum(learn[-1]) == begin and series[begin] == series[begin - 1]:
            learn[-1] = (learn[-1][0], learn[-1][1] + end - begin)
        else:
            learn.append((begin, end - begin))
    return np.array(learn, dtype=np.int64), _cut(held, window)


def _cut(blocks, window):
    """Windows that follow each other in blocks."""
    found = [
        (first, min(window, end - first))
        for begin, end in blocks
        for first in range(begin, end, window)
    ]
    return np.array(found, dtype=np.int64)


def draws(windows: Int[np.ndarray, "M 2"]) -> int:
    """How many times to hide entries of these windows."""
    return int(np.clip(-(-_WINDOWS // len(windows)), _FEWEST_DRAWS, _MOST_DRAWS))


def hidden(
    panel: Panel,
    windows: Int[np.ndarray, "M 2"],
    window: int,
    hiding: Hiding,
    seed: int,
    number: int,
) -> Bool[np.ndarray, "n D"]:
    """Observed entries of the windows to hide: one kind of pattern, a pattern for each window.

    One kind and one share for the whole table, as people's tables are: a week of which a tenth is
    known has no complete week beside it to look at. Draws one after the other go through kinds and
    shares evenly (`_EVEN_STEPS`), and through small shares as often as large ones: a
    few draws must tell of single holes as well as of tables that are nearly empty.
    """
    rng = np.random.default_rng((seed, number))
    known = panel.observed
    holes = _holes(panel, window, min(len(windows), 64), rng)
    shares = np.array(hiding.shares)
    place, along = (0.5 + number * np.array(_EVEN_STEPS)) % 1
    kind = int(np.searchsorted(np.cumsum(shares / shares.sum())[:-1], place, side="right"))
    low = max(hiding.low, 1e-3)
    rate = float(low * (max(hiding.high, low) / low) ** along)
    names = [field.name for field in dataclasses.fields(Hiding)]
    one = {name: float(number == kind) for number, name in enumerate(names[: len(shares)])}
    chosen = Hiding(**one, low=rate, high=rate)
    shape = (len(windows), window, known.shape[1])
    pattern = np.asarray(hide(jax.random.key(rng.integers(2**31)), chosen, shape, holes))
    found = np.zeros(known.shape, bool)
    for (first, rows), part in zip(windows, pattern):
        found[first : first + rows] |= part[:rows]
    return found & known


def _holes(panel, window, count, rng):
    """The holes of windows that begin anywhere, (count, window, D)."""
    others = series_windows(panel, window, window)
    first, rows = others[rng.integers(0, len(others), count)].T
    room = np.maximum(panel.last[first] + 1 - first - window, 0)
    first = first + rng.integers(0, np.minimum(room, window) + 1)
    step = np.arange(window)
    at = np.minimum(first[:, None] + step, len(panel.values) - 1)
    return ~panel.observed[at] & (step < rows[:, None])[..., None]
