"""Judging candidates on rows that were kept aside: weights, residuals, the report."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Int

from naomi_jax.imputer.judging import holding_out, intervals, report, stacking
from naomi_jax.imputer.judging.intervals import Residuals
from naomi_jax.imputer.judging.report import Report
from naomi_jax.imputer.judging.stacking import Blend
from naomi_jax.imputer.models.candidate import LINE, Candidate, Given
from naomi_jax.imputer.preparation import classes
from naomi_jax.imputer.preparation.panel import Panel, rows_of, series_windows
from naomi_jax.imputer.preparation.preparation import Preparation

_MOST_ENTRIES = 1_000_000  # of rows that were learned from


@dataclasses.dataclass(frozen=True)
class Judging:
    """What to judge by.

    Attributes:
      windows: first row and number of rows of what was kept aside.
      hidden: (panel, windows, number, rows of a section) -> entries to hide.
      section: rows of the table that are hidden alike.
      again: whether the season is found anew in what each draw leaves: where no rows were kept
        aside, it would know what was hidden.
      seed: of which entries are left out where there are too many.
    """

    windows: Int[np.ndarray, "M 2"]
    hidden: Callable[[Panel, np.ndarray, int, int], Bool[np.ndarray, "n D"]]
    section: int
    again: bool
    seed: int = 0


def fills(
    candidates: Sequence[Candidate], given: Given, wanted: Bool[np.ndarray, "n D"]
) -> dict[str, np.ndarray]:
    """What each candidate says, by name; each sees those before it.

    Raises:
      ValueError: two have one name, or one gives something else than a table.
    """
    for candidate in candidates:
        filled = candidate.fill(given, wanted)
        if candidate.name in given.fills:
            raise ValueError(f"candidates: two are named {candidate.name!r}")
        if np.shape(filled) != given.panel.values.shape:
            raise ValueError(
                f"candidate {candidate.name!r}: fills of shape {np.shape(filled)}; "
                f"{given.panel.values.shape} is needed"
            )
        # Each within the bounds: a mixture of fills that cannot be is another one than was judged.
        given.fills[candidate.name] = given.preparation.bounded(given.panel, filled)
    return given.fills


def judge(
    preparation: Preparation,
    candidates: Sequence[Candidate],
    clean: Panel,
    judging: Judging,
    at: Callable[[float], bool] = lambda share: True,
) -> tuple[Blend, Residuals, Report]:
    """Weights, residuals and the report of each column.

    The whole table is hidden alike. The report is of the rows that were kept aside; the others
    count for weights and intervals, too, with errors as they would be if they had been kept aside.
    Beyond the last known entry of a series lie few entries; so windows are also filled as series of
    their own, and what then lies beyond their last known entries is judged too.

    Args:
      preparation, candidates: fitted to other rows, where some were kept aside.
      clean: the table, stabilized, without false readings.
      judging: what to judge by.
      at: is told the share that is done after each draw; False ends the judging early.
    """
    found, memory = _hidden(preparation, candidates, clean, judging, at)
    dim = clean.values.shape[1]
    names = tuple(candidate.name for candidate in candidates)
    row, column, kind, truth, table = found
    aside = _rows_aside(judging, len(clean.values))[row]
    table = _as_if_aside(table, column, kind, aside, dim)
    errors = dict(zip(names, table.T))
    blend, without = stacking.fit(errors, column, kind, row, dim)
    # Errors of weights that did not see these rows: what a new table meets.
    fold = stacking.folds(row)
    filled = np.zeros(len(row))
    for one, weights in enumerate(without):
        mine = fold == one
        part = {name: error[mine] for name, error in errors.items()}
        filled[mine] = weights.combine(part, column[mine], kind[mine])
    correlation = np.clip(memory[0] / np.maximum(memory[1], 1e-300), 0, 0.98)
    residuals = intervals.fit(-filled, column, kind, dim, correlation)
    inside = intervals.inside(-filled, column, kind, fold, dim)
    parts = (row, column, kind, truth, table, filled, inside)
    entries = report.Entries(*(part[aside] for part in parts))
    return blend, residuals, report.make(entries, blend, preparation.stabilizer)


def _rows_aside(judging, count):
    found = np.zeros(count, bool)
    found[rows_of(judging.windows)] = True
    return found


def _as_if_aside(errors, column, kind, aside, dim):
    """Errors (m, J); those on rows that were learned from enlarged as far as they are too small.

    How far, the rows that were kept aside say: on them each candidate has so much of the line's
    error, which learns nothing, and on the others so much; in units of the line's error in the same
    column and class, because a few long gaps would decide. An eighth of the rows alone would leave
    the weights of many classes to chance.
    """
    if aside.all() or not aside.any():
        return errors
    square = np.square(np.where(np.isfinite(errors), errors, errors[:, :1]))
    cell = column * classes.COUNT + kind
    count = np.maximum(np.bincount(cell, minlength=dim * classes.COUNT), 1)
    unit = (np.bincount(cell, square[:, 0], dim * classes.COUNT) / count)[cell]
    square = square[unit > 0] / unit[unit > 0, None]
    mine = aside[unit > 0]
    if mine.all() or not mine.any():
        return errors
    there, here = (
        part.mean(0) / max(part[:, 0].mean(), 1e-300) for part in (square[mine], square[~mine])
    )
    too_small = np.sqrt(np.maximum(there / np.maximum(here, 1e-300), 1))
    return np.where(aside[:, None], errors, errors * too_small)


def _hidden(preparation, candidates, clean, judging, at):
    """Rows, columns, classes, truths and errors of hidden entries; how far neighbors err alike.

    Draw after draw, until there are enough or there is no time for more.
    """
    window = preparation.window
    aside = _rows_aside(judging, len(clean.values))[:, None]
    tiles = series_windows(clean, window, window)
    parts = holding_out.sections(tiles, judging.section)
    draws = holding_out.draws(judging.windows, len(parts))
    cut = _parts_of_series(clean, judging.windows)
    memory = np.zeros((2, clean.values.shape[1]))
    rng = np.random.default_rng(judging.seed)
    found = []
    for number in range(draws):
        hidden = judging.hidden(clean, tiles, number, judging.section)
        given = clean.without(hidden)
        here = preparation.learned_from(given) if judging.again else preparation
        # Of the rows that were learned from as many as there is room for.
        room = _MOST_ENTRIES / draws / max((hidden & ~aside).sum(), 1)
        judged = hidden & (aside | (rng.random(hidden.shape) < room))
        entries, line = _entries(here, candidates, given, clean.values, judged)
        found.append(entries)
        memory += _alike(clean, clean.values - line, hidden & aside)
        if len(cut):
            alone, rows = given.pieces(cut)
            entries, _ = _entries(here, candidates, alone, clean.values[rows], hidden[rows])
            beyond = classes.one_sided(entries[2])
            found.append([part[beyond] for part in (rows[entries[0]], *entries[1:])])
        if not at((number + 1) / draws):
            break
    return [np.concatenate(part) for part in zip(*found)], memory


def _parts_of_series(panel, windows):
    """The windows that are not whole series."""
    first, last = panel.first[windows[:, 0]], panel.last[windows[:, 0]]
    return windows[(windows[:, 0] > first) | (windows.sum(1) <= last)]


def _entries(preparation, candidates, panel, values, judged):
    """Rows, columns, classes, truths and candidates' errors of judged entries; and the line."""
    given = Given(panel, preparation)
    found = fills(candidates, given, judged)
    row, column = np.nonzero(judged)
    truth = values[row, column]
    errors = [filled[row, column] - truth for filled in found.values()]
    entries = (row, column, given.kinds[row, column], truth, np.stack(errors, axis=1))
    return entries, found[LINE]


def _alike(panel, error, hidden):
    """Products of the errors of neighbors in a gap, a step apart, and squares, summed (2, D)."""
    beside = (np.diff(panel.first) == 0) & (np.diff(panel.times) < 1.5)
    both = hidden[1:] & hidden[:-1] & beside[:, None]
    first, second = (np.where(both, part, 0) for part in (error[:-1], error[1:]))
    return np.stack([(first * second).sum(0), 0.5 * (first**2 + second**2).sum(0)])
