"""Weights of candidates."""

import itertools

import numpy as np
import pytest

from naomi_jax.imputer.judging import stacking
from naomi_jax.imputer.preparation import classes


def fit(errors, column=0, index=3, row=None, dim=1):
    """The blend; all entries of one column and class where nothing else is said."""
    count = len(errors["line"])
    row = np.arange(count) if row is None else row
    column, index = (np.broadcast_to(part, count) for part in (column, index))
    return stacking.fit(errors, column, index, row, dim)[0]


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
    found = fit({"line": line, "worse": line + noise, "equal": line})
    np.testing.assert_array_equal(found.weights[0, :, 0], 1)
    np.testing.assert_array_equal(found.shares(0, np.array([3, 3, 5])), [1, 0, 0])


def test_independent_errors_are_averaged():
    rng = np.random.default_rng(0)
    errors = {"line": rng.normal(size=20_000), "other": 0.5 * rng.normal(size=20_000)}
    found = fit(errors)
    np.testing.assert_allclose(found.weights[0, 3], [0.2, 0.8], atol=0.02)  # inverse variances


def test_each_column_and_class_has_its_own_weights_and_few_entries_borrow():
    rng = np.random.default_rng(0)
    column = rng.integers(0, 2, 200_000)
    index = rng.integers(2, 4, 200_000)
    good = (column == 0) & (index == 2)
    line = rng.normal(size=200_000)
    other = np.where(good, 0.1, 3.0) * rng.normal(size=200_000)
    found = fit({"line": line, "other": other}, column, index, dim=2).weights
    assert found[0, 2, 1] > 0.9
    assert max(found[0, 3, 1], found[1, 2, 1], found[1, 3, 1]) < 0.2
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(-1), 1)
    # Classes of which nothing was held out take what their column says.
    assert found[0, 9, 1] > found[1, 9, 1]


def test_a_candidate_without_a_fill_leaves_its_weight_to_the_others():
    weights = np.tile([0.2, 0.3, 0.5], (1, classes.COUNT, 1))
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
    # Where all that has weight is absent the line stands in.
    alone = stacking.Blend(("line", "curve"), np.tile([0.0, 1.0], (1, classes.COUNT, 1)))
    fills = {"line": np.array([[7.0]]), "curve": np.array([[nan]])}
    assert alone(fills, np.zeros((1, 1), int))[0, 0] == pytest.approx(7)


def test_weights_without_fills_and_fills_without_weights_are_refused_by_name():
    mixture = stacking.Blend(("line", "curve"), np.tile([0.5, 0.5], (1, classes.COUNT, 1)))
    one = np.zeros((1, 1))
    for fills, name in (({"line": one}, "curve"), ({"line": one, "curve": one, "new": one}, "new")):
        with pytest.raises(ValueError, match=f"candidates: {name}; weights and fills"):
            mixture(fills, np.zeros((1, 1), int))


def test_the_weights_of_a_fold_do_not_see_its_rows():
    """And those of all rows see all."""
    rng = np.random.default_rng(0)
    row = np.repeat(np.arange(400), 5)
    line, good = rng.normal(size=2000), 0.5 * rng.normal(size=2000)
    fold = stacking.folds(row)
    assert np.bincount(fold).tolist() == [500] * stacking.FOLDS and (np.diff(fold) >= 0).all()
    assert stacking.folds(row[:0]).tolist() == [] and set(stacking.folds(row[:5])) == {0}
    zero = np.zeros(2000, int)
    found, without = stacking.fit({"line": line, "good": good}, zero, zero + 3, row, 1)
    for one in range(stacking.FOLDS):
        # In its own rows alone the candidate is of no use.
        changed = np.where(fold == one, 100 * good, good)
        other, others = stacking.fit({"line": line, "good": changed}, zero, zero + 3, row, 1)
        np.testing.assert_allclose(others[one].weights[0, 3], without[one].weights[0, 3], atol=0.05)
        assert np.abs(other.weights - found.weights)[0, 3].max() > 0.5


def test_shares_are_the_mean_weights_over_the_entries():
    weights = np.zeros((1, classes.COUNT, 2))
    weights[0, :, 0] = np.linspace(0, 1, classes.COUNT)
    weights[0, :, 1] = 1 - weights[0, :, 0]
    blend = stacking.Blend(("line", "curve"), weights)
    np.testing.assert_allclose(blend.shares(0, np.array([0, 0, classes.COUNT - 1])), [1 / 3, 2 / 3])
    np.testing.assert_allclose(blend.shares(0, np.array([], int)), [0.5, 0.5])


def test_a_column_unlike_the_others_is_not_worse_than_its_line():
    rng = np.random.default_rng(0)
    column = np.repeat([0, 1], [50_000, 60])
    line = rng.normal(size=len(column))
    other = np.where(column == 0, 0.3, 3.0) * rng.normal(size=len(column))
    index = np.full(len(column), 2)
    row = rng.integers(0, 1000, len(column))
    mixture = fit({"line": line, "other": other}, column, index, row, 2)
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
    found = fit({"line": line, "other": other}, column, 2, row, 2)
    assert found.weights[0, 2, 1] > 0.8
    assert found.weights[1, 2, 0] > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_the_long_gaps_of_a_small_table_may_differ_from_its_short_ones(seed):
    rng = np.random.default_rng(seed)
    index = rng.choice([1, 17], 400)  # gaps of one row, and of a dozen
    line = np.where(index == 1, 1.0, 5.0) * rng.normal(size=400)
    other = np.where(index == 1, 2.5, 0.8) * rng.normal(size=400)
    row = rng.integers(0, 144, 400)
    found = fit({"line": line, "other": other}, index=index, row=row).weights[0, :, 1]
    assert found[17] > 0.8
    assert found[1] < 0.4


def test_columns_that_are_alike_borrow_from_each_other():
    """Fifty columns, few entries each: their own best weights would be chance."""
    rng = np.random.default_rng(0)
    size = 50 * 40
    column = np.repeat(np.arange(50), 40)
    line, other = rng.normal(size=size), rng.normal(size=size)  # as good as each other
    row = np.tile(np.arange(40), 50)
    found = fit({"line": line, "other": other}, column, 5, row, 50).weights[:, 5, 1]
    alone = 0.0
    for number in range(50):
        mine = column == number
        a, b = (np.square(e[mine]).mean() for e in (line, other))
        c = (line[mine] * other[mine]).mean()
        alone += abs((a - c) / (a + b - 2 * c) - 0.5) / 50
    assert np.abs(found - 0.5).mean() < 0.5 * alone
