"""Weights of candidates."""

import itertools

import numpy as np
import pytest

from naomi_jax.imputer.judging import stacking
from naomi_jax.imputer.models import lines
from naomi_jax.imputer.preparation.panel import Panel


def grams(seed, count=20, size=3):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(count, size, size))
    errors = rng.normal(size=(count, 50, size)) @ mixing
    return np.einsum("nmi,nmj->nij", errors, errors) / 50


def value(weights, gram):
    return np.einsum("...i,...ij,...j->...", weights, gram, weights)


@pytest.mark.parametrize("seed", range(3))
def test_the_weights_are_the_best_of_a_fine_grid(seed):
    given = grams(seed)
    found = stacking.simplex_least_squares(given[None])[0]
    steps = np.arange(0, 101) / 100
    grid = np.array([(a, b, 1 - a - b) for a, b in itertools.product(steps, steps) if a + b <= 1])
    for weights, gram in zip(found, given):
        best = value(np.maximum(grid, 0), gram).min()
        # What gains less than one percent on the line is not taken.
        assert value(weights, gram) <= min(best * 1.0001, gram[0, 0]) + 1e-12 or (
            weights[0] == 1 and best > 0.99 * gram[0, 0] * 0.9999
        )
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(-1), 1)
    assert (np.abs(found - 1).min(-1) > 0.01).any()  # some are true mixtures


def test_where_nothing_gains_the_line_has_it_all():
    line = np.random.default_rng(0).normal(size=5000)
    noise = np.random.default_rng(1).normal(size=5000)
    found = stacking.fit(
        {"line": line, "worse": line + noise, "equal": line},
        np.zeros(5000, int),
        np.full(5000, 3),
        np.arange(5000),
        1,
    )
    np.testing.assert_array_equal(found.weights[0, :, 0], 1)
    assert found.away_from_line(0) == 0


def test_independent_errors_are_averaged():
    rng = np.random.default_rng(0)
    errors = {"line": rng.normal(size=20_000), "other": 0.5 * rng.normal(size=20_000)}
    found = stacking.fit(errors, np.zeros(20_000, int), np.full(20_000, 3), np.arange(20_000), 1)
    np.testing.assert_allclose(found.weights[0, 3], [0.2, 0.8], atol=0.02)  # inverse variances


def test_each_column_and_class_has_its_own_weights_and_few_entries_borrow():
    rng = np.random.default_rng(0)
    column = rng.integers(0, 2, 200_000)
    index = rng.integers(2, 4, 200_000)
    good = (column == 0) & (index == 2)
    line = rng.normal(size=200_000)
    other = np.where(good, 0.1, 3.0) * rng.normal(size=200_000)
    found = stacking.fit(
        {"line": line, "other": other}, column, index, np.arange(200_000), 2
    ).weights
    assert found[0, 2, 1] > 0.9
    assert max(found[0, 3, 1], found[1, 2, 1], found[1, 3, 1]) < 0.2
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(-1), 1)
    # Classes of which nothing was held out take what their column says.
    assert found[0, 9, 1] > found[1, 9, 1]


def test_a_candidate_without_a_fill_leaves_its_weight_to_the_others():
    weights = np.tile([0.2, 0.3, 0.5], (1, stacking.CLASSES, 1))
    mixture = stacking.Blend(("line", "curve", "network"), weights)
    nan = np.nan
    fills = {
        "line": np.array([[1.0], [1.0], [1.0]]),
        "curve": np.array([[2.0], [nan], [nan]]),
        "network": np.array([[4.0], [4.0], [nan]]),
    }
    found = mixture(fills, np.zeros((3, 1), int))[:, 0]
    right = [0.2 + 0.6 + 2.0, (0.2 + 2.0) / 0.7, 1.0]
    np.testing.assert_allclose(found, right, rtol=1e-6)
    del fills["network"]
    np.testing.assert_allclose(mixture(fills, np.zeros((3, 1), int))[0], 0.8 / 0.5, rtol=1e-6)


def test_where_all_that_has_weight_is_absent_the_line_stands_in():
    mixture = stacking.Blend(("line", "curve"), np.tile([0.0, 1.0], (1, stacking.CLASSES, 1)))
    fills = {"line": np.array([[7.0]]), "curve": np.array([[np.nan]])}
    assert mixture(fills, np.zeros((1, 1), int))[0, 0] == pytest.approx(7)


def test_classes_tell_gaps_known_rows_and_frames_apart():
    values = np.ones((100, 4))
    values[10, 0] = np.nan  # a gap of one, framed, in a row that is known
    values[20:22, 1:] = np.nan  # a gap of two in a row of which a quarter is known
    values[30:, 3] = np.nan  # no pivot after it
    panel = Panel(values, np.array([0, 100]), np.arange(100.0), np.zeros((100, 0)))
    sides = lines.pivots(panel.observed, panel)
    found = stacking.classes(panel, sides, lines.outer(panel, sides))
    assert (found[10, 0], found[20, 1], found[40, 3]) == (3, 5, stacking.CLASSES - 2)
    assert found[33, 3] == stacking.CLASSES - 1  # still near its pivot
    assert found.max() < stacking.CLASSES
    np.testing.assert_array_equal(stacking.one_sided(found)[:, 3], np.arange(100) >= 30)
    assert not stacking.one_sided(found)[:, :3].any()


def test_a_column_unlike_the_others_is_not_worse_than_its_line():
    rng = np.random.default_rng(0)
    column = np.repeat([0, 1], [50_000, 60])
    line = rng.normal(size=len(column))
    other = np.where(column == 0, 0.3, 3.0) * rng.normal(size=len(column))
    index = np.full(len(column), 2)
    row = rng.integers(0, 1000, len(column))
    mixture = stacking.fit({"line": line, "other": other}, column, index, row, 2)
    mine = column == 1
    fill = mixture.combine({"line": line, "other": other}, column, index)
    assert np.square(fill[mine]).sum() <= np.square(line[mine]).sum() * (1 + 1e-9)
    assert mixture.weights[0, 2, 1] > 0.8


@pytest.mark.parametrize("error", [0.0, 1e-16])
def test_a_line_that_is_exact_but_for_rounding_says_nothing_of_other_columns(error):
    rng = np.random.default_rng(0)
    column = np.repeat([0, 1], [2000, 20])
    line = np.where(column == 0, 1.0, error) * rng.normal(size=len(column))
    other = 0.3 * rng.normal(size=len(column))
    row = rng.integers(0, 1000, len(column))
    found = stacking.fit({"line": line, "other": other}, column, np.full(len(column), 2), row, 2)
    assert found.weights[0, 2, 1] > 0.8
    assert found.weights[1, 2, 0] > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_the_long_gaps_of_a_small_table_may_differ_from_its_short_ones(seed):
    rng = np.random.default_rng(seed)
    index = rng.choice([1, 17], 400)  # gaps of one row, and of a dozen
    line = np.where(index == 1, 1.0, 5.0) * rng.normal(size=400)
    other = np.where(index == 1, 2.5, 0.8) * rng.normal(size=400)
    found = stacking.fit(
        {"line": line, "other": other}, np.zeros(400, int), index, rng.integers(0, 144, 400), 1
    ).weights[0, :, 1]
    assert found[17] > 0.8
    assert found[1] < 0.4


def test_columns_that_are_alike_borrow_from_each_other():
    """Fifty columns, few entries each: their own best weights would be chance."""
    rng = np.random.default_rng(0)
    size = 50 * 40
    column = np.repeat(np.arange(50), 40)
    line, other = rng.normal(size=size), rng.normal(size=size)  # as good as each other
    found = stacking.fit(
        {"line": line, "other": other}, column, np.full(size, 5), np.tile(np.arange(40), 50), 50
    ).weights[:, 5, 1]
    alone = 0.0
    for number in range(50):
        mine = column == number
        a, b = (np.square(e[mine]).mean() for e in (line, other))
        c = (line[mine] * other[mine]).mean()
        alone += abs((a - c) / (a + b - 2 * c) - 0.5) / 50
    assert np.abs(found - 0.5).mean() < 0.5 * alone
