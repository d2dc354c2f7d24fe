"""Fitting an engine to a table: what is kept aside, training, weights, the report."""

import dataclasses
import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer import (
    blend,
    groups,
    holding_out,
    network,
    pools,
    residuals,
    scaling,
    season,
)
from naomi_jax.imputer.calendar import Calendar
from naomi_jax.imputer.engine import Engine
from naomi_jax.imputer.network import Settings, Windows
from naomi_jax.imputer.panel import Panel, series_windows
from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.hiding import Hiding

FEWEST_ROWS = 400  # observed, below which there is too little for a network to learn from
_MOST_JOINT = 64  # columns that a network reads by a dense layer; with more it overfits
_FEW_HOLES = 0.005  # share of holes below which their pattern says nothing


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What may be chosen by hand; None: by the data.

    Attributes:
      network: whether to train one.
      window: rows of its windows.
      minutes: at most, of training.
      seed: of everything random.
      hiding: which entries to hide in training and when judging.
      low, high: (D,) bounds of each column; NaN where there are none.
    """

    network: bool | None = None
    window: int | None = None
    minutes: float | None = None
    seed: int = 0
    hiding: Hiding | None = None
    low: Float[np.ndarray, " D"] | None = None
    high: Float[np.ndarray, " D"] | None = None


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


def fit(
    panel: Panel,
    calendar: Calendar,
    wishes: Wishes,
    progress: Callable[[float, float], None] = lambda share, loss: None,
) -> tuple[Engine, list[ColumnReport]]:
    """An engine for tables like this one, and what it reaches on held-out entries."""
    began = time.monotonic()
    engine = _without_network(panel, calendar, wishes)
    clean = engine.clean(panel)
    small = not (clean.observed.sum(0) >= FEWEST_ROWS).any()
    simple = wishes.network is False or (wishes.network is None and small)
    hiding = wishes.hiding or mixture(clean, simple)
    if simple:
        every = series_windows(clean, engine.window, engine.window)
        return _judged(engine, clean, every, hiding, wishes.seed)
    learn, held = holding_out.split(clean, engine.window, wishes.seed)
    engine = _with_state_space(engine, clean, learn, wishes.seed)
    many = clean.values.shape[1] > _MOST_JOINT and engine.state_space is not None
    if wishes.network is None and many:
        # It would take minutes, and with fewer columns it gains little beside a state space.
        return _judged(engine, clean, held, hiding, wishes.seed)
    scaled, _ = engine.scaled(clean)
    deadline = began + 60 * (np.inf if wishes.minutes is None else wishes.minutes)
    pool, error = pools.make(engine, scaled, learn, hiding, wishes.seed, deadline)
    config = sizes(pool)
    params = network.fit(
        pool, config, training_settings(scaled, engine.window), wishes.seed, deadline, progress
    )
    engine = dataclasses.replace(engine, params=params, error=error)
    return _judged(engine, clean, held, hiding, wishes.seed)


def _with_state_space(engine, clean, learn, seed):
    """With the phase means and the state space of the stretches to learn from."""
    mine = np.zeros((len(clean.values), 1), bool)
    for first, rows in learn:
        mine[first : first + rows] = True
    profile = season.fit_profile(engine.calendar, clean.without(~mine))
    engine = _rescaled(dataclasses.replace(engine, profile=profile), clean)
    if clean.values.shape[1] > groups.MOST_COLUMNS:
        return engine
    scaled, _ = engine.scaled(clean)
    given, _ = scaling.levelled(scaled.without(~mine), engine.scaling)
    model = groups.fit(given, engine.calendar.periods, seed)
    return dataclasses.replace(engine, state_space=model)


def _without_network(panel, calendar, wishes) -> Engine:
    """All that is known before training."""
    spike = scaling.spike_limit(panel)
    clean = panel.without(scaling.spikes(panel, spike))
    profile = season.fit_profile(calendar, clean)
    window = wishes.window or window_of(clean)
    known = clean.observed
    least = np.where(known, clean.values, np.inf).min(0)
    most = np.where(known, clean.values, -np.inf).max(0)
    constant = least == most
    center = np.where(constant, least, profile.center)
    profile = dataclasses.replace(profile, center=np.where(known.any(0), center, 0))
    low = np.where(least >= 0, 0, -np.inf)
    high = np.full_like(low, np.inf)
    if wishes.low is not None:
        low = np.where(np.isnan(wishes.low), low, wishes.low)
    if wishes.high is not None:
        high = np.where(np.isnan(wishes.high), high, wishes.high)
    engine = Engine(
        calendar, profile, scaling.fit_scaling(clean, window), spike, low, high, constant, window
    )
    return _rescaled(engine, clean)


def _rescaled(engine, clean):
    """With levels and scales of what the profile leaves."""
    unit = np.ones(clean.values.shape[1])
    plain = dataclasses.replace(engine.scaling, scale=unit)
    about, _ = dataclasses.replace(engine, scaling=plain).scaled(clean)
    return dataclasses.replace(engine, scaling=scaling.fit_scaling(about, engine.window))


def window_of(panel: Panel) -> int:
    """Rows of a window: twice what nine of ten gaps have, between 48 and 96, or the series."""
    longest = int(np.diff(panel.bounds).max())
    lengths = gap_lengths(panel)
    usual = int(np.quantile(lengths, 0.9)) if len(lengths) else 0
    window = int(np.clip(2 * usual, 48, 96))
    return max(min(window, longest), 2)


def gap_lengths(panel: Panel) -> np.ndarray:
    """Rows of every hole of every column."""
    missing = ~panel.observed
    edge = np.zeros((1, missing.shape[1]), bool)
    starts = missing & ~np.concatenate([edge, missing[:-1]])
    starts[panel.bounds[:-1]] |= missing[panel.bounds[:-1]]
    order = np.flatnonzero(missing.T)
    number = np.cumsum(starts.T.reshape(-1)[order]) - 1
    return np.bincount(number) if len(order) else np.zeros(0, int)


def mixture(panel: Panel, small: bool) -> Hiding:
    """Half of the patterns are the table's own holes, where it has some.

    Nine of ten in a small table: what would be left of it under other patterns is another table.
    """
    missing = float(1 - panel.observed.mean())
    own = 0.0 if missing < _FEW_HOLES else 45.0 if small else 5.0
    return Hiding(
        entries=1.5,
        steps=1.0,
        block=1.5,
        wide_block=1.0,
        column=0.5 if panel.values.shape[1] > 1 else 0.0,
        holes=own,
        low=0.05,
        high=0.3 if small else 0.9,
    )


def sizes(pool: Windows) -> ParallelConfig:
    """Of a network for these windows."""
    dim = pool.x.shape[-1]
    shared = dim > _MOST_JOINT
    return ParallelConfig(
        dim=dim,
        covariates=pool.covariates.shape[-1],
        width=32 if shared else 64,
        depth=2,
        states=32,
        columns="shared" if shared else "joint",
    )


def training_settings(panel: Panel, window: int) -> Settings:
    """Of its training."""
    observed = int(panel.observed.sum())
    return Settings(
        batch=32,
        targets=min(window, 48),
        updates=int(np.clip(observed / 40, 500, 5000)),
    )


def _judged(engine, clean, windows, hiding, seed):
    """The engine with its weights and residuals, and the report of each column.

    The whole table is hidden alike, and the rows that were kept aside are judged.
    """
    dim = clean.values.shape[1]
    rows, columns, classes, truth, found = [], [], [], [], {}
    memory = np.zeros((2, dim))
    aside = np.zeros((len(clean.values), 1), bool)
    for first, count in windows:
        aside[first : first + count] = True
    tiles = series_windows(clean, engine.window, engine.window)
    for number in range(holding_out.draws(windows)):
        hidden = holding_out.hidden(clean, tiles, engine.window, hiding, seed, number)
        given = clean.without(hidden)
        here = engine
        if engine.params is None and engine.state_space is None:
            refit = season.fit_profile(engine.calendar, given)
            here = dataclasses.replace(engine, profile=refit)
        judged = hidden & aside
        candidates, index = here.candidates(given, judged)
        row, column = np.nonzero(judged)
        rows.append(row)
        columns.append(column)
        classes.append(index[row, column])
        truth.append(clean.values[row, column])
        for name in engine.names:
            values = candidates.get(name, np.full_like(clean.values, np.nan))
            found.setdefault(name, []).append(here.bounded(given, values)[row, column])
        memory += _alike(clean.values - candidates["line"], judged)
    row, column, index, truth = map(np.concatenate, (rows, columns, classes, truth))
    errors = {name: np.concatenate(parts) - truth for name, parts in found.items()}
    weights = blend.fit(errors, column, index, row, dim)
    filled = weights.combine(errors, column, index)
    correlation = np.clip(memory[0] / np.maximum(memory[1], 1e-300), 0, 0.98)
    engine = dataclasses.replace(
        engine,
        blend=weights,
        residuals=residuals.fit(-filled, column, index, dim, correlation),
    )
    return engine, _report(engine, errors, filled, column)


def _alike(error, hidden):
    """Products of the errors of neighbors in a gap, and squares, summed (2, D)."""
    both = hidden[1:] & hidden[:-1]
    first, second = (np.where(both, part, 0) for part in (error[:-1], error[1:]))
    return np.stack([(first * second).sum(0), 0.5 * (first**2 + second**2).sum(0)])


def _report(engine, errors, filled, column):
    stamped = bool(engine.calendar.periods)
    kinds = {
        "line": errors["line"],
        "phase_mean": errors["local mean"] if stamped else None,
        "network": errors.get("network"),
        "fill": filled,
    }
    reports = []
    for number in range(len(engine.low)):
        mine = column == number
        values = {name: _rms(error, mine) for name, error in kinds.items()}
        weight = engine.blend.away_from_line(number)
        reports.append(ColumnReport(held_out=int(mine.sum()), weight=weight, **values))
    return reports


def _rms(error, mine):
    """Root mean square of some entries, those without a fill left out."""
    kept = error[mine & np.isfinite(error)] if error is not None else ()
    return float(np.sqrt(np.mean(np.square(kept)))) if len(kept) else float("nan")
