"""Which rows a fit keeps aside, and which of their entries it hides to see how well it fills."""

import numpy as np
from jaxtyping import Bool, Int

from naomi_jax.imputer.judging.hiding import KINDS, pattern
from naomi_jax.imputer.preparation.panel import Panel, series_windows
from naomi_jax.parallel.hiding import Hiding

_SHARE = 0.12  # of the rows
_BLOCK = 2  # windows in a row that are kept aside together
_WINDOWS = 160  # patterns to be judged by
_KINDS = 20  # and shares, in all sections and draws
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
    series = list(zip(panel.bounds[:-1], panel.bounds[1:]))
    few = sum(-(-(end - begin) // (_BLOCK * window)) for begin, end in series) < 4
    for begin, end in series:
        whole = end - begin <= window and not few  # few series: they are cut, however short
        size = window if whole else min(_BLOCK * window, max((end - begin) // 8, 1))
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


def draws(windows: Int[np.ndarray, "M 2"], sections: int) -> int:
    """How many times to hide entries of these windows, in a table of so many sections."""
    enough = max(-(-_WINDOWS // len(windows)), -(-_KINDS // sections))
    return min(enough, _KINDS)


def sections(windows: Int[np.ndarray, "M 2"], rows: int) -> list[Int[np.ndarray, " m"]]:
    """Windows (their numbers) in sections of the table of at least so many rows.

    Within a section one kind of pattern is hidden, and one share, as people's tables are: a week of
    which a tenth is known has no complete week beside it to look at.
    """
    place = windows[:, 0] // max(rows, 1)
    found = [np.flatnonzero(place == one) for one in np.unique(place)]
    last = windows[found[-1]].sum(1).max() - windows[found[-1], 0].min()
    if len(found) > 1 and last < rows / 2:
        found[-2:] = [np.concatenate(found[-2:])]
    return found


def hidden(
    panel: Panel,
    windows: Int[np.ndarray, "M 2"],
    window: int,
    hiding: Hiding,
    seed: int,
    number: int,
    rows: int,
) -> Bool[np.ndarray, "n D"]:
    """Observed entries of the windows to hide, a pattern for each window.

    Sections and draws, one after the other, go through kinds and shares evenly (`_EVEN_STEPS`), and
    through small shares as often as large ones: a few must tell of single holes as well as of
    tables that are nearly empty.

    Args:
      panel: the table.
      windows: first row and number of rows.
      window: rows of a window.
      hiding: the mixture of kinds.
      seed: of the patterns.
      number: of the draw.
      rows: of a section; 1 gives each window a kind of its own, for windows that are series.
    """
    rng = np.random.default_rng((seed, number))
    known = panel.observed
    holes = _holes(panel, window, min(len(windows), 64), rng)
    shares = np.array(hiding.shares)
    low = max(hiding.low, 1e-3)
    found = np.zeros(known.shape, bool)
    parts = sections(windows, rows)
    for place, part in enumerate(parts):
        across, along = (0.5 + (number * len(parts) + place) * np.array(_EVEN_STEPS)) % 1
        kind = int(np.searchsorted(np.cumsum(shares / shares.sum())[:-1], across, side="right"))
        rate = float(low * (max(hiding.high, low) / low) ** along)
        shape = (len(part), window, known.shape[1])
        tail = KINDS[kind] == "tail"  # of a window that is shorter, its own end
        chosen = pattern(rng, KINDS[kind], rate, shape, holes)
        for (first, count), hide in zip(windows[part], chosen):
            found[first : first + count] |= hide[-count:] if tail else hide[:count]
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
