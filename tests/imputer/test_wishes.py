"""What a user asks for by hand: bounds and periods."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import threadpoolctl

from naomi_jax import Imputer
from naomi_jax.imputer.models.threads import one_thread
from naomi_jax.imputer.preparation import calendar
from naomi_jax.imputer.preparation.panel import Panel

ROWS = 240


def wild(seed):
    """Walks with holes, at the ends too; hourly."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(ROWS, 3)).cumsum(0)
    for _ in range(12):
        first = rng.integers(0, ROWS)
        values[first : first + rng.integers(1, 30), rng.integers(0, 3)] = np.nan
    values[:5, 0] = values[-5:, 1] = np.nan
    return pd.DataFrame(values, pd.date_range("2024", periods=ROWS, freq="h"), ["a", "b", "c"])


def quick(**settings):
    return Imputer("interpolate", window=48, **settings)


@pytest.mark.parametrize("seed", range(6))
def test_no_fill_leaves_the_bounds_although_observed_values_do(seed):
    given = wild(seed)
    low, high = given.quantile(0.3), given.quantile(0.7)
    bounds = {"a": (low["a"], high["a"]), "b": (None, high["b"]), "c": (low["c"], None)}
    outside = ((given < low) | (given > high)).sum()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = quick(bounds=bounds, seed=seed).fit(given)
    (said,) = (str(one.message) for one in caught)
    assert said.startswith("bounds: observed values lie outside") and "\n" not in said
    assert f"{outside['a']} of 'a'" in said and "'b'" in said and "'c'" in said
    holes = given.isna()
    tables = [fitted.transform(given), *fitted.sample(given, 3), *fitted.interval(given, 0.99)]
    # Of another table, lower than all that was seen, no fill leaves them either.
    other = given - 1000
    tables += [fitted.transform(other)]
    for number, found in enumerate(tables):
        source = other if number == len(tables) - 1 else given
        assert found[~holes].equals(source[~holes]) and found.notna().all(axis=None)
        for name, (least, most) in bounds.items():
            fills = found[name][holes[name]]
            assert least is None or fills.min() >= least - 1e-9
            assert most is None or fills.max() <= most + 1e-9
    free = quick(seed=seed).fit_transform(given)
    assert ((free < low) | (free > high))[holes].any(axis=None)


def test_bounds_that_are_kept_are_not_spoken_of(recwarn):
    quick(bounds=(-1e6, 1e6)).fit(wild(0))
    assert not [one for one in recwarn if "bounds" in str(one.message)]


def pulse(period, rows=ROWS):
    """A sharp peak once in a period; its hours are missing in three cycles."""
    step = np.arange(rows) % period / period
    truth = 10 * np.exp(-np.square((step - 0.5) / 0.1))[:, None]
    noise = 0.1 * np.random.default_rng(0).normal(size=truth.shape)
    hidden = np.zeros(rows, bool)
    for cycle in (2, 4, 6):
        hidden[int(cycle * period) : int((cycle + 1) * period)] = True
    return truth, np.where(hidden[:, None], np.nan, truth + noise), hidden


@pytest.mark.parametrize("period", [20, 17.5, [20, 5], (20.0,), np.int64(20)])
def test_a_season_of_so_many_rows_is_found_where_it_is_named(period):
    own = period if isinstance(period, float) else 20
    truth, given, hidden = pulse(own)
    error = []
    for asked in (None, period):
        fitted = quick(period=asked).fit(given)
        error.append(np.abs(fitted.transform(given) - truth)[hidden].mean())
        again = fitted.transform(np.roll(given, 3 * 35, axis=0)[:140])  # whole cycles on
        assert np.isfinite(again).all()
    assert error[1] < 0.4 * error[0]
    counted = fitted._engine.preparation.calendar
    wanted = period if isinstance(period, (list, tuple)) else [period]
    assert counted.given == tuple(sorted(map(float, wanted)))
    assert counted.periods == tuple(sorted(int(one) for one in wanted if one == int(one)))
    assert repr(fitted.get_params()["period"]) == repr(period)


def test_a_season_may_be_named_by_a_time(tmp_path):
    """Also of a table that begins at another phase, and after it was saved."""
    truth, given, hidden = pulse(10)
    index = pd.date_range("2024-01-01 03:00", periods=ROWS, freq="h")
    frame = pd.DataFrame(given, index, ["a"])
    fitted = quick(period="10h").fit(frame)
    assert fitted._engine.preparation.calendar.given == (10.0,)
    fitted.save(tmp_path)
    for imputer in (fitted, Imputer.load(tmp_path)):
        for rows in (slice(None), slice(16, None), slice(33, 190)):
            found = imputer.transform(frame[rows]).to_numpy()
            assert np.abs(found - truth[rows])[hidden[rows]].mean() < 0.4
    assert np.abs(quick().fit_transform(frame).to_numpy() - truth)[hidden].mean() > 1
    same = quick(period=pd.Timedelta("600min")).fit_transform(frame)
    pd.testing.assert_frame_equal(same, fitted.transform(frame))


@pytest.mark.parametrize(
    "period",
    [0, 1, -3, 1.5, ROWS, np.nan, np.inf, "x", "", "3 parsecs", True, [20, "y"], {}, [None]],
)
def test_periods_that_are_none_are_refused_in_one_line(period):
    given = wild(0)
    with pytest.raises(ValueError, match="^period: ") as caught:
        quick(period=period).fit(given)
    one = period[-1] if isinstance(period, list) else period
    assert re.search(re.escape(repr(one)), str(caught.value)) and "\n" not in str(caught.value)


def test_a_time_needs_stamps():
    with pytest.raises(ValueError, match="period: '24h' is a time, and the table has no stamps"):
        quick(period="24h").fit(wild(0).to_numpy())


@pytest.mark.parametrize("time", ["rows", "numbers", "months", "milliseconds"])
def test_phases_of_a_named_period_are_the_same_in_a_part_of_the_table(time):
    rng = np.random.default_rng(0)
    truth = 10 * np.sin(2 * np.pi * np.arange(240) / 10) + 0.1 * rng.normal(size=240)
    index = {
        "rows": None,
        "numbers": np.arange(240) * 0.25,
        "months": pd.date_range("2001-01-01", periods=240, freq="MS"),
        "milliseconds": pd.date_range("2023-04-05", periods=240, freq="ms"),
    }[time]
    given = truth.copy()
    given[50:60] = np.nan
    imputer = Imputer("interpolate", period=10).fit(given[:, None], time=index)
    for first in (0, 20) if time == "rows" else (0, 5, 13):  # rows tell no moment of their own
        part = None if index is None else index[first:]
        filled = imputer.transform(given[first:, None], time=part)[50 - first : 60 - first, 0]
        assert np.abs(filled - truth[50:60]).max() < 1
    if time == "rows":
        live = imputer.stream(rows=30)
        live.push(given[:100, None])
        pushed = [live.push(np.full((1, 1), np.nan))[0, 0] for _ in range(25)]
        assert np.abs(pushed - truth[100:125]).max() < 2


@pytest.mark.parametrize("period", [22, 49, 168, 365])
def test_every_phase_of_a_whole_period_has_a_bin_of_its_own(period):
    counted = calendar.Calendar("rows", 1.0, (), given=(float(period),))
    rows = 3 * period
    part = Panel(
        np.zeros((rows, 1)), np.array([0, rows]), np.arange(rows) + 0.0, np.zeros((rows, 0))
    )
    ((phase, bins),) = counted.phases(part)
    np.testing.assert_array_equal(phase, np.arange(rows) % period)
    assert bins == period


def test_a_period_of_any_kind_of_length_is_saved(tmp_path):
    frame = pd.DataFrame({"a": np.arange(96.0) % 24}, pd.date_range("2021", periods=96, freq="h"))
    for period in (np.timedelta64(24, "h"), pd.Timedelta("24h"), [24, "12h"]):
        Imputer("interpolate", period=period).fit(frame).save(tmp_path / "kept")
        again = Imputer.load(tmp_path / "kept").fit(frame)
        assert again._engine.preparation.calendar.given[-1] == 24


def test_series_of_one_row_beside_a_long_one():
    rng = np.random.default_rng(0)
    series = np.r_[np.arange(500), np.full(100, 500)]
    values = rng.normal(size=(600, 1))
    values[550:555] = np.nan
    assert np.isfinite(Imputer().fit_transform(values, group=series)).all()


def test_the_number_of_threads_is_put_back_by_the_last_who_leaves():
    def threads():
        found = threadpoolctl.threadpool_info()
        return {one["num_threads"] for one in found if one["user_api"] == "blas"}

    before = threads()
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert threads() == {1}
    second.__exit__(None, None, None)
    assert threads() == before
