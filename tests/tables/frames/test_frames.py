"""What people hand over, and that it comes back as it was but for its holes."""

import copy
from decimal import Decimal

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from naomi_jax.tables.casting import cast
from naomi_jax.tables.frames.reading import table_of

ROWS = 12
HOLES = [(2, 0), (5, 1), (6, 1)]


def filled(data, fill=7.25, **arguments):
    """Every hole gets `fill`; what was handed over must stay as it was."""
    before = copy.copy(data) if str(getattr(data, "dtype", "")) == "object" else copy.deepcopy(data)
    rows = table_of(data, **arguments)
    which = np.isnan(rows.values)
    back = rows.filled(np.full(rows.values.shape, fill), which, whole=False)
    assert_same(data, before)
    assert not isinstance(data, np.ndarray) or not np.shares_memory(data, back)
    return back, which


def assert_same(data, other):
    if isinstance(data, pd.DataFrame):
        pd.testing.assert_frame_equal(data, other, check_exact=True)
    elif isinstance(data, pd.Series):
        pd.testing.assert_series_equal(data, other, check_exact=True)
    elif isinstance(data, np.ma.MaskedArray):
        np.testing.assert_array_equal(data.mask, other.mask)
        np.testing.assert_array_equal(data.data, other.data)
    elif isinstance(data, np.ndarray):
        assert data.dtype == other.dtype and data.dtype.byteorder == other.dtype.byteorder
        if data.dtype == object:
            assert all(a is b for a, b in zip(data.flat, other.flat, strict=True))
        else:
            np.testing.assert_array_equal(data, other)
    else:
        assert type(data) is type(other) and len(data) == len(other)
        for one, two in zip(data, other):
            if isinstance(one, np.ndarray):
                assert_same(one, two)


def table(seed=0):
    values = np.random.default_rng(seed).normal(size=(ROWS, 2))
    for place in HOLES:
        values[place] = np.nan
    return values


def frame(**columns):
    return pd.DataFrame({"a": table()[:, 0], "b": table()[:, 1], **columns})


# DataFrames.


INDEXES = {
    "range": pd.RangeIndex(5, 5 + ROWS, name="row"),
    "stamps": pd.date_range("2024-03-30", periods=ROWS, freq="h"),
    "zone": pd.date_range("2024-03-30", periods=ROWS, freq="6h", tz="Europe/Berlin", name="t"),
    "periods": pd.period_range("2024-01", periods=ROWS, freq="M"),
    "text": pd.Index(list("abcdefghijkl")),
    "several": pd.MultiIndex.from_product([["x", "y"], range(6)], names=["who", "hour of time"]),
    "twice": pd.Index([0] * ROWS),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_a_frame_comes_back_with_its_index_and_all_that_it_has(index):
    given = frame(
        text=list("abcdefghijkl"),
        kind=pd.Categorical(["u", "v"] * 6),
        switch=[True, False] * 6,
        perhaps=pd.array([True, None] * 6, dtype="boolean"),
        when=pd.date_range("2020", periods=ROWS),
        nothing=[None] * ROWS,
        whole=np.arange(ROWS, dtype=np.int16),
        large=np.arange(ROWS) + 2**62 + 1,
    ).set_index(index)
    given.columns.name = "sensors"
    given.attrs["source"] = "made up"
    back, which = filled(given)
    right = given.copy()
    for number in range(2):
        right.iloc[np.flatnonzero(which[:, number]), number] = 7.25
    pd.testing.assert_frame_equal(back, right, check_exact=True)
    assert back.index.identical(given.index)
    assert back.columns.identical(given.columns) and back.attrs == given.attrs
    assert (back.dtypes == given.dtypes).all()
    assert which.sum() == 3 and back["a"].iloc[2] == 7.25
    kept = [~which[:, number] for number in range(2)]
    for number, name in enumerate("ab"):
        ours, theirs = (f[name].to_numpy()[kept[number]] for f in (back, given))
        assert ours.tobytes() == theirs.tobytes()
    assert not back[["a", "b"]].isna().any().any()


DTYPES = {
    "Int8": ([1, None, 100], 300.0, 127),
    "UInt16": ([1, None, 100], -3.0, 0),
    "Int64": ([2**62 + 1, None, -5], 2.6, 3),
    "UInt64": ([2**63 + 5, None, 0], 1e30, 2**64 - 1),
    "Float32": ([0.1, None, 2.0], 0.1, np.float32(0.1)),
    "Float64": ([0.1, None, 2.0], 0.1, 0.1),
    "float16": ([0.1, np.nan, 2.0], 1e6, np.finfo(np.float16).max),
    "float32": ([0.1, np.nan, 2.0], 0.1, np.float32(0.1)),
    "float64": ([0.1, np.nan, 2.0], 0.1, 0.1),
    "double[pyarrow]": ([0.1, None, 2.0], 0.1, 0.1),
    "int64[pyarrow]": ([2**62 + 1, None, 2], 1e30, 2**63 - 1),
    "float[pyarrow]": ([0.5, None, 2.0], 1e60, np.finfo(np.float32).max),
    "halffloat[pyarrow]": ([0.5, None, 2.0], 1e60, np.finfo(np.float16).max),
    "decimal128(3, 2)[pyarrow]": ([Decimal("1.50"), None, Decimal(2)], 77.7, Decimal("9.99")),
    "object": ([Decimal("1.5"), None, Decimal("2.25")], 1 / 3, Decimal("0.33")),
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_column_keeps_its_dtype_and_what_was_observed(dtype):
    values, fill, right = DTYPES[dtype]
    if dtype.startswith("decimal"):
        pyarrow = pytest.importorskip("pyarrow")
        dtype = pd.ArrowDtype(pyarrow.decimal128(3, 2))
    given = pd.DataFrame({"a": pd.Series(values, dtype=dtype)})
    back, which = filled(given, fill)
    assert which[:, 0].tolist() == [False, True, False]
    assert back["a"].dtype == given["a"].dtype
    assert back["a"].iloc[0] == given["a"].iloc[0] and back["a"].iloc[2] == given["a"].iloc[2]
    assert back["a"].iloc[1] == right
    pd.testing.assert_series_equal(filled(given["a"], fill)[0], back["a"])


def test_objects_that_are_numbers_stay_objects():
    given = pd.DataFrame({"a": [1.5, None, 2], "b": [1, None, 3]}, dtype=object)
    back, which = filled(given, 2.6)
    assert which.sum() == 2 and [str(dtype) for dtype in back.dtypes] == ["object"] * 2
    assert back["a"].tolist() == [1.5, 2.6, 2] and back["b"].tolist() == [1, 3, 3]
    assert [type(value) for value in back["b"]] == [int] * 3


def test_a_series_comes_back_as_one():
    for name in ("level", None, 3):
        given = pd.Series([1.0, np.nan, 2.0], index=list("xyz"), name=name)
        back, which = filled(given)
        pd.testing.assert_series_equal(back, given.fillna(7.25))
        flags = table_of(given).flags(which)
        pd.testing.assert_series_equal(flags, given.isna())


def test_flags_have_the_index_and_the_columns():
    given = frame(text=["a"] * ROWS).set_index(INDEXES["zone"])
    rows = table_of(given)
    flags = rows.flags(np.isnan(rows.values))
    pd.testing.assert_frame_equal(flags, given[["a", "b"]].isna())


def test_columns_of_several_levels():
    given = frame()
    given.columns = pd.MultiIndex.from_tuples([("in", "x"), ("out", "x")])
    back, which = filled(given)
    assert back.columns.identical(given.columns) and not back.isna().any().any()
    flags = table_of(given).flags(which)
    assert flags.columns.identical(given.columns)
    given[("when", "")] = np.arange(ROWS)
    timed = table_of(given, time=("when", ""))
    assert timed.names == (("in", "x"), ("out", "x")) and timed.layout["time"] == ("when", "")


def test_time_and_group_and_covariates_are_columns_that_stay():
    given = frame(
        when=pd.date_range("2024", periods=ROWS, tz="Asia/Tokyo"),
        who=["x", "y", "x"] * 4,
        warm=pd.array(range(ROWS), dtype="Int64"),
        on=[True, False] * 6,
    )
    rows = table_of(given, time="when", group="who", covariates=["warm", "on"])
    assert rows.names == ("a", "b")
    assert rows.layout == {"time": "when", "group": "who", "covariates": ["warm", "on"]}
    assert rows.series.tolist() == [0, 1, 0] * 4
    assert rows.covariates[:, 0].tolist() == list(range(ROWS))
    assert rows.covariates[:, 1].tolist() == [1, 0] * 6
    assert rows.time is not None and rows.time.dtype == "datetime64[ns]"
    assert rows.time[0] == np.datetime64("2023-12-31T15:00")
    back, _ = filled(given, time="when", group="who", covariates=["warm", "on"])
    pd.testing.assert_frame_equal(back.drop(columns=["a", "b"]), given.drop(columns=["a", "b"]))


def test_columns_with_numbers_as_names_can_be_named():
    given = pd.DataFrame({0: np.arange(3.0), 1: [1.0, np.nan, 3], 2: [5.0, 5, 6]})
    rows = table_of(given, time=0, group=2)
    assert rows.names == (1,)
    assert rows.layout == {"time": 0, "group": 2, "covariates": None}


def test_columns_go_by_name():
    given = frame(c=1.0)[["c", "b", "a"]]
    rows = table_of(given, names=("a", "b"))
    assert rows.names == ("a", "b")
    np.testing.assert_array_equal(rows.values, table())
    with pytest.raises(ValueError, match=r"data: no column 'a', .*columns go by name"):
        table_of(given.drop(columns="a"), names=("a", "b"))


TIMES = {
    "list of stamps": list(pd.date_range("2024", periods=3)),
    "text": ["2024-01-01", "2024-01-02T00:00", "2024-01-03 00:00:00"],
    "text with zones": [
        "2024-01-01T00:00+00:00",
        "2024-01-02T01:00+01:00",
        "2024-01-03T02:00+02:00",
    ],
    "periods": pd.period_range("2024", periods=3, freq="D"),
    "days": np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "datetime64[D]"),
    "zone": pd.date_range("2024", periods=3).tz_localize("UTC").tz_convert("Asia/Tokyo"),
    "series": pd.Series(pd.date_range("2024", periods=3), index=[7, 7, 8]),
}


@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
def test_stamps_in_any_form_are_nanoseconds_in_utc(time):
    right = pd.date_range("2024", periods=3).to_numpy().astype("datetime64[ns]")
    rows = table_of(np.zeros((3, 1)), time=time)
    assert rows.time is not None and rows.time.dtype == right.dtype
    np.testing.assert_array_equal(rows.time, right)


@pytest.mark.parametrize(
    "time",
    [[0, 1, 2.5], np.array([0, 1, 2.5]), pd.array([0, 1, 2.5], "Float64"), (0, 1, 2.5)],
)
def test_numbers_as_times(time):
    rows = table_of(np.zeros((3, 1)), time=time)
    assert rows.time is not None and rows.time.tolist() == [0, 1, 2.5]


def refused(message, data, kind=ValueError, **arguments):
    with pytest.raises(kind, match=message) as caught:
        table_of(data, **arguments)
    assert "\n" not in str(caught.value)


def test_frames_that_are_refused():
    twice = frame()
    twice.columns = ["a", "a"]
    refused("data: two columns are named 'a'", twice)
    refused("data: no rows", frame().iloc[:0])
    refused("data: no column of numbers", pd.DataFrame({"a": list("xyz")}))
    refused("data: infinity in row 3, column 'b'", frame().assign(b=[0] * 3 + [np.inf] * 9))
    refused("data: column 'a' is sparse", frame().astype({"a": "Sparse[float64]"}))
    numbers = {"names": ("a", "b")}
    refused(
        r"data: column 'b' holds something else than numbers \(datetime64",
        frame().assign(b=pd.date_range("2024", periods=ROWS)),
        **numbers,
    )
    refused("column 'b' holds something else", frame().assign(b=["1.5"] * ROWS), **numbers)
    refused("column 'b' holds something else", frame().assign(b=True), **numbers)
    refused(
        "column 'b' holds something else",
        frame().assign(b=pd.Categorical([1, 2] * 6)),
        **numbers,
    )


def test_times_that_are_refused():
    given = np.zeros((3, 1))
    refused("time: row 1 has none", given, time=[pd.Timestamp("2024"), pd.NaT, pd.NaT])
    refused("time: row 2 has none", given, time=[0, 1, np.nan])
    index = pd.DatetimeIndex(["2024", None, "2025"])
    refused("time: row 1 has none", pd.DataFrame({"a": [1.0, 2, 3]}, index=index))
    refused("time: row 0 has none", given, time=[None, 1, 2])
    refused(r"time: shape \(2,\); one for each of 3 rows", given, time=[0, 1])
    refused(r"time: .*pandas.to_datetime", given, time=["31.12.2020", "1.1.2021", "2.1.2021"])
    mixed = [pd.Timestamp("2024", tz="UTC"), pd.Timestamp("2025"), pd.Timestamp("2026")]
    refused("time: some have a zone", given, time=mixed)
    refused("time: True and False", given, time=[True, False, True])
    refused("time: int; one for each", given, TypeError, time=5)
    refused("arrays have no named columns", given, time="when")
    refused("time: no column 'when'; the columns are 'a', 'b'", frame(), time="when")
    refused("time: no column 5", frame(), time=5)
    refused("time: set; one for each", given, TypeError, time={1, 2, 3})
    far = np.array(["-001-01-01", "0001-01-02", "0001-01-03"], "datetime64[s]")
    refused("time: a date lies outside the years 1 to 9999", given, time=far)


def test_groups_and_covariates_that_are_refused():
    given = np.zeros((3, 1))
    refused("group: row 1 has no label", given, group=["x", None, "y"])
    refused("group: row 2 has no label", given, group=[0.0, 1.0, np.nan])
    refused("group: row 0 has no label", given, group=pd.array([pd.NA, 1, 2], "Int64"))
    refused(r"group: shape \(2,\)", given, group=[1, 2])
    refused("group: each array is a series", [given, given], group=[0] * 6)
    refused("group: no column 'who'", frame(), group="who")
    refused("covariates: no column 'c'", frame(), covariates=["a", "c"])
    refused("covariates: no column 'c'", frame(), covariates="c")
    refused("covariates: 2 rows", given, covariates=np.zeros((2, 1)))
    refused("covariates: row 1 has a value", given, covariates=[0, np.nan, 1])
    refused("covariates: not numbers", given, covariates=["x", "y", "z"])
    refused("covariates: column 'text'", frame(text=["x"] * ROWS), covariates="text")


def test_labels_of_any_kind_are_numbered_as_they_appear():
    given = np.zeros((4, 1))
    for group in (["b", 1, "b", "a"], [2.5, 7, 2.5, 1], pd.Categorical(list("bcba"))):
        assert table_of(given, group=group).series.tolist() == [0, 1, 0, 2]


# Arrays.


ARRAYS = {
    "f8": table(),
    "f4": table().astype(np.float32),
    "f2": table().astype(np.float16),
    "big-endian": table().astype(">f8"),
    "longdouble": table().astype(np.longdouble) + np.longdouble("1e-19"),
    "columns first": np.asfortranarray(table()),
    "every second": np.repeat(table(), 2, axis=0)[::2],
    "objects": table().astype(object),
    "three": np.stack([table(0), table(1)]),
    "three big-endian": np.stack([table(0), table(1)]).astype(">f4"),
}


@pytest.mark.parametrize("given", ARRAYS.values(), ids=ARRAYS)
def test_an_array_comes_back_with_its_dtype_and_bytes(given):
    back, which = filled(given)
    assert type(back) is np.ndarray and back.dtype == given.dtype and back.shape == given.shape
    assert back.dtype.byteorder == given.dtype.byteorder
    which = which.reshape(given.shape)
    assert which.sum() == 3 * given.size / (2 * ROWS)
    assert back[~which].tobytes() == given[~which].tobytes() or given.dtype == object
    assert (back[which] == 7.25).all() and (back[~which] == given[~which]).all()
    flags = table_of(given).flags(which.reshape(-1, 2))
    np.testing.assert_array_equal(flags, which)


def test_none_and_na_are_holes_of_objects():
    given = np.array([[1, None], [pd.NA, 2.5], [np.nan, 3]], dtype=object)
    back, which = filled(given)
    assert which.tolist() == [[False, True], [True, False], [True, False]]
    assert back.dtype == object and back.tolist() == [[1, 7.25], [7.25, 2.5], [7.25, 3]]


@pytest.mark.parametrize("dtype", [float, np.int16, bool, ">i4"])
def test_masked_entries_are_holes_and_come_back_unmasked(dtype):
    values = np.arange(2 * ROWS).reshape(ROWS, 2).astype(dtype)
    mask = np.isnan(table())
    for given in (np.ma.array(values, mask=mask), np.ma.array([values] * 2, mask=[mask] * 2)):
        back, which = filled(given)
        assert isinstance(back, np.ma.MaskedArray) and back.dtype == given.dtype
        which = which.reshape(given.shape)
        np.testing.assert_array_equal(which, np.ma.getmaskarray(given))
        assert not back.mask.any()
        assert back.data[~which].tobytes() == given.data[~which].tobytes()
        right = 7.25 if dtype is float else True if dtype is bool else 7
        assert (back.data[which] == right).all()
    hard = np.ma.array(values, mask=mask, hard_mask=True)
    assert not filled(hard)[0].mask.any()
    none = np.ma.array(values)
    assert not filled(none)[0].mask.any()


def test_what_is_not_filled_stays_masked():
    given = np.ma.array(np.zeros((3, 1)), mask=[[True], [False], [True]])
    rows = table_of(given)
    back = rows.filled(np.ones((3, 1)), np.array([[True], [False], [False]]))
    assert back.mask.tolist() == [[False], [False], [True]] and given.mask.sum() == 2


def test_integers_and_booleans_have_no_holes_and_come_back():
    for dtype in (np.int8, np.uint64, bool):
        given = np.ones((4, 2), dtype)
        back, which = filled(given)
        assert not which.any() and back.dtype == dtype and back is not given


def test_fills_keep_to_the_range_of_their_dtype():
    big = np.array([1e30, -1e30, 2.5, 3.5])
    assert cast(big, np.dtype("int8")).tolist() == [127, -128, 2, 4]
    assert cast(big, np.dtype("uint8")).tolist() == [255, 0, 2, 4]
    assert cast(big, np.dtype("int64"))[:2].tolist() == [2**63 - 1, -(2**63)]
    assert cast(big, np.dtype("uint64"))[:2].tolist() == [2**64 - 1, 0]
    assert np.isfinite(cast(big, np.dtype("float16"))).all()


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_of_series_comes_back_as_one(kind):
    given = kind([table(0), table(1)[:7].astype(np.float32), table(2).astype(">f8")])
    back, which = filled(given)
    assert isinstance(back, list) and [part.shape for part in back] == [(12, 2), (7, 2), (12, 2)]
    for ours, theirs in zip(back, given):
        assert ours.dtype == theirs.dtype and ours.dtype.byteorder == theirs.dtype.byteorder
        known = ~np.isnan(theirs)
        assert ours[known].tobytes() == theirs[known].tobytes() and (ours[~known] == 7.25).all()
    flags = table_of(given).flags(which)
    assert [part.shape for part in flags] == [(12, 2), (7, 2), (12, 2)]
    assert table_of(given).series.tolist() == [0] * 12 + [1] * 7 + [2] * 12


def test_lists_of_numbers_come_back_as_an_array():
    back, _ = filled([[1, None], [2, 3]])
    assert back.dtype == float and back.tolist() == [[1, 7.25], [2, 3]]
    back, _ = filled([[[1, None], [2, 3]]])
    assert isinstance(back, list) and back[0].tolist() == [[1, 7.25], [2, 3]]


def test_other_arrays_come_back_as_numpys():
    given = jnp.asarray(np.stack([table(0), table(1)]), jnp.float32)
    back, _ = filled(given)
    assert type(back) is np.ndarray and back.dtype == np.float32 and not np.isnan(back).any()


@pytest.mark.parametrize("count", [1, 3])
def test_each_series_has_its_own_stamps_or_all_have_the_same(count):
    given = np.zeros((count, 4, 1))
    same = np.array([0.0, 1, 2, 5])
    rows = table_of(given, time=same)
    assert rows.time is not None and rows.time.tolist() == [0, 1, 2, 5] * count
    if count > 1:
        own = [same + number for number in range(count)]
        rows = table_of(given, time=own)
        assert rows.time is not None and rows.time.tolist() == np.concatenate(own).tolist()
        rows = table_of(given, time=np.concatenate(own))
        assert rows.time is not None and rows.time.tolist() == np.concatenate(own).tolist()
        refused(r"time: \[3, 4, 4\] stamps", given, time=[own[0][:3], *own[1:]])


def test_arrays_that_are_refused():
    sparse = pytest.importorskip("scipy.sparse")
    refused("data: sparse input is not supported", sparse.csr_array(np.eye(3)), TypeError)
    refused("data: NoneType; a DataFrame", None, TypeError)
    refused("data: str; a DataFrame", "table.csv", TypeError)
    refused("data: dict; a DataFrame", {"a": [1]}, TypeError)
    refused("data: float; a DataFrame", 1.5, TypeError)
    refused("data: Complex data", np.ones((3, 1), complex))
    refused("data: dtype <U", np.array([["1", "2"]]))
    refused("data: dtype datetime64", np.zeros((3, 1), "datetime64[s]"))
    refused(r"data: 'x' at \(0, 1\): argument must be", [[1, "x"], [2, None]], TypeError)
    refused(r"data: '1.5' at \(1, 0\)", np.array([[1], ["1.5"]], object), TypeError)
    refused("data: 1-D; .*reshape", np.zeros(3))
    refused("data: shape", np.zeros((1, 2, 3, 4)))
    refused("data: no rows", np.zeros((0, 3)))
    refused("data: 0 feature", np.zeros((3, 0)))
    refused("data: no rows", [np.zeros((3, 1)), np.zeros((0, 1))])
    refused("data: series of shapes", [np.zeros((3, 1)), np.zeros((3, 2))])
    refused("data: rows of different lengths", [[1.0, 2.0], [1.0]])
    refused("data: a list of DataFrames", [frame()], TypeError)
    refused("data: infinity in row 2, column 1", np.array([[0, 0], [0, 0], [0, -np.inf]]))
    refused("data: infinity in row 0, column 0", np.array([["1e400"]]).astype(np.longdouble))
    refused("data: X has 2 features", np.zeros((3, 2)), names=(0, 1, 2))


def test_the_number_of_columns_is_that_of_the_fit():
    assert table_of(np.zeros((3, 2)), names=("a", "b")).names == ("a", "b")
