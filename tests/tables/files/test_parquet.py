"""Parquet: columns keep types, order, metadata; without pyarrow one line says what to install."""

import datetime
import decimal
import sys

import numpy as np
import pandas as pd
import pytest

from naomi_jax.errors import InputError
from naomi_jax.tables.files import reading, writing
from naomi_jax.tables.options import Options

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def frame():
    """A table of many types, holes in each."""
    return pd.DataFrame(
        {
            "f8": [1.1, np.nan, 1e39],
            "f4": np.array([np.nan, 2.2, 3.3], np.float32),
            "i8": pd.array([2**60 + 1, None, 3], "Int64"),
            "u1": pd.array([None, 250, 3], "UInt8"),
            "label": pd.Categorical(["x", "y", None]),
            "text": ["1", "2", None],
            "on": pd.array([True, None, False], "boolean"),
            "whole": [1, 2**60 + 1, 3],
        },
        pd.date_range("2020-01-01", periods=3, freq="h", tz="Europe/Berlin"),
    )


def test_types_and_metadata_come_back(tmp_path):
    frame().to_parquet(tmp_path / "x.parquet", compression="gzip")
    table = reading.read(tmp_path / "x.parquet")
    assert table.names == ("f8", "f4", "i8", "u1", "whole") and table.time_name == ""
    first = np.datetime64("2019-12-31T23:00")
    np.testing.assert_array_equal(table.time, first + np.arange(3) * np.timedelta64(1, "h"))
    assert table.time.dtype == "datetime64[ns]"
    assert table.whole.tolist() == [False, False, True, True, True]
    assert table.notes[-3:] == (
        "no numbers, carried through untouched: 'label', 'text', 'on'",
        "column 'on' holds true/false; its 1 hole stays empty",
        "columns 'label', 'text' hold no numbers; their 2 holes stay empty",
    )
    holes = np.isnan(table.values)
    assert holes.sum(axis=0).tolist() == [1, 1, 1, 1, 0]
    writing.write(tmp_path / "y.parquet", table, table.values)
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "y.parquet"), frame(), check_freq=False
    )
    writing.write(tmp_path / "y.parquet", table, np.where(holes, 300.4, table.values))
    expected = frame()
    expected.iloc[1, 0], expected.iloc[0, 1] = 300.4, np.float32(300.4)
    expected.iloc[1, 2], expected.iloc[0, 3] = 300, 255  # the greatest that the type holds
    back = pd.read_parquet(tmp_path / "y.parquet")
    pd.testing.assert_frame_equal(back, expected, check_freq=False)
    meta = parquet.ParquetFile(tmp_path / "y.parquet").metadata
    assert meta.row_group(0).column(0).compression == "GZIP"


def test_flags(tmp_path):
    frame().to_parquet(tmp_path / "x.parquet")
    table = reading.read(tmp_path / "x.parquet")
    writing.write(tmp_path / "y.parquet", table, table.values, np.isnan(table.values))
    back = pd.read_parquet(tmp_path / "y.parquet")
    assert list(back.columns[8:]) == ["f8_filled", "f4_filled", "i8_filled", "u1_filled"]
    assert back.f8_filled.tolist() == [0, 1, 0] and back.index.equals(frame().index)


def test_time_columns_groups_and_decimals(tmp_path):
    data = pd.DataFrame(
        {
            "v": [decimal.Decimal("1.25"), None, decimal.Decimal("2.50"), None],
            "g": ["a", "a", "b", "b"],
            "day": [datetime.date(2020, 1, d) for d in (1, 3, 1, 2)],
        }
    )
    data.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="--group COLUMN"):
        reading.read(tmp_path / "x.parquet")
    table = reading.read(tmp_path / "x.parquet", Options(group="g", freq="D"))
    assert table.groups.tolist() == ["a", "a", "a", "b", "b"] and table.time_name == "day"
    np.testing.assert_array_equal(table.values[:, 0], [1.25, np.nan, np.nan, 2.5, np.nan])
    writing.write(tmp_path / "y.parquet", table, np.where(np.isnan(table.values), 1 / 3, 7))
    back = pd.read_parquet(tmp_path / "y.parquet")
    assert back.v.map(str).tolist() == ["1.25", "0.33", "0.33", "2.50", "0.33"]
    assert back.g.tolist() == ["a", "a", "a", "b", "b"]
    assert [day.day for day in back.day] == [1, 2, 3, 1, 2]


def test_markers_and_text_dates(tmp_path):
    data = pd.DataFrame({"when": ["31.12.2020", "01.01.2021"], "v": [-999.0, 1.5]})
    data.to_parquet(tmp_path / "x.parquet")
    table = reading.read(tmp_path / "x.parquet", Options(missing=("-999",)))
    assert np.isnan(table.values[0, 0]) and table.time[1] == np.datetime64("2021-01-01")


BAD = [
    (pd.DataFrame({"v": [1.0, np.inf]}), {}, "row 2, column 'v': an infinite value"),
    (pd.DataFrame({"v": ["a", "b"]}), {}, "no column of numbers"),
    (pd.DataFrame({"v": np.zeros(0)}), {}, "no rows"),
    (pd.DataFrame({"v": [1.0]}), {"separator": ";"}, "--separator is for text files"),
    (pd.DataFrame({"v": [1.0]}), {"time": "t"}, "--time t: no such column"),
    (pd.DataFrame({"t": pd.to_datetime(["2020", None]), "v": 1.0}), {}, "row 2, column 't': no"),
    (pd.DataFrame({"t": ["2020-01-01", "2020-01-03"], "v": 1.0}), {"freq": "D"}, "of text"),
]  # fmt: skip


@pytest.mark.parametrize("data,options,message", BAD)
def test_what_is_refused(tmp_path, data, options, message):
    data.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError) as caught:
        reading.read(tmp_path / "x.parquet", Options(**options))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert "x.parquet" in str(caught.value)


def test_damaged_files_and_no_pyarrow(tmp_path, monkeypatch):
    path = tmp_path / "x.parquet"
    frame().to_parquet(path)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[:-50], whole[:100] + b"\xff" * 200 + whole[300:]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged, or not what its name says"):
            reading.read(path)
    for module in [m for m in sys.modules if m.split(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r"needs pyarrow: pip install pyarrow"):
        reading.read(path)


ENDS = [
    ("int64", 2**63 - 1, 1e19, 2**63 - 1),
    ("uint64", 2**64 - 1, 1e30, 2**64 - 1),
    ("int8", 5, -1e30, -128),
    ("float16", 2.0, 66000.0, 65504.0),
    ("float32", 2.0, 4e38, float(np.finfo(np.float32).max)),
    ((2, 1), decimal.Decimal("9.5"), 10.3, decimal.Decimal("9.9")),
    ((38, 2), decimal.Decimal(10**30), 1.5, decimal.Decimal("1.50")),
    ((38, 0), decimal.Decimal(7), -1e60, decimal.Decimal("-" + "9" * 38)),
]


@pytest.mark.parametrize("kind,value,fill,right", ENDS)
def test_fills_keep_to_the_ends_of_their_type(tmp_path, kind, value, fill, right):
    own = pyarrow.decimal128(*kind) if isinstance(kind, tuple) else getattr(pyarrow, kind)()
    parquet.write_table(
        pyarrow.table({"c": pyarrow.array([value, None], own)}), tmp_path / "x.parquet"
    )
    table = reading.read(tmp_path / "x.parquet")
    writing.write(tmp_path / "y.parquet", table, np.array([[0.0], [fill]]))
    back = parquet.read_table(tmp_path / "y.parquet").column("c")
    assert back.type == own and back[0].as_py() == value
    assert str(back[1].as_py()) == str(right)


def test_dates_to_the_year_9999(tmp_path):
    last = datetime.datetime(9999, 12, 31)
    data = {"a": [1.0, None, 3.0], "valid_until": [last] * 3}
    parquet.write_table(pyarrow.table(data), tmp_path / "x.parquet")
    table = reading.read(tmp_path / "x.parquet")  # one date in all rows is not their time
    assert table.time is None and "'valid_until'" in table.notes[0]
    days = [datetime.date(year, 1, 1) for year in (1, 1700, 9999)]
    parquet.write_table(pyarrow.table({**data, "day": days}), tmp_path / "x.parquet")
    table = reading.read(tmp_path / "x.parquet")
    assert table.time_name == "day" and table.time.astype("M8[D]").tolist() == days
    parquet.write_table(pyarrow.table({**data, "time": [last, last, None]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="row 3, column 'time': no time in this row"):
        reading.read(tmp_path / "x.parquet")
    writing.write(tmp_path / "y.parquet", table, np.nan_to_num(table.values))
    assert parquet.read_table(tmp_path / "y.parquet")["valid_until"].to_pylist() == [last] * 3
