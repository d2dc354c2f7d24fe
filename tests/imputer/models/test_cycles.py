"""What the days and weeks around an entry say."""

import dataclasses

import numpy as np
import pytest

from naomi_jax.imputer.judging import judge
from naomi_jax.imputer.models import cycles, linear
from naomi_jax.imputer.models.candidate import Given
from naomi_jax.imputer.preparation.calendar import Calendar
from naomi_jax.imputer.preparation.scaling import Scaling
from naomi_jax.imputer.preparation.season import Season
from tests.imputer.panels import given_of, learning_of, panel

PERIOD = 12
COUNTED = Calendar("rows", 1.0, (PERIOD,))


def series(rows, seed=0, holes=0.1):
    """A cycle that changes slowly, and noise that does not last."""
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(2, PERIOD))
    drift = 1 + 0.2 * np.sin(np.arange(rows) / 60)
    truth = np.stack([drift * shape[d][np.arange(rows) % PERIOD] for d in range(2)], 1)
    y = truth + 0.1 * rng.normal(size=truth.shape)
    y[rng.random(truth.shape) < holes] = np.nan
    return y, truth


def given(*parts, times=None):
    """As the models see it: in units of the scale, without a season."""
    table = panel(np.concatenate(parts), tuple(map(len, parts)), times)
    plain = dict(
        season=Season(np.zeros(2)), scaling=Scaling(np.ones(2), np.full(2, 1e6), np.ones(2))
    )
    return given_of(table, COUNTED, window=48, **plain)


@pytest.fixture(scope="module")
def fitted():
    table = given(series(480)[0])
    learning = learning_of(table)
    (first,) = linear.fit(table, learning)
    (both,) = cycles.fit(table, dataclasses.replace(learning, kept={first.name: first}))
    return first, both


def filled(fitted, table):
    found = judge.fills(fitted, table, ~table.panel.observed)
    return found[linear.NAME], found[cycles.NAME]


def test_a_gap_of_a_whole_cycle_is_filled_by_the_cycles_around(fitted):
    y, truth = series(480)
    y[300:318] = np.nan
    wrong = [np.square(f - truth)[300:318].mean() for f in filled(fitted, given(y))]
    assert wrong[1] < 0.1 * wrong[0]
    assert wrong[1] < 0.05


def test_without_cycles_or_a_first_state_space_there_is_no_second(fitted):
    y = series(480)[0]
    table, first = given(y), {fitted[0].name: fitted[0]}
    no_period = dataclasses.replace(
        table.preparation, calendar=dataclasses.replace(COUNTED, periods=())
    )
    for one, kept in (
        (table, {}),
        (Given(table.panel, no_period), first),
        (given(y[:30]), first),  # it must be seen three times
        (given(y, times=np.arange(480) + 0.3 * (np.arange(480) % 2)), first),  # off the grid
    ):
        assert cycles.fit(one, learning_of(one, kept=kept)) == ()


def test_fitted_again_it_goes_on_from_what_it_was(fitted, monkeypatch):
    """From all rows, with the steps of a fit that goes on; shares and periods of its own."""
    begun = []

    def fit(panel, seed, until, before, at):
        begun.append(before)
        return original(panel, seed, lambda share: 0.0, before, at)

    original = cycles.groups.fit
    monkeypatch.setattr(cycles.groups, "fit", fit)
    table = given(series(480)[0])
    kept = {one.name: one for one in fitted}
    everything = learning_of(table, rows=np.ones(480, bool), kept=kept)
    (first,) = linear.fit(table, everything)
    assert first.alike == fitted[0].alike
    (both,) = cycles.fit(table, dataclasses.replace(everything, kept={**kept, first.name: first}))
    assert begun == [fitted[0].model, fitted[1].second]
    assert both.shares.shape == (1, 2) and np.abs(both.shares - fitted[1].shares).max() > 0


def test_where_no_cycle_is_around_the_first_state_space_has_the_say(fitted):
    y, _ = series(200, seed=0)
    alone = y[: PERIOD - 2]
    first, both = filled(fitted, given(alone, y))
    short = slice(0, len(alone))
    np.testing.assert_allclose(both[short], first[short], rtol=0, atol=1e-12)
    assert np.abs(both - first)[len(alone) :].max() > 0.1
    irregular = given(y, times=np.arange(200) + 0.3 * (np.arange(200) % 2))
    np.testing.assert_array_equal(*filled(fitted, irregular))


def test_other_series_say_nothing(fitted):
    """The cycles around are those of the same series."""
    y, _ = series(120, seed=0)
    other, _ = series(120, seed=1)
    y[50:60] = np.nan
    alone = filled(fitted, given(y))[1]
    beside = filled(fitted, given(y, 10 * other))[1]
    np.testing.assert_allclose(beside[:120], alone, atol=1e-9)
