"""What the imputer says and keeps of a table: whole numbers, empty cells, times of any year."""

import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer
from naomi_jax.tables.frames.reading import table_of

ROWS = 60


def wavy(count=ROWS):
    """A level that rises and falls, holes in it."""
    values = 40 + 20 * np.sin(np.arange(count) / 4)
    values[7::9] = np.nan
    return values


def quick(**settings):
    return Imputer("interpolate", window=48, **settings)


@pytest.fixture(scope="module")
def counts():
    """A column of counts in floats, one that only begins so, and one of halves."""
    whole = np.round(wavy())
    few = np.where(np.arange(ROWS) < 15, whole, np.nan)
    return pd.DataFrame({"count": whole, "few": few, "half": whole + 0.5})


def test_a_column_of_whole_numbers_is_filled_with_such_and_its_bounds_are_not(counts):
    fitted = quick().fit(counts)
    (drawn,), (low, high) = fitted.sample(counts), fitted.interval(counts)
    for filled in (fitted.transform(counts), drawn, quick().fit_transform(table_of(counts))):
        # A Table has values, as a frame has.
        assert np.isfinite(filled.values).all()
        by_name = dict(zip(counts, filled.values.T))
        assert (by_name["count"] == np.round(by_name["count"])).all()
        for name in ("few", "half"):
            holes = counts[name].isna()
            assert (by_name[name][holes] != np.round(by_name[name][holes])).any()
    holes = counts["count"].isna()
    assert (low["count"][holes] != np.round(low["count"][holes])).any()
    assert (high["count"] >= low["count"]).all()


def test_a_column_with_a_bound_that_is_not_whole_is_not_rounded(counts):
    """What is rounded could pass it."""
    given, holes = counts[["count"]], counts["count"].isna()
    for high, whole in ((70.5, False), (70, True), (None, True)):
        filled = quick(bounds=(0, high)).fit_transform(given)["count"][holes]
        assert (filled == np.round(filled)).all() == whole


def test_that_it_is_whole_was_learned_and_a_value_can_say_otherwise(counts, tmp_path):
    fitted = quick().fit(counts)
    fitted.save(tmp_path)
    one = counts[6:9].copy()
    other = one.copy()
    other.loc[6, "count"] = 41.25
    for imputer in (fitted, Imputer.load(tmp_path)):
        assert float(imputer.transform(one)["count"].iloc[1]).is_integer()
        assert not float(imputer.transform(other)["count"].iloc[1]).is_integer()


def test_decimals_and_numbers_with_nat_among_them_are_filled(counts):
    prices = [None if v != v else decimal.Decimal(f"{v:.2f}") for v in wavy()]
    given = pd.DataFrame(
        {"price": prices, "odd": np.where(np.isnan(wavy()), pd.NaT, wavy())}, dtype=object
    )
    filled = quick().fit_transform(given)
    assert [str(dtype) for dtype in filled.dtypes] == ["object"] * 2
    assert all(isinstance(v, decimal.Decimal) and v.as_tuple().exponent == -2 for v in filled.price)
    assert not filled.isna().any().any()
    known = [value is not None for value in prices]
    assert filled.price[known].tolist() == given.price[known].tolist()


def test_cells_that_stay_empty_are_counted_once():
    given = pd.DataFrame(
        {
            "v": wavy(),
            "on": [True, None, False] * (ROWS // 3),
            "maybe": pd.array([True, False, None] * (ROWS // 3), "boolean"),
            "text": ["x", "y", None] * (ROWS // 3),
            "kind": pd.Categorical(["x", None, "y"] * (ROWS // 3)),
        }
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        filled = quick().fit_transform(given)
    assert [str(one.message) for one in caught] == [
        "columns 'on', 'maybe' hold true/false; their 40 holes stay empty",
        "columns 'text', 'kind' hold no numbers; their 40 holes stay empty",
    ]
    assert caught[0].filename.endswith(("test_tables.py", "imputer.py"))
    pd.testing.assert_frame_equal(filled.drop(columns="v"), given.drop(columns="v"))


def test_stamps_over_more_than_292_years_are_steps_of_equal_length():
    """A line over the years comes back as a line: differences of nanoseconds would wrap."""
    for first in (1700, 9000):
        index = pd.Index([datetime.date(year, 1, 1) for year in range(first, first + 309)])
        truth = 2.0 * np.arange(309) + 5.5
        given = truth.copy()
        given[[5, 6, 100, 101, 102, 288, 289, 290]] = np.nan
        filled = quick().fit_transform(pd.DataFrame({"a": given}, index))
        np.testing.assert_allclose(filled["a"], truth, atol=0.01)


def test_a_series_and_its_time_in_one_index():
    index = pd.MultiIndex.from_product(
        [["low", "high"], pd.date_range("2024", periods=ROWS, freq="h")], names=["id", "time"]
    )
    given = pd.DataFrame({"v": np.concatenate([wavy(), 1000 + wavy()])}, index)
    filled = quick().fit_transform(given)
    plain = given.reset_index()
    named = quick().fit_transform(plain, time="time", group="id")
    np.testing.assert_array_equal(filled["v"], named["v"])
    assert filled.index.equals(given.index) and filled["v"][:ROWS].max() < 100


def test_what_looks_like_time_is_said_once():
    given = pd.DataFrame({"v": wavy(), "when": pd.date_range("2024", periods=ROWS)})
    with pytest.warns(UserWarning, match="column 'when' holds times") as caught:
        quick().fit_transform(given)
    assert len(caught) == 1


WRONG = {
    "flag": (lambda x: quick().fit(x).transform(x, flag=np.array([1, 2])), "flag: ndarray"),
    "method": (lambda x: Imputer(np.array(["auto", "x"])).fit(x), "method: .*one of auto"),
    "time": (lambda x: quick().fit(x, time={1}), "time: set; one for each of 60"),
    "large": (lambda x: quick().fit(x * 1e200), "a value too large to work with in row 0"),
}


@pytest.mark.parametrize("call,message", WRONG.values(), ids=WRONG)
def test_what_is_refused_is_one_line(call, message):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        call(pd.DataFrame({"v": wavy()}))
    assert "\n" not in str(caught.value)


def test_covariates_are_values_unless_they_can_only_be_names():
    given = pd.DataFrame(np.arange(90.0).reshape(30, 3))
    named = given.rename(columns={0: "a", 1: "b", 2: "c"})
    for frame, covariates, used in (
        (given, [0, 1] * 15, None),
        (given, pd.DataFrame({"b": np.arange(30.0)}), None),
        (named, pd.DataFrame({"b": np.arange(30.0)}), None),
        (named, pd.Series(np.arange(30.0), name="b"), None),
        (named, ["b"], ["b"]),
        (named, np.array(["b", "c"]), ["b", "c"]),
        (given, [1], [1]),
        (given, 2, [2]),
        (given, [], None),
    ):
        table = table_of(frame, covariates=covariates)
        assert table.layout["covariates"] == used
        assert table.values.shape[1] == 3 - len(used or ())
        count = len(used) if used else 0 if isinstance(covariates, list) and not covariates else 1
        assert table.covariates.shape == (30, count)
    live = quick().fit(given, covariates=[2]).stream(10)
    assert live.push(given[:1]).shape == (1, 3)  # one row, and one name that is a number
