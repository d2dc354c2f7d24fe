"""What a fit finds out before it trains: how much of its own mean a short series is about."""

import dataclasses

import numpy as np
import pytest

from naomi_jax.imputer import fitting
from naomi_jax.imputer.fitting import Wishes
from naomi_jax.imputer.judging import holding_out
from naomi_jax.imputer.preparation import calendar, stabilizing
from naomi_jax.imputer.preparation.panel import Panel


def series(values, length):
    count = len(values)
    bounds = np.arange(0, count + 1, length)
    times = np.arange(count) % length * 1.0
    return Panel(values, bounds, times, np.zeros((count, 0)))


def waves(level, columns=5, seed=0):
    """Columns with this level (rows,) in common, each with a little noise of its own."""
    noise = np.random.default_rng(seed).normal(size=(len(level), columns))
    return level[:, None] + 0.3 * noise


def wandering(seed, rows):
    """An autoregression that forgets in some twenty rows."""
    noise = np.random.default_rng((7, seed)).normal(size=rows)
    level = np.zeros(rows)
    for row in range(1, rows):
        level[row] = 0.95 * level[row - 1] + 0.5 * noise[row]
    return level


def engine_of(panel):
    """With a state space, without a network."""
    counted = calendar.fit(None, panel.bounds)
    wishes = Wishes(window=48)
    engine = fitting._without_network(stabilizing.fit(panel), panel, counted, wishes)
    learn, held = holding_out.split(panel, engine.window, 0)
    engine = fitting._with_state_space(engine, panel, learn, 0)
    return fitting._with_level(engine, panel, held, fitting.mixture(panel, False), 0)


def error(engine, panel, holes):
    filled = engine.candidates(panel.without(holes), holes)[0]["state space"]
    return np.sqrt(np.mean(np.square(filled - panel.values)[holes]))


@pytest.fixture(scope="module")
def common():
    """Of one long series whose columns rise and fall together, within a window already."""
    return engine_of(series(waves(wandering(0, 2880)), 2880))


def test_what_other_columns_say_of_the_level_is_not_taken_off(common):
    """Of one column only a few entries are known, all at the beginning of the window."""
    assert common.scaling.alike > 1
    panel = series(waves(wandering(1, 48 * 40), seed=1), 48)
    holes = np.zeros(panel.values.shape, bool)
    holes[:, 0] = np.arange(len(holes)) % 48 > 3
    own_mean = dataclasses.replace(common, scaling=dataclasses.replace(common.scaling, alike=1.0))
    assert error(common, panel, holes) < 0.6 * error(own_mean, panel, holes)


def test_a_series_from_elsewhere_keeps_its_level(common):
    panel = series(waves(np.full(480, 500.0), seed=2), 48)
    assert error(common, panel, np.random.default_rng(0).random(panel.values.shape) < 0.3) < 0.5


def test_series_with_levels_of_their_own_are_filled_about_them():
    level = np.repeat(100 * np.random.default_rng(3).normal(size=60), 48)
    panel = series(waves(level), 48)
    engine = engine_of(panel)
    assert error(engine, panel, np.random.default_rng(4).random(panel.values.shape) < 0.3) < 0.5
