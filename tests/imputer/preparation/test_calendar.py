"""What is read off time stamps."""

import numpy as np
import pandas as pd
import pytest

from naomi_jax.imputer.preparation import calendar
from naomi_jax.imputer.preparation.panel import Panel


def stamps(*arguments, **options):
    return pd.date_range(*arguments, **options).to_numpy().astype("datetime64[ns]")


def fit(times):
    return calendar.fit(times, np.array([0, len(times)]))


def phases(counted, times):
    """Of one series with these stamps."""
    count, steps = len(times), counted.steps(times, len(times))
    empty = np.zeros((count, 0))
    return counted.phases(Panel(empty, np.array([0, count]), steps, empty, times))


def test_hours_have_days_and_weeks():
    times = stamps("2024-01-01", periods=24 * 28, freq="h")  # a Monday
    found = fit(times)
    assert (found.kind, found.unit, found.periods) == ("stamps", 3600e9, (24, 168))
    np.testing.assert_array_equal(found.steps(times, len(times)), np.arange(len(times)))
    (of_day, bins), (of_week, all_bins) = phases(found, times)
    assert (bins, all_bins) == (24, 168)
    np.testing.assert_array_equal(of_day, np.arange(len(times)) % 24)
    np.testing.assert_array_equal(of_week, np.arange(len(times)) % 168)


def test_minutes_share_bins_of_half_an_hour():
    times = stamps("2024-01-01", periods=7000, freq="5min")
    found = fit(times)
    assert found.periods == (288, 2016)
    (of_day, bins), (_, all_bins) = phases(found, times)
    assert (bins, all_bins) == (48, 336)
    np.testing.assert_array_equal(of_day, np.arange(7000) // 6 % 48)


def test_a_cycle_must_be_seen_three_times():
    two_weeks = stamps("2024-01-01", periods=24 * 15, freq="h")
    found = fit(two_weeks)
    assert found.periods == (24,) and len(phases(found, two_weeks)) == 1
    an_hour = stamps("2024-01-01", periods=3600, freq="s")
    assert fit(an_hour).periods == () and phases(fit(an_hour), an_hour) == []


def test_days_have_weeks():
    times = stamps("2024-01-03", periods=100, freq="D")  # a Wednesday
    found = fit(times)
    assert (found.kind, found.periods) == ("stamps", (7,))
    ((weekday, bins),) = phases(found, times)
    assert bins == 7
    np.testing.assert_array_equal(weekday, (2 + np.arange(100)) % 7)


@pytest.mark.parametrize("freq", ["MS", "ME"])
def test_months_are_steps_although_their_lengths_differ(freq):
    times = stamps("2020-01-15", periods=40, freq=freq)
    found = fit(times)
    assert (found.kind, found.periods) == ("months", (12,))
    np.testing.assert_array_equal(found.steps(times, 40), np.arange(40))
    ((month, bins),) = phases(found, times)
    assert bins == 12
    np.testing.assert_array_equal(month, pd.DatetimeIndex(times).month - 1)


def test_thirty_days_are_not_months():
    found = fit(stamps("2020-01-01", periods=40, freq="30D"))
    assert (found.kind, found.periods) == ("stamps", ())


def test_irregular_stamps_are_counted_in_their_median():
    minutes = np.cumsum(np.random.default_rng(0).choice([9, 10, 11], 500))
    times = np.datetime64("2024-01-01", "ns") + minutes * np.timedelta64(60, "s")
    found = fit(times)
    assert found.unit == 600e9
    np.testing.assert_allclose(found.steps(times, 500), (minutes - minutes[0]) / 10)


def test_numbers_have_a_unit_and_no_cycles():
    times = np.array([0, 0.5, 1, 1.5, 7])
    found = fit(times)
    assert (found.kind, found.unit, found.periods) == ("numbers", 0.5, ())
    np.testing.assert_array_equal(found.steps(times, 5), [0, 1, 2, 3, 14])
    assert phases(found, times) == [] and found.waves == 0


def test_gaps_between_series_do_not_count():
    times = np.concatenate([stamps("2024-01-01", periods=3, freq="h")] * 4)
    found = calendar.fit(times, np.array([0, 3, 6, 9, 12]))
    assert found.unit == 3600e9


@pytest.mark.parametrize("times", [None, np.array([5.0])])
def test_without_stamps_rows_are_counted(times):
    found = calendar.fit(times, np.array([0, 1]))
    assert found.kind == "rows"
    np.testing.assert_array_equal(found.steps(times, 4), np.arange(4))


def test_waves_are_those_of_cycles_that_the_data_span():
    day = fit(stamps("2024-01-01", periods=30, freq="h"))
    assert day.waves == 2  # 29 hours: a day, no week
    times = stamps("2024-01-01", periods=24 * 8, freq="h")
    week = fit(times)
    assert week.waves == 4
    waves = week.covariates(times)
    assert waves.shape == (192, 4)
    hour = 2 * np.pi * (np.arange(192) % 24) / 24
    np.testing.assert_allclose(waves[:, :2], np.stack([np.sin(hour), np.cos(hour)], 1), atol=1e-9)
    monday = 2 * np.pi * (np.arange(192) % 168) / 168
    np.testing.assert_allclose(
        waves[:, 2:], np.stack([np.sin(monday), np.cos(monday)], 1), atol=1e-9
    )
    assert fit(stamps("2020-01-01", periods=40, freq="MS")).waves == 2  # the year


@pytest.mark.parametrize("unit", ["ns", "us"])
def test_steps_over_more_years_than_nanoseconds_hold_are_right(unit):
    """Differences of nanoseconds wrap beyond 292 years."""
    times = np.arange("1700-01-01", "2008-01-01", 7, dtype="datetime64[D]").astype(f"M8[{unit}]")
    found = fit(times)
    assert (found.kind, found.unit) == ("stamps", 7 * 86_400e9)
    np.testing.assert_array_equal(found.steps(times, len(times)), np.arange(len(times)))
    assert found.longest == (len(times) - 1) * 7 * 86_400e9
    (year,) = np.split(found.covariates(times), 1)
    assert year.shape == (len(times), found.waves) and found.waves == 2
    near = np.arange("1970-01-01", "1990-01-01", 7, dtype="datetime64[D]").astype("M8[ns]")
    angle = 2 * np.pi * (near.astype(np.int64) % 31_556_952_000_000_000) / 31_556_952e9
    np.testing.assert_allclose(found.covariates(near)[:, 0], np.sin(angle), atol=1e-12)


def test_far_stamps_have_hours_and_weekdays():
    near = stamps("2024-01-01", periods=24 * 28, freq="h")
    # The calendar repeats after 400 years, with its weekdays.
    far = near.astype("M8[us]") + np.timedelta64(20 * 146_097, "D")
    found = fit(near)
    for (one, bins), (other, same) in zip(phases(found, near), phases(fit(far), far), strict=True):
        assert bins == same
        np.testing.assert_array_equal(one, other)
    days = slice(0, 4)  # of the day and of the week
    np.testing.assert_allclose(found.covariates(near)[:, days], fit(far).covariates(far)[:, days])
