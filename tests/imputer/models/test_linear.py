"""The candidate "state space": how much of its own mean a short series is about."""

import dataclasses

import numpy as np
import pytest

from naomi_jax.imputer.models import groups, linear, state_space
from naomi_jax.imputer.models.candidate import Given
from tests.imputer.panels import given_of, learning_of, panel


def series(values, length):
    return panel(values, (length,) * (len(values) // length))


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


def fit(table):
    """(the candidate, the preparation) of a table, fitted to what is not kept aside."""
    given = given_of(table, window=48)
    (found,) = linear.fit(given, learning_of(given))
    return found, given.preparation


def error(fitted, table, holes):
    candidate, preparation = fitted
    filled = candidate.fill(Given(table.without(holes), preparation), holes)
    return np.sqrt(np.mean(np.square(filled - table.values)[holes]))


@pytest.fixture(scope="module", autouse=True)
def few_steps():
    """How well the state spaces are fitted is not the question here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_space, "_STEPS", 40)
        patch.setattr(state_space, "_FEWEST_STEPS", 40)
        yield


@pytest.fixture(scope="module")
def common():
    """Of one long series whose columns rise and fall together, within a window already."""
    return fit(series(waves(wandering(0, 2880)), 2880))


def test_what_other_columns_say_of_the_level_is_not_taken_off(common):
    """Of one column only a few entries are known, all at the beginning of the window."""
    candidate, preparation = common
    assert candidate.alike > 1
    table = series(waves(wandering(1, 48 * 20), seed=1), 48)
    holes = np.zeros(table.values.shape, bool)
    holes[:, 0] = np.arange(len(holes)) % 48 > 3
    own_mean = dataclasses.replace(candidate, alike=1.0), preparation
    assert error(common, table, holes) < 0.6 * error(own_mean, table, holes)


def test_a_series_from_elsewhere_keeps_its_level(common):
    table = series(waves(np.full(480, 500.0), seed=2), 48)
    assert error(common, table, np.random.default_rng(0).random(table.values.shape) < 0.3) < 0.5


def test_series_with_levels_of_their_own_are_filled_about_them():
    level = np.repeat(100 * np.random.default_rng(3).normal(size=30), 48)
    table = series(waves(level), 48)
    holes = np.random.default_rng(4).random(table.values.shape) < 0.3
    assert error(fit(table), table, holes) < 0.5


def test_a_table_that_is_too_small_or_too_wide_has_none():
    small = given_of(panel(waves(wandering(0, linear.FEWEST_ROWS - 1))))
    wide = given_of(panel(waves(wandering(0, 500), groups.MOST_COLUMNS + 1)))
    for given in (small, wide):
        assert linear.fit(given, learning_of(given)) == ()
