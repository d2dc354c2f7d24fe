"""Columns in groups."""

import numpy as np
import pytest

from naomi_jax.imputer.models import groups, state_space
from tests.imputer.panels import panel


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """How well the state spaces are fitted is not the question here."""
    monkeypatch.setattr(state_space, "_STEPS", 20)
    monkeypatch.setattr(state_space, "_FEWEST_STEPS", 20)


def table(rows=100, kinds=3, each=4, seed=0):
    """Columns of a few kinds, in turns; those of a kind are alike."""
    rng = np.random.default_rng(seed)
    walks = np.cumsum(rng.normal(size=(rows, kinds)), axis=0) / 5
    values = np.tile(walks, (1, each)) + 0.1 * rng.normal(size=(rows, kinds * each))
    values[rng.random(values.shape) < 0.2] = np.nan
    return values


def test_columns_that_move_alike_come_together():
    found = groups.split(table(300), 4)
    assert sorted(part.tolist() for part in found) == [[k, k + 3, k + 6, k + 9] for k in range(3)]


@pytest.mark.parametrize(("dim", "largest"), [(1, 4), (4, 4), (5, 4), (13, 4), (40, 7)])
def test_every_column_is_in_one_group_and_no_group_is_too_large(dim, largest):
    values = np.random.default_rng(0).normal(size=(50, dim))
    values[:, 0] = np.nan  # nothing is known of it
    values[:, -1] = 3.0
    found = groups.split(values, largest)
    assert np.sort(np.concatenate(found)).tolist() == list(range(dim))
    assert max(map(len, found)) <= largest
    assert len(found) <= 2 * -(-dim // largest)


def test_columns_that_are_never_known_together_are_not_alike():
    values = np.cumsum(np.random.default_rng(0).normal(size=(60, 3)), axis=0)
    values[:, 1] = values[:, 0]
    values[:30, 0] = values[30:, 1] = np.nan
    alike = groups._correlation(values)
    assert alike[0, 1] == 0 and abs(alike[1, 2]) > 0


def test_correlation_of_complete_columns_is_the_usual_one():
    values = np.random.default_rng(0).normal(size=(5000, 3)) @ np.random.default_rng(1).normal(
        size=(3, 3)
    )
    np.testing.assert_allclose(groups._correlation(values), np.corrcoef(values.T), atol=0.03)


def test_one_group_is_the_state_space_itself():
    values = table(480, kinds=2, each=1)
    found = groups.smooth(groups.fit(panel(values), 0), panel(values))
    right = state_space.smooth(state_space.fit(panel(values), 0), panel(values))
    np.testing.assert_array_equal(found, right)


def test_each_group_is_filled_as_if_it_were_alone(monkeypatch):
    monkeypatch.setattr(groups, "LARGEST", 4)
    values = table()
    fitted = groups.fit(panel(values), 0)
    found = groups.smooth(fitted, panel(values))
    twice = groups.smooth_each(fitted, panel(values), np.stack([values, 2 * values]))
    assert len(fitted.models) == 3
    for columns, model in zip(fitted.columns, fitted.models):
        alone = state_space.smooth(model, panel(values[:, columns]))
        np.testing.assert_allclose(found[:, columns], alone, atol=1e-9)
        for place, factor in enumerate((1, 2)):
            np.testing.assert_allclose(twice[place][:, columns], factor * alone, atol=1e-9)


def test_a_small_group_is_made_as_wide_as_the_others_by_columns_without_values(monkeypatch):
    monkeypatch.setattr(groups, "LARGEST", 4)
    shapes = []

    def fit(panel, *arguments):
        shapes.append((panel.values.shape[1], panel.observed.any(0).sum()))
        return original(panel, *arguments)

    original = state_space.fit
    monkeypatch.setattr(state_space, "fit", fit)
    values = table()[:, [0, 3, 6, 9, 1, 4]]
    truth = values.copy()
    values[40:60, 4] = np.nan
    found = groups.smooth(groups.fit(panel(values), 0), panel(values))
    assert sorted(shapes) == [(4, 2), (4, 4)]
    known = ~np.isnan(truth[40:60, 4])
    assert np.isfinite(found).all()
    assert np.abs(found[40:60, 4] - truth[40:60, 4])[known].mean() < 0.3  # column 5 tells of it


def test_groups_fitted_again_are_those_from_before_and_share_the_time(monkeypatch):
    monkeypatch.setattr(groups, "LARGEST", 4)
    begun, told, ends = [], [], []

    def fit(panel, seed, until, before):
        ends.append(until)
        begun.append(before)
        return original(panel, seed, 0.0, before)

    original = state_space.fit
    monkeypatch.setattr(state_space, "fit", fit)
    first = groups.fit(panel(table()), 0)
    assert begun == [None] * 3 and ends == [np.inf] * 3
    ends.clear()
    begun.clear()
    other = table(seed=1)[:, ::-1]
    again = groups.fit(panel(other), 0, lambda share: 10 * share, first, told.append)
    assert begun == list(first.models)
    np.testing.assert_allclose(ends, [10 / 3, 20 / 3, 10])
    np.testing.assert_allclose(told, [1 / 3, 2 / 3, 1])
    for one, two in zip(again.columns, first.columns):
        np.testing.assert_array_equal(one, two)
