"""Quantiles of errors, and draws with them."""

import numpy as np
import pytest

from naomi_jax.imputer.judging import intervals, stacking
from naomi_jax.imputer.preparation.panel import Panel


def plain(count, dim, lengths):
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    times = np.concatenate([np.arange(n, dtype=float) for n in lengths])
    return Panel(np.zeros((count, dim)), bounds, times, np.zeros((count, 0)))


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    column = rng.integers(0, 2, 40_000)
    index = rng.choice([2, 5], 40_000)
    error = rng.exponential(size=40_000) * (1 + column) + 10 * (index == 5)
    # Of class 7 there is too little to go by.
    few = (np.full(39, 1e6), np.zeros(39, int), np.full(39, 7))
    both = (np.concatenate(pair) for pair in zip((error, column, index), few))
    return intervals.fit(*both, 2, np.array([0.9, 0.0]))


def test_quantiles_are_those_of_the_class(fitted):
    level = np.array([[0.05, 0.05], [0.5, 0.5], [0.95, 0.95]])
    for number, far in ((2, 0), (5, 10)):
        found = fitted.at(level, np.full((3, 2), number))
        exact = -np.log(1 - level) * [1, 2] + far
        np.testing.assert_allclose(found, exact, rtol=0.06)


def test_between_levels_quantiles_go_along_a_line(fitted):
    at = [fitted.at(np.full((1, 2), p), np.full((1, 2), 2)) for p in (0.9, 0.925, 0.95)]
    np.testing.assert_allclose(at[1], (at[0] + at[2]) / 2)
    # Beyond the outermost they stay.
    far = [fitted.at(np.full((1, 2), p), np.full((1, 2), 2)) for p in (1.0, 0.995)]
    np.testing.assert_array_equal(*far)
    assert (np.diff(fitted.quantiles, axis=-1) >= 0).all()


def test_a_class_of_few_takes_in_those_most_like_it(fitted):
    at = np.full((1, 2), 0.5)
    assert fitted.at(at, np.full((1, 2), 7)).max() < 100
    # 7 and 5 differ in the rows that are known around; 2 is a shorter gap, and less like 9.
    np.testing.assert_array_equal(fitted.quantiles[1, 7], fitted.quantiles[1, 5])
    np.testing.assert_array_equal(fitted.quantiles[1, 9], fitted.quantiles[1, 5])
    np.testing.assert_array_equal(fitted.quantiles[1, 3], fitted.quantiles[1, 2])


def test_a_column_without_held_out_entries_has_no_errors():
    found = intervals.fit(np.ones(100), np.zeros(100, int), np.zeros(100, int), 2, np.zeros(2))
    np.testing.assert_array_equal(found.quantiles[1], 0)
    np.testing.assert_array_equal(found.quantiles[0], 1)


def test_draws_have_the_quantiles_and_neighbors_err_alike(fitted):
    count = 20_000
    panel = plain(count, 2, (count // 2, count // 2))
    index = np.full((count, 2), 2)
    found = fitted.draw(panel, index, np.random.default_rng(3))
    for level in (0.1, 0.5, 0.9):
        exact = -np.log(1 - level) * np.array([1, 2])
        np.testing.assert_allclose(np.quantile(found, level, axis=0), exact, rtol=0.12)
    ranks = np.argsort(np.argsort(found, axis=0), axis=0)
    alike = [np.corrcoef(ranks[1:, d], ranks[:-1, d])[0, 1] for d in range(2)]
    assert alike[0] == pytest.approx(0.9, abs=0.03)
    assert alike[1] == pytest.approx(0, abs=0.03)


def test_series_are_drawn_apart_and_rows_farther_apart_err_less_alike(fitted):
    lengths = (2,) * 4000
    panel = plain(8000, 2, lengths)
    found = fitted.draw(panel, np.full((8000, 2), 2), np.random.default_rng(3))[:, 0]
    ranks = np.argsort(np.argsort(found)).reshape(-1, 2)
    assert np.corrcoef(ranks.T)[0, 1] == pytest.approx(0.9, abs=0.03)
    assert np.corrcoef(ranks[1:, 0], ranks[:-1, 1])[0, 1] == pytest.approx(0, abs=0.05)
    far = Panel(panel.values, panel.bounds, panel.times * 7, panel.covariates)
    ranks = fitted.draw(far, np.full((8000, 2), 2), np.random.default_rng(3))[:, 0]
    ranks = np.argsort(np.argsort(ranks)).reshape(-1, 2)
    assert np.corrcoef(ranks.T)[0, 1] == pytest.approx(0.9**7, abs=0.05)


def test_there_are_as_many_quantiles_as_levels(fitted):
    assert fitted.quantiles.shape == (2, stacking.CLASSES, len(intervals.LEVELS))
