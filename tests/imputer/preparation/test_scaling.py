"""Spikes, levels and scales."""

import numpy as np
import pytest

from naomi_jax.imputer.preparation import scaling
from tests.imputer.panels import panel


def noise(seed=0, rows=600, dim=2):
    values = np.random.default_rng(seed).normal(size=(rows, dim))
    values[np.random.default_rng(seed + 1).random(values.shape) < 0.2] = np.nan
    return values


def test_a_spike_is_far_from_the_entries_around_it():
    values = noise()
    limit = scaling.spike_limit(panel(values))
    assert not scaling.spikes(panel(values), limit).any()
    places = [(100, 0), (101, 1), (300, 0)]
    for place in places:
        values[place] = 200
    found = scaling.spikes(panel(values), scaling.spike_limit(panel(values)))
    assert [tuple(place) for place in np.argwhere(found)] == places


def test_a_step_and_rare_events_are_no_spikes():
    values = noise(dim=2)
    values[300:, 0] += 500
    values[:, 1] = 0
    values[[50, 200, 201], 1] = 9
    limit = scaling.spike_limit(panel(values))
    assert limit[1] == np.inf
    assert not scaling.spikes(panel(values), limit).any()


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e9])
def test_what_a_level_is_does_not_depend_on_units(unit):
    drift = np.repeat(np.random.default_rng(5).normal(size=(12, 2)), 50, axis=0)
    values = noise() + 0.3 * drift
    plain, scaled = (scaling.fit_scaling(panel(v), 50) for v in (values, values * unit))
    np.testing.assert_allclose(scaled.scale, plain.scale * unit)
    np.testing.assert_allclose(scaled.prior, plain.prior)
    np.testing.assert_allclose(scaled.spread, plain.spread)


def test_levels_are_shrunk_near_and_not_far():
    given = scaling.Scaling(np.ones(1), np.array([10.0]), np.array([1.0]))
    values = np.full((1, 10, 1), 0.1)
    shown = np.ones((1, 10, 1), bool)
    assert given.level(values, shown)[0, 0, 0] == pytest.approx(0.05, rel=0.01)
    assert given.level(values * 1e7, shown)[0, 0, 0] == pytest.approx(1e6)
    assert given.level(values, ~shown)[0, 0, 0] == 0


def test_the_scale_is_that_about_the_level_of_windows():
    rng = np.random.default_rng(0)
    level = np.repeat(100 * rng.normal(size=20), 50)
    values = (level + 3 * rng.normal(size=1000))[:, None]
    found = scaling.fit_scaling(panel(values), 50)
    assert found.scale[0] == pytest.approx(3, rel=0.1)
    assert found.prior[0] < 0.01  # windows differ: each has a level of its own
    still = scaling.fit_scaling(panel(3 * rng.normal(size=(1000, 1))), 50)
    assert still.prior[0] > 20


def test_levels_of_series_are_taken_off_each():
    values = np.concatenate([np.full((5, 1), 1e6), np.full((7, 1), -1e6)])
    given = scaling.Scaling(np.ones(1), np.array([10.0]), np.array([1.0]))
    about, level = scaling.levelled(panel(values, (5, 7)), given)
    np.testing.assert_allclose(about.values, 0, atol=1e-6)
    np.testing.assert_allclose(level, values)


def test_a_column_of_one_value_has_a_finite_scale():
    found = scaling.fit_scaling(panel(np.zeros((100, 1))), 10)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert found.level(np.full((1, 4, 1), 1e9), np.ones((1, 4, 1), bool)) == pytest.approx(1e9)
    assert all(np.isfinite(part).all() for part in vars(found).values())
