"""What the days and weeks around an entry say."""

import numpy as np
import pytest

from naomi_jax.imputer.models import cycles, state_space
from naomi_jax.imputer.preparation.panel import Panel

PERIOD = 12


def series(rows, seed=0, holes=0.2):
    """A cycle that changes slowly, and noise that does not last."""
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(2, PERIOD))
    drift = 1 + 0.2 * np.sin(np.arange(rows) / 60)
    truth = np.stack([drift * shape[d][np.arange(rows) % PERIOD] for d in range(2)], 1)
    y = truth + 0.1 * rng.normal(size=truth.shape)
    y[rng.random(truth.shape) < holes] = np.nan
    return y, truth


def panel(*parts):
    bounds = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    times = np.concatenate([np.arange(len(part), dtype=float) for part in parts])
    values = np.concatenate(parts)
    return Panel(values, bounds, times, np.zeros((len(values), 0)))


@pytest.fixture(scope="module")
def fitted():
    return cycles.fit(panel(series(600)[0]), (PERIOD,), 0)


def test_a_gap_of_a_whole_cycle_is_filled_by_the_cycles_around(fitted):
    y, truth = series(600)
    y[300:318] = np.nan
    first, both = cycles.smooth(fitted, panel(y))
    wrong = [np.square(found - truth)[300:318].mean() for found in (first, both)]
    assert wrong[1] < 0.1 * wrong[0]
    assert wrong[1] < 0.05


def test_without_a_cycle_there_is_one_state_space():
    y = series(600)[0]
    for found in (
        cycles.fit(panel(y), (), 0),
        cycles.fit(panel(y[:30]), (PERIOD,), 0),  # it must be seen three times
    ):
        assert found.second is None
        first, both = cycles.smooth(found, panel(y))
        assert both is None
        np.testing.assert_array_equal(first, state_space.smooth(found.first, panel(y)))


def test_where_no_cycle_is_around_the_first_state_space_has_the_say(fitted):
    y, _ = series(200, seed=0)
    alone = y[: PERIOD - 2]
    first, both = cycles.smooth(fitted, panel(alone, y))
    short = slice(0, len(alone))
    np.testing.assert_allclose(both[short], first[short], rtol=0, atol=1e-12)
    assert np.abs(both - first)[len(alone) :].max() > 0.1


def test_other_series_say_nothing(fitted):
    """The cycles around are those of the same series."""
    y, _ = series(120, seed=0)
    other, _ = series(120, seed=1)
    y[50:60] = np.nan
    alone = cycles.smooth(fitted, panel(y))[1]
    beside = cycles.smooth(fitted, panel(y, 10 * other))[1]
    np.testing.assert_allclose(beside[:120], alone, atol=1e-9)
