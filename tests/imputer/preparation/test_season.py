"""Seasons: the mean of each phase as far as the data show one."""

import numpy as np
import pytest

from naomi_jax import Imputer
from naomi_jax.imputer.preparation import calendar, season
from tests.imputer.panels import holed, panel, stamped

HOURS = np.arange(24 * 28)


def shrunk(total, number, ratio):
    """Best linear prediction of random effects with this variance in units of the noise's."""
    return ratio * total / (1 + ratio * number)


def test_means_are_those_of_random_effects():
    """Each cycle's means are one ratio's predictions, and of all ratios the likeliest."""
    rng = np.random.default_rng(0)
    values = 50 + rng.normal(size=24)[HOURS % 24][:, None] + 2 * rng.normal(size=(len(HOURS), 1))
    values[rng.random(len(HOURS)) < 0.3] = np.nan
    counted, table = stamped(values)
    found = season.fit(counted, table)
    assert found.center[0] == pytest.approx(np.nanmean(values)) and found.found
    rest = values[:, 0] - found.center[0]
    known = ~np.isnan(rest)
    number = np.bincount(HOURS[known] % 24, minlength=24)
    total = np.bincount(HOURS[known] % 24, rest[known], 24)
    ratios = found.means[0][:, 0] / (total - found.means[0][:, 0] * number)  # solved for the ratio
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6)

    def likelihood(ratio):
        """Of the joint Gaussian distribution, the noise's variance at its best."""
        count = known.sum()
        cov = np.eye(count)
        same = HOURS[known][:, None] % 24 == HOURS[known] % 24
        cov += ratio * same
        square = rest[known] @ np.linalg.solve(cov, rest[known])
        return -0.5 * (np.linalg.slogdet(cov)[1] + count * np.log(square / count))

    best = likelihood(ratios[0])
    assert all(likelihood(other * ratios[0]) < best + 0.1 for other in (0.25, 0.5, 2, 4))
    assert best > likelihood(0) + season._CHANCE / 2
    told = found(counted, table)[:, 0]
    right = found.center[0] + found.means[0][HOURS % 24, 0] + found.means[1][HOURS % 168, 0]
    np.testing.assert_allclose(told, right)


def test_what_repeats_without_noise_comes_back_whole():
    daily = 20 + 5 * np.sin(np.arange(24 * 14) * np.pi / 12)[:, None]
    # The mean of holes would not be that of the cycle: whole days alone are missing.
    for values in (daily, np.where(np.arange(24 * 14)[:, None] // 24 == 5, np.nan, daily)):
        counted, table = stamped(values)
        assert np.abs(season.fit(counted, table)(counted, table) - daily).max() < 5e-9


def test_chance_is_no_season():
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=(24 * 14, 100)), rng.normal(size=(24 * 14, 100)).cumsum(0)):
        counted, table = stamped(values)
        found = season.fit(counted, table)
        shown = np.any([mean.any(0) for mean in found.means], axis=0)
        assert shown.sum() < 5
        np.testing.assert_array_equal(
            found(counted, table)[:, ~shown],
            np.broadcast_to(found.center[~shown], (336, 100 - shown.sum())),
        )


def test_the_cycle_of_a_week_is_found_on_what_the_day_leaves():
    noise = 0.1 * np.random.default_rng(0).normal(size=(len(HOURS), 1))
    weekend = (HOURS // 24 % 7 >= 5)[:, None]
    counted, table = stamped(3.0 * weekend * np.sin(HOURS * np.pi / 12)[:, None] + noise)
    found = season.fit(counted, table)
    about = np.abs(table.values - found(counted, table))
    assert about.max() < 0.5 and np.abs(found.means[1]).max() > 1


def test_without_stamps_there_is_the_mean_alone():
    table = panel(holed(1, (50, 2)))
    counted = calendar.fit(None, table.bounds)
    found = season.fit(counted, table)
    assert not found.found
    np.testing.assert_allclose(found(counted, table), np.tile(np.nanmean(table.values, 0), (50, 1)))


@pytest.mark.parametrize("days", [14, 28])
def test_a_noisy_cycle_is_filled_nearly_as_well_as_by_its_mean(days):
    rng = np.random.default_rng(days)
    hours = np.arange(24 * days)
    truth = 15 + 5 * np.sin(hours * np.pi / 12) + 0.3 * rng.normal(size=len(hours))
    hidden = rng.random(len(hours)) < 0.1
    for first in (50, 140, 230):
        hidden[first : first + 10] = True
    given = np.where(hidden, np.nan, truth)
    table = stamped(given[:, None])[1]
    filled = Imputer("interpolate").fit_transform(table.values, time=table.stamps)[:, 0]
    mean = np.array([np.nanmean(given[hours % 24 == hour]) for hour in range(24)])[hours % 24]
    error, of_mean = (np.sqrt(np.mean(np.square(f - truth)[hidden])) for f in (filled, mean))
    assert error < 1.15 * of_mean
