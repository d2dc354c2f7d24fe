"""Fitting an engine to a table: what is kept aside, the state space, the network."""

import dataclasses
import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from naomi_jax.imputer.engine import Engine
from naomi_jax.imputer.judging import holding_out, judge
from naomi_jax.imputer.judging.judge import ColumnReport
from naomi_jax.imputer.models import groups, network, pools
from naomi_jax.imputer.models.network import Settings, Windows
from naomi_jax.imputer.preparation import scaling, season, stabilizing
from naomi_jax.imputer.preparation.calendar import Calendar
from naomi_jax.imputer.preparation.panel import Panel, rows_of, series_windows
from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.hiding import Hiding

FEWEST_ROWS = 400  # observed, below which there is too little for a network to learn from
_MOST_JOINT = 64  # columns that a network reads by a dense layer; with more it overfits
_ALIKE = (1.0, 10.0, 100.0, 1000.0)
_LEVEL_DRAWS = 16  # of what is hidden to choose one of them
_NEARLY = 1.01
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


def fit(
    panel: Panel,
    calendar: Calendar,
    wishes: Wishes,
    progress: Callable[[float, float], None] = lambda share, loss: None,
) -> tuple[Engine, list[ColumnReport]]:
    """An engine for tables like this one, and what it reaches on held-out entries."""
    began = time.monotonic()
    stabilizer = stabilizing.fit(panel)
    panel = stabilizer.panel(panel)
    engine = _without_network(stabilizer, panel, calendar, wishes)
    clean = engine.clean(panel)
    small = not (clean.observed.sum(0) >= FEWEST_ROWS).any()
    simple = wishes.network is False or (wishes.network is None and small)
    hiding = wishes.hiding or mixture(clean, simple)
    if simple:
        every = series_windows(clean, engine.window, engine.window)
        return judge.judge(engine, clean, every, hiding, wishes.seed)
    learn, held = holding_out.split(clean, engine.window, wishes.seed)
    engine = _with_state_space(engine, clean, learn, wishes.seed)
    engine = _with_level(engine, clean, held, hiding, wishes.seed)
    many = clean.values.shape[1] > _MOST_JOINT and engine.state_space is not None
    if wishes.network is None and many:
        # It would take minutes, and with fewer columns it gains little beside a state space.
        return judge.judge(engine, clean, held, hiding, wishes.seed)
    scaled, _ = engine.scaled(clean)
    deadline = began + 60 * (np.inf if wishes.minutes is None else wishes.minutes)
    pool, error = pools.make(engine, scaled, learn, hiding, wishes.seed, deadline)
    config = sizes(pool)
    params = network.fit(
        pool, config, training_settings(scaled, engine.window), wishes.seed, deadline, progress
    )
    engine = dataclasses.replace(engine, params=params, error=error)
    return judge.judge(engine, clean, held, hiding, wishes.seed)


def _with_state_space(engine, clean, learn, seed):
    """With the phase means and the state space of the stretches to learn from."""
    mine = np.zeros((len(clean.values), 1), bool)
    mine[rows_of(learn)] = True
    profile = season.fit_profile(engine.calendar, clean.without(~mine))
    engine = _rescaled(dataclasses.replace(engine, profile=profile), clean)
    if clean.values.shape[1] > groups.MOST_COLUMNS:
        return engine
    scaled, _ = engine.scaled(clean)
    given, _ = scaling.levelled(scaled.without(~mine), engine.scaling)
    model = groups.fit(given, engine.calendar.periods, seed)
    return dataclasses.replace(engine, state_space=model)


def _with_level(engine, clean, held, hiding, seed):
    """With as much of its mean taken off a short series as held-out windows are filled best with.

    With all of it, what the mean says of holes is lost: that all columns are high, though one has
    but two entries. With nothing of it, levels are believed never to drift.
    """
    if engine.state_space is None:
        return engine
    scaled, _ = engine.scaled(clean)
    choices = [dataclasses.replace(engine.scaling, alike=alike) for alike in _ALIKE]
    error = np.zeros(len(choices))
    for number in range(_LEVEL_DRAWS):
        # Not the patterns by which the fill is judged later.
        hidden = holding_out.hidden(scaled, held, engine.window, hiding, seed, 2000 + number)
        given, rows = scaled.without(hidden).pieces(held)
        judged = hidden[rows]
        for place, choice in enumerate(choices):
            about, level = scaling.levelled(given, choice)
            away = groups.mean(engine.state_space, about) + level - scaled.values[rows]
            error[place] += np.square(away[judged]).sum()
    # The first that is nearly the best: these rows lie between those that were learned from, and
    # what comes later will have drifted further.
    good = np.flatnonzero(error <= _NEARLY * error.min())
    return dataclasses.replace(engine, scaling=choices[good[0]])


def _without_network(stabilizer, panel, calendar, wishes) -> Engine:
    """All that is known before training; the panel is stabilized."""
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
        low = np.where(np.isnan(wishes.low), low, stabilizer(wishes.low))
    if wishes.high is not None:
        high = np.where(np.isnan(wishes.high), high, stabilizer(wishes.high))
    scale = scaling.fit_scaling(clean, window)
    parts = calendar, profile, scale, spike, low, high, constant, window
    return _rescaled(Engine(stabilizer, *parts), clean)


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
