"""Columns in groups."""

import numpy as np
import pytest

from naomi_jax.imputer.models import cycles, groups, state_space
from naomi_jax.imputer.preparation.panel import Panel


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """How well the state spaces are fitted is not the question here."""
    monkeypatch.setattr(state_space, "_STEPS", 20)
    monkeypatch.setattr(state_space, "_FEWEST_STEPS", 20)


def table(rows=300, kinds=3, each=4, seed=0):
    """Columns of a few kinds, in turns; those of a kind are alike."""
    rng = np.random.default_rng(seed)
    walks = np.cumsum(rng.normal(size=(rows, kinds)), axis=0) / 5
    values = np.tile(walks, (1, each)) + 0.1 * rng.normal(size=(rows, kinds * each))
    values[rng.random(values.shape) < 0.2] = np.nan
    return values


def panel(values):
    count = len(values)
    return Panel(values, np.array([0, count]), np.arange(float(count)), np.zeros((count, 0)))


def test_columns_that_move_alike_come_together():
    found = groups.split(table(), 4)
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
    values = table(each=1)
    found = groups.smooth(groups.fit(panel(values), (), 0), panel(values))
    right = cycles.smooth(cycles.fit(panel(values), (), 0), panel(values))
    np.testing.assert_array_equal(found[0], right[0])
    assert found[1] is None and right[1] is None


def test_each_group_is_filled_as_if_it_were_alone(monkeypatch):
    monkeypatch.setattr(groups, "LARGEST", 4)
    values = table()
    fitted = groups.fit(panel(values), (50,), 0)
    assert fitted.about_cycles
    first, both = groups.smooth(fitted, panel(values))
    for columns, model in zip(fitted.columns, fitted.models):
        alone = cycles.smooth(model, panel(values[:, columns]))
        np.testing.assert_allclose(first[:, columns], alone[0], atol=1e-9)
        np.testing.assert_allclose(both[:, columns], alone[1], atol=1e-9)
