"""Means of phases, and lines from one cycle to the next, against loops."""

import numpy as np
import pandas as pd
import pytest

from naomi_jax.imputer.preparation import calendar, season
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.imputer.preparation.scaling import Scaling

DAYS = 28


def hourly(values, begin="2024-01-01"):
    stamps = pd.date_range(begin, periods=len(values), freq="h").to_numpy()
    stamps = stamps.astype("datetime64[ns]")
    bounds = np.array([0, len(values)])
    counted = calendar.fit(stamps, bounds)
    times = counted.steps(stamps, len(values))
    return counted, Panel(values, bounds, times, np.zeros((len(values), 0)), stamps)


def plain(values, lengths, times=None):
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    if times is None:
        times = np.concatenate([np.arange(n, dtype=float) for n in lengths])
    return Panel(values, bounds, times, np.zeros((len(values), 0)))


def holed(seed, shape, share=0.3):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    values[rng.random(shape) < share] = np.nan
    return values


def test_a_profile_is_the_mean_of_each_hour_shrunk_toward_less():
    hours = np.arange(24 * DAYS)
    rng = np.random.default_rng(0)
    daily = rng.normal(size=24)
    values = 50 + 10 * daily[hours % 24][:, None] + 0.1 * rng.normal(size=(len(hours), 1))
    values[rng.random(len(hours)) < 0.3] = np.nan
    counted, panel = hourly(values)
    found = season.fit_profile(counted, panel)
    center = np.nanmean(values)
    assert found.center[0] == pytest.approx(center)
    rest = values[:, 0] - center
    known = ~np.isnan(rest)
    by_hour = np.array(
        [rest[known & (hours % 24 == h)].sum() / ((known & (hours % 24 == h)).sum() + 4)
         for h in range(24)]
    )  # fmt: skip
    left = rest - by_hour[hours % 24]
    by_week = np.array(
        [left[known & (hours % 168 == h)].sum() / ((known & (hours % 168 == h)).sum() + 4)
         for h in range(168)]
    )  # fmt: skip
    np.testing.assert_allclose(found.means[:, 0], np.tile(by_hour, 7) + by_week, atol=1e-9)
    assert found.share[0] > 0.9
    np.testing.assert_allclose(found(counted, panel)[:, 0] - center, found.means[hours % 168, 0])


def test_a_profile_of_noise_is_not_subtracted():
    counted, panel = hourly(holed(0, (24 * DAYS, 2)))
    found = season.fit_profile(counted, panel)
    np.testing.assert_array_equal(found.share, 0)
    np.testing.assert_allclose(found.base(counted, panel), np.broadcast_to(found.center, (672, 2)))


def test_without_stamps_the_profile_is_the_mean():
    panel = plain(holed(1, (50, 2)), (50,))
    counted = calendar.fit(None, panel.bounds)
    found = season.fit_profile(counted, panel)
    np.testing.assert_allclose(found.center, np.nanmean(panel.values, axis=0))
    np.testing.assert_allclose(found(counted, panel)[7], found.center)


def by_hand(values, slots, period):
    """Through the same phase one period before and after, however far the other one is."""
    found = np.full(len(values), np.nan)
    for row, slot in enumerate(slots):
        mine = [k for k in range(len(values)) if (slots[k] - slot) % period == 0]
        known = [k for k in mine if not np.isnan(values[k])]
        before = [k for k in known if slots[k] <= slot]
        after = [k for k in known if slots[k] >= slot]
        near = (before and slot - slots[before[-1]] <= period) or (
            after and slots[after[0]] - slot <= period
        )
        if near:
            found[row] = np.interp(slot, slots[known], values[known])
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("absent", [0.0, 0.3])
def test_the_line_through_phases_is_that_of_a_loop(seed, absent):
    rng = np.random.default_rng(seed)
    lengths = (40, 5, 23)
    values = holed(seed, (68, 2), share=0.6)
    times = np.concatenate([np.arange(n, dtype=float) for n in lengths])
    kept = rng.random(68) >= absent
    kept[[0, 40, 45]] = True  # where series begin
    counts = [part.sum() for part in np.split(kept, np.cumsum(lengths)[:-1])]
    panel = plain(values[kept], counts, times[kept])
    found = season.phase_line(panel, 6)
    assert found is not None
    for begin, end in zip(panel.bounds[:-1], panel.bounds[1:]):
        slots = panel.times[begin:end].astype(int)
        for column in range(2):
            part = panel.values[begin:end, column]
            right = by_hand(part, slots, 6)
            if slots[-1] + 1 <= 6:
                right[:] = np.nan  # a series of one period has no other
            np.testing.assert_allclose(found[begin:end, column], right)


def test_there_is_no_line_through_phases_off_the_grid_or_in_short_series():
    values = holed(0, (20, 1))
    times = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, 20))
    assert season.phase_line(plain(values, (20,), times), 5) is None
    assert season.phase_line(plain(values, (20,)), 20) is None
    assert season.phase_line(plain(values, (20,)), 19) is not None


def test_the_local_mean_is_that_of_the_rows_around():
    values = holed(2, (30, 2))
    panel = plain(values, (18, 12))
    prior = np.array([0.0, 2.0])
    found = season.local_mean(panel, Scaling(np.ones(2), prior, np.full(2, 1e9)), 4)
    for begin, end in ((0, 18), (18, 30)):
        for row in range(begin, end):
            around = values[max(row - 4, begin) : min(row + 5, end)]
            total, count = np.nansum(around, axis=0), (~np.isnan(around)).sum(0)
            np.testing.assert_allclose(found[row], total / (count + prior + 1e-300))


def test_the_local_mean_far_away_is_that_of_the_rows_alone():
    values = holed(3, (30, 1))
    scaling = Scaling(np.array([2.0]), np.array([50.0]), np.array([1.0]))
    near = season.local_mean(plain(values, (30,)), scaling, 4)
    far = season.local_mean(plain(values + 5e6, (30,)), scaling, 4)
    own = season.local_mean(plain(values, (30,)), Scaling(*np.array([[2.0], [0], [1]])), 4)
    np.testing.assert_allclose(far - 5e6, own, atol=1e-6)
    assert np.abs(near).max() < 0.5 * np.abs(own).max()  # near it is drawn toward the base
