"""Columns whose swings grow with their level."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer
from naomi_jax.imputer.preparation import stabilizing
from naomi_jax.imputer.preparation.stabilizing import Stabilizer
from tests.imputer.panels import panel


def walk(seed, rows=1500):
    return np.random.default_rng(seed).normal(size=(rows, 1)).cumsum(0) / 20


def shares(seed=0, rows=1500):
    """Goes up and down by shares of itself."""
    noise = np.random.default_rng(seed + 1).normal(size=(rows, 1)) / 4
    return np.exp(walk(seed, rows) + noise)


CURVED = Stabilizer(np.array([1.0, 0.0]), np.array([9.0, 0.0]), np.array([2.0, np.inf]))


def test_it_is_a_logarithm_inside_a_line_outside_and_smooth():
    x = np.linspace(-5, 20, 2001)[:, None]
    z = CURVED(np.concatenate([x, x], axis=1))
    inside = (x >= 1) & (x <= 9)
    np.testing.assert_allclose(z[:, :1][inside], 1 + 2 * np.log1p((x[inside] - 1) / 2))
    slope = np.diff(z[:, 0]) / np.diff(x[:, 0])
    assert np.abs(np.diff(slope)).max() < 0.01
    np.testing.assert_allclose(slope[x[1:, 0] < 1], 1)
    np.testing.assert_allclose(slope[x[:-1, 0] > 9], 1 / 5)
    np.testing.assert_array_equal(z[:, 1], x[:, 0])


def test_the_way_back_is_exact_for_columns_that_stay_and_right_for_the_others():
    x = np.random.default_rng(0).normal(scale=1e3, size=(3, 50, 2))
    x[0, :10] = np.nan
    back = CURVED.inverse(CURVED(x))
    np.testing.assert_allclose(back, x, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(back[..., 1], x[..., 1])
    alone = CURVED.only(0)(x[..., :1])
    np.testing.assert_array_equal(alone, CURVED(x)[..., :1])


def test_what_moves_by_shares_is_curved_and_what_moves_by_amounts_is_not():
    values = np.concatenate([shares(), 10 + walk(0), -shares(2), shares(3)], axis=1)
    values[np.random.default_rng(0).random(values.shape) < 0.3] = np.nan
    curved = np.isfinite(stabilizing.fit(panel(values)).curve)
    assert curved.tolist() == [True, False, False, True]


def test_units_do_not_matter():
    one, other = (stabilizing.fit(panel(x)) for x in (shares(), 7 + 3 * shares()))
    for field in ("least", "most"):
        np.testing.assert_allclose(getattr(other, field), 7 + 3 * getattr(one, field))
    np.testing.assert_allclose(other.curve, 3 * one.curve)


@pytest.mark.parametrize(
    "values",
    [
        shares(rows=199),
        np.full((500, 1), 3.0),
        np.where(np.random.default_rng(0).random((500, 1)) < 0.7, 0, shares(rows=500)),
        np.repeat([[1.0], [100.0]], 300, axis=0),
    ],
    ids=["few rows", "one value", "mostly one value", "one step"],
)
def test_columns_that_tell_too_little_stay_as_they_are(values):
    assert np.isinf(stabilizing.fit(panel(values)).curve).all()


def test_series_are_not_taken_for_one():
    values = np.concatenate([1 + walk(0, 300), 1000 + walk(1, 300)])
    both = dataclasses.replace(panel(values), bounds=np.array([0, 300, 600]))
    assert np.isinf(stabilizing.fit(both).curve).all()


@pytest.fixture(scope="module")
def fitted():
    values = np.concatenate([shares(), shares(2)], axis=1)
    holes = np.random.default_rng(5).random(values.shape) < 0.3
    table = pd.DataFrame(np.where(holes, np.nan, values), columns=["a", "b"])
    imputer = Imputer(method="interpolate", window=24, bounds={"b": (0, 2.2)}).fit(table)
    assert np.isfinite(imputer._engine.preparation.stabilizer.curve).all()
    return imputer, table, values


def test_bounds_are_stabilized_too(fitted):
    found = fitted[0]._engine.preparation
    np.testing.assert_array_equal([found.low, found.high], [[-np.inf, 0], [np.inf, 2.2]])
    filled = np.array([[1e9, 1e9], [-1e9, -1e9]])
    high, low = found.in_units(found.bounded(panel(np.full((2, 2), np.nan)), filled))
    assert high[1] == 2.2 and low[1] == 0, "to the bit, though the way back rounds"
    np.testing.assert_array_equal(found.least, [0, -np.inf])  # as it never was negative


def test_bounds_and_the_report_are_in_the_units_of_the_data(fitted):
    imputer, table, values = fitted
    filled = imputer.transform(table)
    low, high = imputer.interval(table, level=0.9)
    drawn = imputer.sample(table)[0]
    hidden = table.isna().to_numpy()
    for one in (filled, low, high, drawn):
        assert one.to_numpy()[hidden].min() >= 0
        assert one["b"].to_numpy()[hidden[:, 1]].max() <= 2.2 + 1e-9
        np.testing.assert_array_equal(one.to_numpy()[~hidden], table.to_numpy()[~hidden])
    straight = table.interpolate(limit_direction="both").to_numpy()
    error = np.sqrt(np.mean(np.square(straight - values)[hidden[:, 0], 0]))
    assert 0.5 < imputer.report_["line"]["a"] / error < 2
    inside = (low.to_numpy() <= values) & (values <= high.to_numpy())
    assert 0.8 < inside[hidden[:, 0], 0].mean() < 0.97


def test_intervals_grow_with_the_level(fitted):
    imputer, table, _ = fitted
    low, high = imputer.interval(table, level=0.9)
    width = (high - low)["a"][table["a"].isna()]
    level = imputer.transform(table)["a"][table["a"].isna()]
    assert width[level > level.quantile(0.8)].mean() > 2 * width[level < level.quantile(0.2)].mean()
