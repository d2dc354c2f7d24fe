"""Stream: rows that arrive one after the other, against `transform` of all that is kept."""

import gc
import pickle
import weakref

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer

ROWS = 40


def table(count=300, seed=0):
    rng = np.random.default_rng(seed)
    step = np.arange(count)[:, None]
    values = 10 * np.sin(step / np.array([5.0, 7.0, 9.0])) + rng.normal(size=(count, 3))
    values[rng.random(values.shape) < 0.2] = np.nan
    index = pd.date_range("2024-01-01", periods=count, freq="h")
    return pd.DataFrame(values, index, ["a", "b", "c"])


@pytest.fixture(scope="module")
def known():
    return table()


@pytest.fixture(scope="module")
def imputer(known):
    return Imputer(method="interpolate", window=24).fit(known)


def test_each_row_is_the_last_of_what_transform_gives_for_the_kept_rows(known, imputer):
    live = imputer.stream(ROWS)
    for end in range(1, 100):
        filled = live.push(known[end - 1 : end])
        wanted = imputer.transform(known[max(end - 1 - ROWS, 0) : end])[-1:]
        pd.testing.assert_frame_equal(filled, wanted, rtol=1e-9)


def test_observed_entries_come_back_bit_for_bit_and_nothing_is_missing(known, imputer):
    live = imputer.stream(ROWS)
    filled = pd.concat([live.push(known[i : i + 3]) for i in range(0, 60, 3)])
    assert not filled.isna().any().any()
    observed = known[:60].notna().to_numpy()
    np.testing.assert_array_equal(
        filled.to_numpy()[observed], known[:60].to_numpy()[observed], strict=True
    )


def test_rows_that_come_later_do_not_matter(known, imputer):
    def filled(rest):
        live = imputer.stream(ROWS)
        live.push(known[:50])
        row = live.push(known[50:51])
        live.push(rest)
        return row

    pd.testing.assert_frame_equal(filled(known[51:60]), filled(-5 * known[51:60]))


def test_the_order_within_a_push_does_not_matter(known, imputer):
    forth, back = imputer.stream(ROWS), imputer.stream(ROWS)
    for first in range(0, 60, 6):
        rows = known[first : first + 6]
        pd.testing.assert_frame_equal(forth.push(rows), back.push(rows[::-1])[::-1])


def test_each_series_goes_on_from_its_own_rows(known):
    other = table(seed=1)
    both = pd.concat([known.assign(place="north"), other.assign(place="south")])
    imputer = Imputer(method="interpolate", window=24).fit(both, group="place")
    live, north, south = imputer.stream(ROWS), imputer.stream(ROWS), imputer.stream(ROWS)
    for i in range(60):
        rows = pd.concat(
            [other[i : i + 1].assign(place="south"), known[i : i + 1].assign(place="north")]
        )
        filled = live.push(rows)
        pd.testing.assert_frame_equal(filled[1:], north.push(rows[1:]))
        pd.testing.assert_frame_equal(filled[:1], south.push(rows[:1]))


def test_arrays_and_covariates(known):
    values = known.to_numpy()
    known_before = np.sin(np.arange(300) / 5)[:, None]
    imputer = Imputer(method="interpolate", window=24).fit(values, covariates=known_before)
    live = imputer.stream(ROWS)
    for end in range(1, 60):
        filled = live.push(values[end - 1 : end], covariates=known_before[end - 1 : end])
        begin = max(end - 1 - ROWS, 0)
        wanted = imputer.transform(values[begin:end], covariates=known_before[begin:end])
        np.testing.assert_allclose(filled, wanted[-1:], rtol=1e-9)


def test_the_default_keeps_three_of_the_longest_cycle(known, imputer):
    assert imputer._engine.preparation.calendar.periods == (24,)
    kept = []
    for rows in (None, 72, 71):
        live = imputer.stream(rows)
        live.push(known[:200])
        kept.append(len(live._kept[0].values))
    assert kept == [72, 72, 71]


@pytest.mark.parametrize("rows", [0, -1, 2.5, True, "3"])
def test_a_number_of_rows_that_is_none_is_refused(imputer, rows):
    with pytest.raises(ValueError, match="rows: .* at least 1"):
        imputer.stream(rows)


def test_an_imputer_must_be_fitted_first():
    with pytest.raises(ValueError, match="not fitted yet"):
        Imputer().stream()


def test_rows_out_of_order_are_refused_and_not_kept(known, imputer):
    live, wanted = imputer.stream(ROWS), imputer.stream(ROWS)
    for stream in (live, wanted):
        stream.push(known[:50])
    for late in (known[49:50], known[20:60]):
        with pytest.raises(ValueError, match="time: .* rows must come in the order of time"):
            live.push(late)
    with pytest.raises(ValueError, match="stands in row 0 and in row 1"):
        live.push(pd.concat([known[50:51], known[50:51]]))
    with pytest.raises(ValueError, match="no column 'c'"):
        live.push(known[50:51].drop(columns="c"))
    pd.testing.assert_frame_equal(live.push(known[50:51]), wanted.push(known[50:51]))


def test_stamps_for_some_rows_only_are_refused():
    values = table().to_numpy()
    live = Imputer(method="interpolate", window=24).fit(values).stream(ROWS)
    live.push(values[:50])
    with pytest.raises(ValueError, match="time: given for some of the rows"):
        live.push(values[50:52], time=[50.0, 51.0])


def test_another_fit_does_not_change_a_stream(known):
    imputer = Imputer(method="interpolate", window=24).fit(known)
    live, wanted = imputer.stream(ROWS), imputer.stream(ROWS)
    expected = pd.concat([wanted.push(known[:50]), wanted.push(known[50:51])])
    first = live.push(known[:50])
    imputer.fit(1000 + known[["c", "a"]])
    pd.testing.assert_frame_equal(pd.concat([first, live.push(known[50:51])]), expected)


def test_a_stream_can_be_pickled_and_forgets_what_was_pushed(known, imputer):
    live = imputer.stream(ROWS)
    history = known[:200].copy()
    live.push(history)
    whole = weakref.ref(history)
    del history
    gc.collect()
    assert whole() is None
    kept = live._kept[0]
    assert all(part.base is None and len(part) == ROWS for part in (kept.values, kept.covariates))
    again = pickle.loads(pickle.dumps(live))
    pd.testing.assert_frame_equal(again.push(known[200:203]), live.push(known[200:203]))
