"""Tables of polars, xarray and pyarrow come back as what they were; only their holes change."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from naomi_jax.tables.frames.reading import table_of

DAYS = [datetime.datetime(2024, 1, day) for day in (1, 2, 3, 5)]
VALUES = np.array([1.5, np.nan, 2.5, 3.0])
WIDE = np.stack([VALUES, VALUES[::-1]], axis=1)


def filled(data, fill=7.25, **arguments):
    table = table_of(data, **arguments)
    return table.filled(np.full(table.values.shape, fill), np.isnan(table.values))


def columns():
    """Of many types, holes in each."""
    return {
        "a": [1.5, None, 2.5, 3.0],
        "k": [1, None, 3, 2**60 + 1],
        "price": [decimal.Decimal("1.50"), None, decimal.Decimal("2.25"), None],
        "on": [True, None, False, True],
        "text": ["x", None, "y", "z"],
        "when": DAYS,
    }


RIGHT = {
    "a": [1.5, 7.25, 2.5, 3.0],
    "k": [1, 7, 3, 2**60 + 1],
    "price": [decimal.Decimal(text) for text in ("1.50", "7.25", "2.25", "7.25")],
}
EMPTY = (
    "column 'on' holds true/false; its 1 hole stays empty",
    "column 'text' holds no numbers; its 1 hole stays empty",
)


def test_a_frame_of_polars():
    polars = pytest.importorskip("polars")
    given = polars.DataFrame(columns()).with_columns(
        short=polars.Series([1, None, 3, 4], dtype=polars.UInt8),
        single=polars.Series([0.1, None, float("nan"), 4], dtype=polars.Float32),
        zoned=polars.Series(DAYS).dt.replace_time_zone("Europe/Berlin"),
    )
    table = table_of(given, time="when")
    assert table.names == ("a", "k", "price", "short", "single") and table.empty == EMPTY
    assert table.time is not None and table.time.dtype == "datetime64[ns]"
    assert table.layout["time"] == "when" and table.notes == ()
    back = filled(given, time="when")
    assert back.schema == given.schema
    right = given.with_columns(
        *(polars.Series(name, cells, dtype=given[name].dtype) for name, cells in RIGHT.items()),
        short=polars.Series([1, 7, 3, 4], dtype=polars.UInt8),
        single=polars.Series([0.1, 7.25, 7.25, 4], dtype=polars.Float32),
    )
    assert back.equals(right)
    assert filled(given, 1e60, time="when")["short"][1] == 255
    assert np.isfinite(filled(given, 1e60, time="when")["single"].to_numpy()).all()
    named = table_of(given, time="zoned").time
    assert named is not None and named[0] == np.datetime64("2023-12-31T23:00")
    flags = table_of(given[["a", "on"]]).flags(np.isnan(VALUES)[:, None])
    assert flags.to_dict(as_series=False) == {"a": [False, True, False, False]}
    alone = filled(given["k"])
    assert alone.to_list() == RIGHT["k"] and alone.name == "k" and alone.dtype == polars.Int64
    with pytest.raises(TypeError, match=r"a LazyFrame of polars; hand over .collect\(\)"):
        table_of(given.lazy())
    with pytest.raises(ValueError, match="column 'text' holds something else than numbers"):
        table_of(given, names=("text",))


def test_a_table_of_pyarrow():
    arrow = pytest.importorskip("pyarrow")
    given = arrow.table(columns()).replace_schema_metadata({"made": "up"})
    given = given.append_column("half", arrow.array([1, None, 2, 3], arrow.float16()))
    table = table_of(given, time="when")
    assert table.names == ("a", "k", "price", "half") and table.empty == EMPTY
    back = filled(given, time="when")
    assert back.schema.equals(given.schema, check_metadata=True)
    right = {**columns(), **RIGHT, "half": [1, 7.25, 2, 3]}
    assert back.to_pydict() == right
    assert filled(given, 1e60)["half"][1].as_py() == 65504
    assert table.flags(np.isnan(table.values)).to_pydict()["k"] == [False, True, False, False]


def test_arrays_of_xarray_keep_coordinates_attributes_and_the_order_of_dimensions():
    xarray = pytest.importorskip("xarray")
    coords = {"time": DAYS, "site": ["p", "q"], "height": ("site", [2.0, 10.0])}
    given = xarray.DataArray(
        WIDE.T.astype("float32"), coords, ("site", "time"), name="level", attrs={"unit": "m"}
    )
    table = table_of(given)
    assert table.names == ("p", "q") and table.values.shape == (4, 2)
    assert table.time is not None and table.time[0] == np.datetime64("2024-01-01")
    back = filled(given)
    right = given.fillna(7.25)
    assert back.identical(right) and back.dtype == "float32"
    flags = table.flags(np.isnan(table.values))
    np.testing.assert_array_equal(flags, given.isnull())
    line = xarray.DataArray(VALUES, {"time": DAYS}, ("time",), name="level")
    assert table_of(line).names == ("level",) and filled(line).identical(line.fillna(7.25))
    bare = xarray.DataArray(WIDE, dims=("row", "column"))
    assert table_of(bare).names == (0, 1) and filled(bare).identical(bare.fillna(7.25))
    assert table_of(bare, time=np.arange(4.0)).time.tolist() == [0, 1, 2, 3]
    cube = xarray.DataArray(np.zeros((4, 2, 2)), {"time": DAYS}, ("time", "x", "y"))
    with pytest.raises(ValueError, match=r"of 3 dimensions \('time', 'x', 'y'\); hand over one"):
        table_of(cube)
    with pytest.raises(ValueError, match="of which none are time; say which: time=DIMENSION"):
        table_of(cube.drop_vars("time").rename(time="u"))


def test_sets_of_xarray_fill_their_variables_over_time():
    xarray = pytest.importorskip("xarray")
    given = xarray.Dataset(
        {
            "a": ("time", VALUES, {"unit": "m"}),
            "b": ("time", VALUES.astype("float32")),
            "n": ("time", np.arange(4)),
            "one": 5.0,
            "text": ("time", list("wxyz")),
        },
        {"time": DAYS},
        {"made": "up"},
    )
    table = table_of(given)
    assert table.names == ("a", "b", "n") and table.whole.tolist() == [False, False, True]
    assert filled(given).identical(given.fillna({"a": 7.25, "b": np.float32(7.25)}))
    flags = table.flags(np.isnan(table.values))
    assert list(flags.data_vars) == ["a", "b", "n"] and int(flags["a"].sum()) == 1
    assert table_of(given, covariates=["n"]).covariates[:, 0].tolist() == [0, 1, 2, 3]


def test_a_table_is_taken_as_it_is_or_with_columns_chosen():
    given = table_of(pd.DataFrame({"a": VALUES, "b": VALUES[::-1], "c": np.arange(4)}))
    assert table_of(given) is given and table_of(given, names=("a", "b", "c")) is given
    some = table_of(given, names=("b",), covariates=("c",))
    assert some.names == ("b",) and some.covariates[:, 0].tolist() == [0, 1, 2, 3]
    assert some.layout["covariates"] == ["c"] and some.shape == (4, 1)
    for message, arguments in (
        ("time, group: a Table has its own", {"time": np.arange(4)}),
        ("data: no column 'd'", {"names": ("d",)}),
        ("covariates: 'a' has no value in row 2", {"names": ("b",), "covariates": ["a"]}),
    ):
        with pytest.raises(ValueError, match=message):
            table_of(given, **arguments)
