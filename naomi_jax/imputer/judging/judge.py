"""Judging an engine on rows that were kept aside: weights, residuals, the report."""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from naomi_jax.imputer.engine import Engine
from naomi_jax.imputer.judging import holding_out, intervals, stacking
from naomi_jax.imputer.preparation import season
from naomi_jax.imputer.preparation.panel import Panel, rows_of, series_windows
from naomi_jax.parallel.hiding import Hiding


@dataclasses.dataclass(frozen=True)
class ColumnReport:
    """Root mean squared errors of one column on entries that were held out, in its units.

    Attributes:
      held_out: how many.
      line, phase_mean, network, fill: of the straight line, the mean of the hour of the week (or
        another phase; NaN without stamps), the network (NaN without one), and what is used.
      weight: mean weight of all but the line, from 0 to 1.
    """

    held_out: int
    line: float
    phase_mean: float
    network: float
    fill: float
    weight: float


class _Entries(NamedTuple):
    """Held-out entries.

    Attributes:
      row, column, kind: where each is, and its class.
      truth: in the engine's units.
      errors: of each candidate.
    """

    row: Int[np.ndarray, " m"]
    column: Int[np.ndarray, " m"]
    kind: Int[np.ndarray, " m"]
    truth: Float[np.ndarray, " m"]
    errors: Float[np.ndarray, "m J"]


def judge(
    engine: Engine, clean: Panel, windows: Int[np.ndarray, "M 2"], hiding: Hiding, seed: int
) -> tuple[Engine, list[ColumnReport]]:
    """The engine with its weights and residuals, and the report of each column.

    The whole table is hidden alike, and the rows that were kept aside are judged. Beyond the last
    known entry of a series lie few of them; so windows are also filled as series of their own, and
    what then lies beyond their last known entries is judged too.

    Args:
      engine: without them.
      clean: the table in the engine's units, without false readings.
      windows: first row and number of rows of what was kept aside.
      hiding, seed: what to hide.
    """
    dim = clean.values.shape[1]
    memory = np.zeros((2, dim))
    aside = np.zeros((len(clean.values), 1), bool)
    aside[rows_of(windows)] = True
    tiles = series_windows(clean, engine.window, engine.window)
    cut = _parts_of_series(clean, windows)
    found = []
    for number in range(holding_out.draws(windows)):
        hidden = holding_out.hidden(clean, tiles, engine.window, hiding, seed, number)
        given = clean.without(hidden)
        here = engine
        if engine.params is None and engine.state_space is None:
            refit = season.fit_profile(engine.calendar, given)
            here = dataclasses.replace(engine, profile=refit)
        judged = hidden & aside
        entries, line = _entries(here, engine.names, given, clean.values, judged)
        found.append(entries)
        memory += _alike(clean.values - line, judged)
        if len(cut):
            alone, rows = given.pieces(cut)
            entries, _ = _entries(here, engine.names, alone, clean.values[rows], judged[rows])
            beyond = stacking.one_sided(entries.kind)
            entries = entries._replace(row=rows[entries.row])
            found.append(_Entries(*(part[beyond] for part in entries)))
    whole = _Entries(*map(np.concatenate, zip(*found)))
    errors = dict(zip(engine.names, whole.errors.T))
    weights = stacking.fit(errors, whole.column, whole.kind, whole.row, dim)
    filled = weights.combine(errors, whole.column, whole.kind)
    correlation = np.clip(memory[0] / np.maximum(memory[1], 1e-300), 0, 0.98)
    engine = dataclasses.replace(
        engine,
        blend=weights,
        residuals=intervals.fit(-filled, whole.column, whole.kind, dim, correlation),
    )
    return engine, _report(engine, errors | {"fill": filled}, whole)


def _parts_of_series(panel, windows):
    """The windows that are not whole series."""
    first, last = panel.first[windows[:, 0]], panel.last[windows[:, 0]]
    return windows[(windows[:, 0] > first) | (windows.sum(1) <= last)]


def _entries(engine, names, given, values, judged):
    """How the candidates of these names fill the judged entries, and the straight line."""
    candidates, index = engine.candidates(given, judged)
    row, column = np.nonzero(judged)
    truth = values[row, column]
    absent = np.full_like(values, np.nan)
    errors = [
        engine.bounded(given, candidates.get(name, absent))[row, column] - truth for name in names
    ]
    found = _Entries(row, column, index[row, column], truth, np.stack(errors, axis=1))
    return found, candidates["line"]


def _alike(error, hidden):
    """Products of the errors of neighbors in a gap, and squares, summed (2, D)."""
    both = hidden[1:] & hidden[:-1]
    first, second = (np.where(both, part, 0) for part in (error[:-1], error[1:]))
    return np.stack([(first * second).sum(0), 0.5 * (first**2 + second**2).sum(0)])


def _report(engine, errors, entries):
    names = {"line": "line", "network": "network", "fill": "fill"}
    if engine.calendar.periods:
        names["phase_mean"] = "local mean"
    nothing = dict.fromkeys(("line", "phase_mean", "network", "fill"), float("nan"))
    reports = []
    for number in range(len(engine.low)):
        mine = entries.column == number
        back = engine.stabilizer.only(number).inverse
        truth = entries.truth[mine, None]
        values = {
            kind: _rms(back(truth + errors[name][mine, None]) - back(truth))
            for kind, name in names.items()
            if name in errors
        }
        weight = engine.blend.away_from_line(number)
        reports.append(ColumnReport(int(mine.sum()), weight=weight, **(nothing | values)))
    return reports


def _rms(error):
    """Root mean square, entries without a fill left out."""
    kept = error[np.isfinite(error)]
    return float(np.sqrt(np.mean(np.square(kept)))) if len(kept) else float("nan")
