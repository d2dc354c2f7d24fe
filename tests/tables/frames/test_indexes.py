"""The index of a DataFrame: times in any form, series beside them, and nothing passed over."""

import datetime

import numpy as np
import pandas as pd
import pytest

from naomi_jax.tables.frames.reading import table_of

DAYS = pd.date_range("2024-01-01", periods=4)


def read(index, **arguments):
    return table_of(pd.DataFrame({"a": [1.5, np.nan, 2.5, 3.0]}, index), **arguments)


TIMES = {
    "stamps": DAYS,
    "dates": pd.Index([day.date() for day in DAYS]),
    "dates and stamps": pd.Index([DAYS[0].date(), *DAYS[1:].to_pydatetime()], dtype=object),
    "text": pd.Index([str(day) for day in DAYS]),
    "periods": DAYS.to_period("D"),
    "zone": DAYS.tz_localize("UTC").tz_convert("Asia/Tokyo"),
    "objects with zones": pd.Index(
        list(DAYS.tz_localize("UTC").tz_convert("Asia/Tokyo")), dtype=object
    ),
}


@pytest.mark.parametrize("index", TIMES.values(), ids=TIMES)
def test_an_index_of_times_in_any_form_is_the_time(index):
    table = read(index)
    assert table.time is not None and table.time.dtype == "datetime64[ns]"
    np.testing.assert_array_equal(table.time, DAYS.to_numpy())
    assert table.notes == ()


def test_elapsed_times_count_from_their_start_and_numbers_that_are_called_times():
    for index in (
        pd.to_timedelta([0, 1, 2, 26], "h"),
        [datetime.timedelta(hours=h) for h in (0, 1, 2, 26)],
    ):
        time = read(pd.Index(index)).time
        assert time is not None
        assert ((time - time[0]) / np.timedelta64(1, "h")).tolist() == [0, 1, 2, 26]
    assert read(pd.Index([0.0, 0.5, 2, 3], name="time [s]")).time.tolist() == [0, 0.5, 2, 3]
    assert read(pd.Index([0.0, 0.5, 2, 3])).time is None


def test_dates_of_any_year():
    for years in ((1, 2, 3, 9999), (1700, 1800, 1900, 2008)):
        dates = [datetime.date(year, 1, 1) for year in years]
        for index in (pd.Index(dates), pd.Index([str(date) for date in dates])):
            time = read(index).time
            assert time is not None and time.astype("M8[D]").tolist() == dates
            assert (time[-1] - time[0]).astype("m8[D]").astype(int) == (dates[-1] - dates[0]).days


@pytest.mark.parametrize(
    "index",
    [
        ["1.1.2024", "2.1.2024", "3.1.2024", "4.1.2024"],
        ["2024-01-01", "2024-01-02", "soon", "2024-01-04"],
        pd.Index([datetime.date(2024, 1, 1), "x", "y", "z"], dtype=object),
        pd.Index(list("wxyz"), name="timestamp"),
    ],
)
def test_what_looks_like_time_and_is_not_read_is_said(index):
    table = read(pd.Index(index))
    assert table.time is None
    (note,) = table.notes
    assert note.startswith("the index looks like times, but ") and "pandas.to_datetime" in note
    assert read(pd.Index(index), time=[1, 2, 3, 4]).notes == ()


def test_columns_of_times_that_are_not_read_are_said():
    plain = read(pd.RangeIndex(4)).source.columns._frame
    for name, cells in (
        ("when", DAYS),
        ("when", [day.date() for day in DAYS]),
        ("time", [str(day) for day in DAYS]),
    ):
        frame = plain.assign(**{name: cells})
        (note,) = table_of(frame).notes
        assert f"column '{name}' holds times" in note and f"say time='{name}'" in note
        assert table_of(frame, time=name).notes == () == table_of(frame.set_index(DAYS)).notes
    assert table_of(plain.assign(text=list("wxyz"))).notes == ()


LEVELS = {
    "series and time": ([["x", "x", "y", "y"], DAYS[[0, 1, 0, 1]]], ("x", "y")),
    "time and series": ([DAYS[[0, 1, 0, 1]], ["x", "x", "y", "y"]], ("x", "y")),
    "dates": ([["x", "x", "y", "y"], [d.date() for d in DAYS[[0, 1, 0, 1]]]], ("x", "y")),
    "text": ([["x", "x", "y", "y"], [str(d) for d in DAYS[[0, 1, 0, 1]]]], ("x", "y")),
    "three": ([list("uuvv"), list("xxyy"), DAYS[[0, 1, 0, 1]]], (("u", "x"), ("v", "y"))),
}


@pytest.mark.parametrize("levels,labels", LEVELS.values(), ids=LEVELS)
def test_levels_are_series_and_time(levels, labels):
    table = read(pd.MultiIndex.from_arrays(levels))
    assert table.time is not None
    np.testing.assert_array_equal(table.time, DAYS[[0, 1, 0, 1]].to_numpy())
    assert table.labels == labels and table.series.tolist() == [0, 0, 1, 1]
    assert table.layout["time"] is None is table.layout["group"]


def test_levels_go_by_name_or_are_refused():
    named = pd.MultiIndex.from_arrays([list("xxyy"), [1, 2, 1, 2]], names=["who", "time of day"])
    assert read(named).time.tolist() == [1, 2, 1, 2]  # by its name
    index = named.rename(["who", "step"])
    told = read(index, time="step", group="who")
    assert told.time.tolist() == [1, 2, 1, 2] and told.labels == ("x", "y")
    twice = pd.MultiIndex.from_arrays([DAYS, DAYS])
    for wrong, words in ((index, "none are time"), (twice, "2 are time")):
        with pytest.raises(ValueError, match=rf"{words}; hand over frame.reset_index\(\)"):
            read(wrong)
