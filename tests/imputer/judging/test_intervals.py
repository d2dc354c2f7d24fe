"""Quantiles of errors, and draws with them."""

import numpy as np
import pytest

from naomi_jax.imputer.judging import intervals
from naomi_jax.imputer.preparation import classes
from naomi_jax.imputer.preparation.panel import Panel
from tests.imputer.panels import panel


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
    table = panel(np.zeros((count, 2)), (count // 2, count // 2))
    index = np.full((count, 2), 2)
    found = fitted.draw(table, index, np.random.default_rng(3))
    for level in (0.1, 0.5, 0.9):
        exact = -np.log(1 - level) * np.array([1, 2])
        np.testing.assert_allclose(np.quantile(found, level, axis=0), exact, rtol=0.12)
    ranks = np.argsort(np.argsort(found, axis=0), axis=0)
    alike = [np.corrcoef(ranks[1:, d], ranks[:-1, d])[0, 1] for d in range(2)]
    assert alike[0] == pytest.approx(0.9, abs=0.03)
    assert alike[1] == pytest.approx(0, abs=0.03)


def test_series_are_drawn_apart_and_rows_farther_apart_err_less_alike(fitted):
    lengths = (2,) * 4000
    table = panel(np.zeros((8000, 2)), lengths)
    found = fitted.draw(table, np.full((8000, 2), 2), np.random.default_rng(3))[:, 0]
    ranks = np.argsort(np.argsort(found)).reshape(-1, 2)
    assert np.corrcoef(ranks.T)[0, 1] == pytest.approx(0.9, abs=0.03)
    assert np.corrcoef(ranks[1:, 0], ranks[:-1, 1])[0, 1] == pytest.approx(0, abs=0.05)
    far = Panel(table.values, table.bounds, table.times * 7, table.covariates)
    ranks = fitted.draw(far, np.full((8000, 2), 2), np.random.default_rng(3))[:, 0]
    ranks = np.argsort(np.argsort(ranks)).reshape(-1, 2)
    assert np.corrcoef(ranks.T)[0, 1] == pytest.approx(0.9**7, abs=0.05)


def test_there_are_as_many_quantiles_as_levels(fitted):
    assert fitted.quantiles.shape == (2, classes.COUNT, len(intervals.LEVELS))


def test_what_lies_inside_is_judged_by_the_entries_of_other_folds():
    rng = np.random.default_rng(0)
    error, fold = rng.normal(size=8000), np.arange(8000) // 2000
    zero = np.zeros(8000, int)
    found = intervals.inside(error, zero, zero, fold, 1)
    assert found.mean() == pytest.approx(0.9, abs=0.01)
    # A stretch of rows whose errors are ten times as large lies outside what the others say,
    # by its own quantiles nine tenths of it would not.
    wild = np.where(fold == 1, 10 * error, error)
    assert intervals.inside(wild, zero, zero, fold, 1)[fold == 1].mean() < 0.3
    assert intervals.inside(wild, zero, zero, zero, 1).mean() == pytest.approx(0.9, abs=0.01)
    # The interval around a fill contains the fill, though all errors lie on one side.
    assert intervals.inside(np.where(fold == 2, 0, 5 + error), zero, zero, fold, 1)[fold == 2].all()
