"""Text tables as people have them: what is read, what is said, what is refused."""

import codecs
import datetime
import gzip
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from naomi_jax.errors import InputError
from naomi_jax.tables.files import reading
from naomi_jax.tables.options import Options

NAN = np.nan


@pytest.fixture
def read(tmp_path):
    """Read a text (or bytes) as a file of this name."""

    def read(content, name="x.csv", **options):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return reading.read(path, Options(**options))

    return read


@pytest.fixture
def refused(read):
    """The one line with which a file is refused."""

    def refused(content, name="x.csv", **options):
        with pytest.raises(InputError) as caught:
            read(content, name, **options)
        message = str(caught.value)
        assert "\n" not in message
        return message[message.index(name) :] if name in message else message

    return refused


def days(*stamps):
    return np.array(stamps, "datetime64[ns]")


# Header, names, first column.

NAMES = [
    (",a,b\n0,1.5,\n1,NA,2\n2,3.5,3\n", ("a", "b"), [[1.5, NAN], [NAN, 2], [3.5, 3]]),
    ("a,,b\n1,2,3\n4,5,6\n", ("a", "column 2", "b"), [[1, 2, 3], [4, 5, 6]]),
    ("a,NA,nan,a\n1,2,3,4\n,6,7,8\n", ("a", "NA", "nan", "a.1"), [[1, 2, 3, 4], [NAN, 6, 7, 8]]),
    ("a,a.1,a\n1,2,3\n", ("a", "a.1", "a.2"), [[1, 2, 3]]),
    ("a,b,\n1,2,\n,4,\n", ("a", "b"), [[1, 2], [NAN, 4]]),
    ("a,b\n1,2,\n,4,\n", ("a", "b"), [[1, 2], [NAN, 4]]),
    ("1,2,\n,4,\n", ("0", "1"), [[1, 2], [NAN, 4]]),
    ("1,2\n3,\n", ("0", "1"), [[1, 2], [3, NAN]]),
    (",\n1,2\n", ("0", "1"), [[NAN, NAN], [1, 2]]),
    ("a,b\n1,2\n", ("a", "b"), [[1, 2]]),
    ("1,2\n", ("0", "1"), [[1, 2]]),
    ("773869,767541\n64.5,67.25\n,66.5\n", ("773869", "767541"), [[64.5, 67.25], [NAN, 66.5]]),
    ("773869,767541\n64,67\n,66\n", ("773869", "767541"), [[64, 67], [NAN, 66]]),
    ("0,1,2\n0.5,,3.5\n0.25,1.5,2.5\n", ("0", "1", "2"), [[0.5, NAN, 3.5], [0.25, 1.5, 2.5]]),
    (",0,1\n0,5,6\n1,7,8\n2,9,9\n", ("0", "1"), [[5, 6], [7, 8], [9, 9]]),
    ("day,2019,2020\nmon,5.5,\ntue,7.5,8\n", ("2019", "2020"), [[5.5, NAN], [7.5, 8]]),
    ("0,1,2\n3,4,5\n6,7,8\n", ("0", "1", "2"), [[0, 1, 2], [3, 4, 5], [6, 7, 8]]),
    ("4,1\n64.5,67.25\n3.5,66.5\n", ("0", "1"), [[4, 1], [64.5, 67.25], [3.5, 66.5]]),
    ("5\n64\n3\n", ("0",), [[5], [64], [3]]),
    ("t,v\nmon,1\ntue,2\n", ("v",), [[1], [2]]),
    ("id,a,b\n1,5,5.5\n2,,6\n3,7,7\n", ("a", "b"), [[5, 5.5], [NAN, 6], [7, 7]]),
    ("0,5,5.5\n1,,6\n2,7,7\n", ("0", "1"), [[5, 5.5], [NAN, 6], [7, 7]]),
    (",a\n3,5\n5,\n9,7\n", ("a",), [[5], [NAN], [7]]),
    ("id,a\n3,5\n5,\n9,7\n", ("id", "a"), [[3, 5], [5, NAN], [9, 7]]),
    ("a b\n1 5 6\n2 7 NA\n3 8 9\n", ("a", "b"), [[5, 6], [7, NAN], [8, 9]]),
]


@pytest.mark.parametrize("content,names,values", NAMES)
def test_names_and_values(read, content, names, values):
    name = "x.txt" if " " in content else "x.csv"
    table = read(content, name)
    assert table.names == names and table.time is None and table.time_name is None
    np.testing.assert_array_equal(table.values, np.array(values, float))
    assert table.values.dtype == np.float64


def test_row_numbers_are_left_out_and_said(read):
    notes = read("id,a,b\n1,5,5.5\n2,,6\n3,7,7\n").notes
    assert notes == ("first column 'id': row numbers, left out",)
    assert read(",a\n0,5\n1,6\n2,9\n").notes == ("first column 1: row numbers, left out",)
    assert read("id,a\n1,5\n3,6\n2,9\n").notes == ()


def test_a_header_in_doubt_is_said_and_can_be_said(read):
    assert len(read("name,2019,2020\n1,5.5,3.5\n5,7.5,8\n").notes) == 1
    assert len(read("day,2019,2020\n2020-01-01,5.5,3.5\n2020-01-02,7.5,8\n").notes) == 1
    assert read("-,5.5\n1,2.5\n3,4.5\n", missing=("-",)).values.shape == (3, 2)
    content = "773869,767541\n64.5,67.25\n,66.5\n"
    assert "--header no if it is not" in read(content).notes[0]
    table = read(content, header=False)
    assert table.values[0].tolist() == [773869, 767541] and not table.notes
    content = "9,4\n64.5,67.25\n3.5,66.5\n"
    assert "was taken for values; --header yes if it is not" in read(content).notes[0]
    assert read(content, header=True).names == ("9", "4")
    assert read("a,b\n1,2\n3,4\n", header=True).notes == ()


# Lines and separators.


def test_an_empty_line_is_a_hole_of_one_column_and_nothing_in_wider_files(read):
    np.testing.assert_array_equal(read("a\n1\n\n3\n").values[:, 0], [1, NAN, 3])
    np.testing.assert_array_equal(read("1.5\r\n\r\n\r\n3\r\n").values[:, 0], [1.5, NAN, NAN, 3])
    np.testing.assert_array_equal(read('a\n1\n""\n3').values[:, 0], [1, NAN, 3])
    np.testing.assert_array_equal(read("\na,b\n\n1,2\n  \n3,\n\n").values, [[1, 2], [3, NAN]])
    np.testing.assert_array_equal(read("a\tb\n1\t2\n\t\n", "x.tsv").values[1], [NAN, NAN])


SEPARATED = [
    ("a;b\n1,5;2\n;4,25\n", ("separator ';', decimal mark ','",)),
    ("a;b\n1,5;2.\n;4.25\n".replace(",", "."), ("separator ';', decimal mark '.'",)),
    ("a\tb\n1.5\t2\n\t4.25\n", ()),
    ("a\tb\n1,5\t2\n\t4,25\n", ("separator tab, decimal mark ','",)),
    ("a|b\n1.5|2\n|4.25\n", ("separator '|', decimal mark '.'",)),
    ("a  b\n 1.5  2\n NA\t4.25 \n", ("separator blanks, decimal mark '.'",)),
    ('a,b\n"1,5","2"\n"","4,25"\n', ("separator ',', decimal mark ','",)),
    ("a, b\n1.5 , 2\n , 4.25\n", ()),
]


@pytest.mark.parametrize("content,notes", SEPARATED)
def test_separator_and_decimal_mark_are_found_and_said(read, content, notes):
    for name in ("x.csv", "x.tsv", "x.txt"):
        table = read(content, name)
        np.testing.assert_array_equal(table.values, [[1.5, 2], [NAN, 4.25]])
        assert table.names == ("a", "b") and table.notes == notes


def test_one_column_with_decimal_commas(read):
    np.testing.assert_array_equal(read("level\n1,5\n\n2,25\n").values[:, 0], [1.5, NAN, 2.25])
    first = read("a;b\n1,5;2\n3,5;4\n").values  # the first column alone has decimals
    np.testing.assert_array_equal(first, [[1.5, 2], [3.5, 4]])


def test_separator_and_decimal_mark_can_be_forced(read, refused):
    content = "1,5;2,5\n3,5;4,5\n"
    assert read(content, separator=";", decimal=",").values.tolist() == [[1.5, 2.5], [3.5, 4.5]]
    assert read("1;2\n3;4\n", "x.csv", separator=";").values.shape == (2, 2)
    assert read("1\t2\n3\t4\n", separator="tab").values.shape == (2, 2)
    assert read('a,b\n"1,234",2\n', decimal=",").values.tolist() == [[1.234, 2]]
    assert "one character" in refused("1,2\n", separator="::")
    assert "'.' or ',' is needed" in refused("1,2\n", decimal="'")


ENCODED = [
    "größe,b\n1,\n".encode(),
    codecs.BOM_UTF8 + "größe,b\n1,\n".encode(),
    "größe,b\r\n1,\r\n".encode("latin-1"),
    codecs.BOM_UTF16_LE + "größe,b\r\n1,\r\n".encode("utf-16-le"),
    codecs.BOM_UTF16_BE + "größe,b\r1,".encode("utf-16-be"),
    '"größe","b"\n"1",""\n'.encode(),
]


@pytest.mark.parametrize("content", ENCODED)
def test_encodings_line_ends_and_quotes(read, content):
    for name, data in (("x.csv", content), ("x.csv.gz", gzip.compress(content))):
        table = read(data, name)
        assert table.names == ("größe", "b")
        np.testing.assert_array_equal(table.values, [[1, NAN]])


def test_a_quoted_cell_goes_over_lines(read, refused):
    table = read('text,"a\nname"\n"one, two\nlines ""x""",1\n"",2\n')
    assert table.names == ("a\nname",) and table.values.tolist() == [[1], [2]]
    assert "line 4, column 'v'" in refused('t,v\n"a\nb",1\nc,1x\n' + "c,1\n" * 9)
    assert "line 2: a quote is opened and never closed" in refused('t,v\n"a,1\nb,2\n')


# Times.

TIMES = [
    ("2020-12-31 13:00", "2020-12-31 14:30"),
    ("2020-12-31T13:00:00", "2020-12-31T14:30:00"),
    ("2020-12-31T13:00:00Z", "2020-12-31T14:30:00Z"),
    ("2020-12-31 14:00+01:00", "2020-12-31 16:30:00+0200"),
    ("2020/12/31 13:00", "2020/12/31 14:30:00.000"),
    ("31.12.2020 13:00", "31.12.2020 14:30"),
    ("31.12.20 13:00", "31.12.20 14:30"),
    ("31/12/2020 13:00", "31/12/2020 14:30:00"),
    ("12/31/2020 1:00 PM", "12/31/2020 2:30 pm"),
    ("31-Dec-2020 13:00", "31-Dec-2020 14:30"),
    ("Thu Dec 31 2020 13:00", "Thursday 31 December 2020 14:30"),
    ("December 31 2020 13:00", "Dec 31 2020 14:30"),
    ("1609419600", "1609425000"),
    ("1609419600000", "1609425000000"),
    ("1609419600000000000", "1609425000000000000"),
    ("202012311300", "202012311430"),
]


@pytest.mark.parametrize("first,second", TIMES)
def test_times_of_many_forms_anywhere(read, first, second):
    for content in (
        f"time,a,b\n{first},1,2\n{second},,4\n",
        f"a,Timestamp,b\n1,{first},2\n,{second},4\n",
        f"a,b,date\n1,2,{first}\n,4,{second}\n",
        f",a,b\n{first},1,2\n{second},,4\n",
    ):
        table = read(content)
        np.testing.assert_array_equal(table.values, [[1, 2], [NAN, 4]])
        np.testing.assert_array_equal(table.time, days("2020-12-31T13:00", "2020-12-31T14:30"))
        assert table.time.dtype == "datetime64[ns]" and table.names == ("a", "b")
        assert table.time_name in ("time", "Timestamp", "date", "")
        assert any("the time" in note for note in table.notes)


def test_times_without_a_header(read):
    table = read("2020-01-01,1\n2020-01-02,\n")
    assert table.time[1] == days("2020-01-02")[0] and table.time_name == ""
    assert table.names == ("0",)


def test_dates_alone_months_and_the_hour_24(read):
    assert read("d,v\n2020-01,1\n2020-02,2\n").time[1] == days("2020-02-01")[0]
    assert read("d,v\nJan 2020,1\nFeb 2020,2\n").time[1] == days("2020-02-01")[0]
    assert read("d,v\n20200131,1\n20200201,2\n", time="d").time[1] == days("2020-02-01")[0]
    late = read("d,v\n31.12.2020 23:00,1\n31.12.2020 24:00,2\n").time
    assert late[1] == days("2021-01-01")[0]


def test_date_and_time_of_day_in_two_columns(read):
    table = read("day;clock;v\n31.12.2020;13:00;1,5\n31.12.2020;14:00;\n")
    np.testing.assert_array_equal(table.time, days("2020-12-31T13:00", "2020-12-31T14:00"))
    assert table.time_name == "day" and table.names == ("v",)


def test_numbers_that_count_time(read):
    table = read("time [s],v\n0.0,1\n0.1,\n0.3,2\n")
    np.testing.assert_array_equal(table.time, [0, 0.1, 0.3])
    assert table.time_name == "time [s]" and table.names == ("v",)
    assert read("temp,v\n0.0,1\n0.1,2\n").time is None
    assert read("time,v\n5,1\n3,2\n").time is None  # it falls: an hour of the day, perhaps
    assert read("x,v\n5,1\n3,2\n", time="x").time.tolist() == [5, 3]
    assert read(",v\n0.5,1\n0.75,2\n").time.tolist() == [0.5, 0.75]


def test_a_second_column_of_times_is_no_sensor(read):
    table = read("date,epoch,v\n2020-01-01,1577836800,1\n2020-01-02,1577923200,2\n")
    assert table.names == ("v",) and table.time_name == "date"
    assert "carried through untouched: 'epoch'" in table.notes[-1]


def test_an_ambiguous_date_is_refused_with_the_remedy(read, refused):
    content = "v,when\n1,03/04/2020\n2,03/05/2020\n"
    message = refused(content)
    assert "line 2, column 'when': '03/04/2020'" in message
    assert "--dayfirst yes or --dayfirst no" in message
    np.testing.assert_array_equal(
        read(content, dayfirst=True).time, days("2020-04-03", "2020-05-03")
    )
    np.testing.assert_array_equal(
        read(content, dayfirst=False).time, days("2020-03-04", "2020-03-05")
    )
    assert "day first" in read(content, dayfirst=True).notes[0]
    mixed = refused("v,when\n1,13/04/2020\n2,03/15/2020\n")
    assert "line 3" in mixed and "2020-12-31" in mixed
    assert "line 2" in refused("v,when\n1,03/14/2020\n2,03/04/2020\n", dayfirst=True)


def test_rows_shuffled_stay_in_the_order_of_the_file(read):
    table = read("t,v\n2020-01-03,3\n2020-01-01,1\n2020-01-02,\n")
    np.testing.assert_array_equal(table.time, days("2020-01-03", "2020-01-01", "2020-01-02"))
    np.testing.assert_array_equal(table.values[:, 0], [3, 1, NAN])


def test_doubled_stamps_are_refused_with_the_lines(read, refused):
    message = refused("t,v\n2020-01-01,3\n2020-01-02,1\n2020-01-01,2\n")
    assert "line 2, column 't': 2020-01-01 00:00:00 stands again in line 4 (1 doubled" in message
    assert "keep one row of each" in message and "--group COLUMN" in message
    assert "0.5 stands again in line 3" in refused("t,v\n0.5,3\n0.5,1\n", time="t")


def test_a_step_of_summer_time(read, refused):
    zoned = "t,v\n2020-10-25 02:30+02:00,1\n2020-10-25 02:30+01:00,2\n2020-10-25 03:30+01:00,\n"
    table = read(zoned)
    expected = days("2020-10-25T00:30", "2020-10-25T01:30", "2020-10-25T02:30")
    np.testing.assert_array_equal(table.time, expected)
    assert "in UTC" in table.notes[0]
    naive = zoned.replace("+02:00", "").replace("+01:00", "")
    message = refused(naive)
    assert "line 2" in message and "line 3" in message and "summer time" in message


def test_a_column_that_is_called_time_and_cannot_be_read_is_said(read):
    notes = read("time,v\n12:00,1\n13:00,2\n").notes
    assert "column 'time': not read as times, as '12:00' is no date like" in notes[0]


def test_bad_times(refused):
    mixed = "t,v\n2020-10-25 02:30+02:00,1\n2020-10-25 02:30,2\n"
    assert "line 3, column 't': '2020-10-25 02:30' has no zone" in refused(mixed)
    assert "line 3, column 't': no time in this row" in refused("t,v\n2020-01-01,1\n,2\n")
    assert "'2020-02-30' is no date" in refused("t,v\n2020-01-01,1\n2020-02-30,2\n")
    assert "'soon' is no date like" in refused("t,v\n" + "2020-01-01,1\n" * 30 + "soon,2\n")
    assert "outside the years 1 to 9999" in refused("t,v\n0000-01-01,1\n1500-01-02,2\n")
    assert "--time x: no such column; there are 't', 'v'" in refused("t,v\n1,2\n", time="x")
    assert "line 3, column 't': no time" in refused("t,v\n1,2\n,3\n", time="t")


def test_dates_of_any_year_are_read_and_may_be_subtracted(read):
    """Nanoseconds in 64 bits hold 1678 to 2262, and differences of 292 years."""
    for first, last in (("1500-01-01", "1500-01-02"), ("1700-01-01", "2008-01-01")):
        for zone in ("", "T00:00+00:00"):
            stamps = read(f"t,v\n{first}{zone},1\n{last}{zone},2\n").time
            assert stamps.tolist() == days(first, last).astype("M8[us]").tolist() or first < "1678"
            right = np.datetime64(last) - np.datetime64(first)
            assert stamps[1] - stamps[0] == right
    far = read("t,v\n01.01.0900,1\n31.12.9999,2\n").time
    assert far.tolist() == [datetime.datetime(900, 1, 1), datetime.datetime(9999, 12, 31)]
    assert len(read("t,v\n1700-01-01,1\n2008-01-01,2\n", freq="YS").time) == 309


# Absent rows and several series.


def test_absent_rows_are_added_if_asked_for(read, refused):
    content = "t,v\n2020-01-01 00:00,1\n2020-01-01 03:00,4\n2020-01-01 04:00,\n"
    assert len(read(content).values) == 3
    table = read(content, freq="h")
    np.testing.assert_array_equal(table.values[:, 0], [1, NAN, NAN, 4, NAN])
    np.testing.assert_array_equal(np.diff(table.time), np.full(4, np.timedelta64(1, "h")))
    assert "2 absent rows added" in table.notes[-1]
    message = refused(content, freq="2h")
    assert "line 3: 2020-01-01 03:00:00 is no step of --freq 2h" in message
    assert "no pandas offset alias" in refused(content, freq="sometimes")
    assert "needs a column of dates" in refused("a,b\n1,2\n3,4\n", freq="h")
    assert "use a longer step" in refused("t,v\n1900-01-01,1\n2000-01-01,2\n", freq="ms")


def test_series_under_one_another(read, refused):
    content = "id,t,v\n1,2020-01-01,5\n1,2020-01-03,6\n2,2020-01-01,\n2,2020-01-02,8\n"
    assert "--group COLUMN" in refused(content)
    table = read(content, group="id")
    assert table.groups.tolist() == ["1", "1", "2", "2"] and table.names == ("v",)
    table = read(content, group="id", freq="D")
    assert table.groups.tolist() == ["1", "1", "1", "2", "2"]
    np.testing.assert_array_equal(table.values[:, 0], [5, NAN, 6, NAN, 8])
    assert "stands again" in refused(content + "2,2020-01-02,8\n", group="id")
    assert "--group no: no such column" in refused(content, group="no")


# Holes and what is no number.


def test_markers_of_pandas_are_holes(read):
    markers = "#N/A|#NA|-1.#IND|-NaN|-nan|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null||NAN|none"
    table = read("t,v\n" + "".join(f"a,{marker}\n" for marker in markers.split("|")) + "a,1.5\n")
    assert np.isnan(table.values[:-1]).all() and table.values[-1] == 1.5


@pytest.mark.parametrize("marker", ["?", "-", "missing", "-999", "9999", "--", "*"])
def test_other_markers_are_named(read, refused, marker):
    content = f"v,w\n1.5,2\n{marker},3\n4.5,{marker}\n2.5,7\n"
    table = read(content, missing=(marker,))
    np.testing.assert_array_equal(table.values, [[1.5, 2], [NAN, 3], [4.5, NAN], [2.5, 7]])
    if not marker.strip("-").isdigit():
        message = refused(content)
        assert f"line 3, column 'v': {marker!r} is not a number" in message
        assert f"--missing {marker}" in message


def test_a_marker_is_a_number_however_it_is_written(read):
    table = read("i,v\n0,-999.0\n1,-999\n2,-9.99e2\n3,5\n", missing=("-999", "0"))
    np.testing.assert_array_equal(table.values[:, 0], [NAN, NAN, NAN, 5])  # and i are row numbers
    np.testing.assert_array_equal(read("v;w\n1,5;2\n", missing=("1,50",)).values, [[NAN, 2]])


@pytest.mark.parametrize("code", ["-999", "-9999", "9999", "99999", "-1", "0"])
def test_a_suspicious_value_is_named_and_stays(read, code):
    cells = [code if i % 7 == 0 else f"{50 + i % 9}.5" for i in range(60)]
    table = read("\n".join(["v", *cells, ""]))
    assert len(table.notes) == 1 and f"--missing {code}" in table.notes[0]
    assert (table.values == float(code)).sum() == 9
    assert not read("\n".join(["v", *cells, ""]), missing=(code,)).notes


def test_usual_values_are_not_suspected(read):
    rng = np.random.default_rng(0)
    for column in (
        np.maximum(rng.normal(size=300), 0),  # rain: many zeros beside small values
        rng.integers(0, 2, 300),
        rng.integers(-1, 5, 300),
        np.append(rng.normal(size=300), [50, 50]),  # twice
        np.full(300, 7),
        rng.integers(0, 40, 300) * 1000,
    ):
        assert not read("v\n" + "\n".join(map(str, column))).notes


def test_categories_and_switches_are_carried_through_and_said(read):
    table = read("cat,v,on,q\nx,1,True,\ny,,False,\nx,3,True,z\n")
    assert table.names == ("v",)
    assert table.notes == (
        "no numbers, carried through untouched: 'cat', 'on', 'q'",
        "column 'q' holds no numbers; its 2 holes stay empty",
    )
    holed = read("cat,v,on\nx,1,True\n,,\nx,3,false\n").notes[1:]
    assert holed == (
        "column 'on' holds true/false; its 1 hole stays empty",
        "column 'cat' holds no numbers; its 1 hole stays empty",
    )


REFUSED = [
    ("v,w\nkg,m\n1,2\n3,4\n", "line 2, column 'v': 'kg' is not a number, and all below it are"),
    ("v,w\nkg,m\n1,2\n3,4\n", "remove a line of units below the header"),
    ("# a comment\nv,w\n1,2\n3,4\n", "line 1: a comment; remove it, or its '#' alone"),
    ("Station 5\nv,w\n1,2\n3,4\n", "line 1: 1 cells, but most lines have 2; remove what stands"),
    ("v,w\n1,2\n# a comment\n3,4\n", "line 3: a comment; remove lines that begin with '#'"),
    ("sep=;\nv;w\n1;2\n", "line 1: 'sep=;'; remove this line"),
    ('v,w\n"1,234",2\n"1,235",4\n', "line 2, column 'v': '1,234' has thousands separators"),
    ("v;w\n1.234,5;2\n1,5;4\n", "line 2, column 'v': '1.234,5' has thousands separators"),
    ("v;w\n1 234.5;2\n1.5;4\n", "line 2, column 'v': '1 234.5' has thousands separators"),
    ("v;w\n1,5;2\n1.75;4\n2,5;4\n", "line 3, column 'v': '1.75' has a decimal point"),
    ("v,w\n5%,2\n6 %,4\n", "line 2, column 'v': '5%' has a percent sign; remove it"),
    ("v,w\n$5,2\n$6.5,4\n", "line 2, column 'v': '$5' has a currency; remove it"),
    ("a,b\n1,2\n3,four\n", "line 3, column 'b': 'four' is not a number"),
    ("a,b\nx,y\n", "no column of numbers"),
    ("a,b\n,\n,\n", "no column of numbers"),
    ("1,2\ninf,3\n", "line 2, column 1: an infinite value"),
    ("a,b\n1,2\n1e999,3\n", "line 3, column 'a': an infinite value, or one too large"),
    ("1,2\n3\n", "line 2: 1 cells, but most lines have 2"),
    ("a,b\n1,2\n\n3,4,5\n", "line 4: 3 cells, but most lines have 2"),
    ("a,b\n1,2\n" * 1 + "1,2\n" * 2000 + "1\n", "line 2003: 1 cells"),
    ("", "the file is empty"),
    (" \n\n", "the file is empty"),
    ("a,b\n", "a header and nothing else"),
    ("a,b\n1,2\r3,4\n", "a carriage return inside a line"),
    (b"\x89PNG\x00\x01\x02", "not a text file"),
    (b"PK\x03\x04abc", "not a text file"),
    (b"a,b\n1,2\x00\n", "not a text file"),
    (codecs.BOM_UTF8 + b"\xff\xff\n", "damaged utf-8 text"),
    (codecs.BOM_UTF16_LE + b"a\x00,\x00b", "damaged utf-16-le text"),
]


@pytest.mark.parametrize("content,message", REFUSED)
def test_what_is_refused(refused, content, message):
    assert message in refused(content)


def test_no_file_a_folder_and_other_formats(tmp_path, refused):
    for name in ("x.csv", "x.csv.gz", "x.parquet", "x.npz", "x.npy"):
        with pytest.raises(InputError, match="no such file"):
            reading.read(tmp_path / name)
    with pytest.raises(InputError, match="a folder; a file is needed"):
        (tmp_path / "f.csv").mkdir()
        reading.read(tmp_path / "f.csv")
    message = refused("", "x.xlsx")
    assert all(end in message for end in reading.EXTENSIONS)
    assert "cannot be read" in refused(b"no archive", "x.csv.gz")
    assert "cannot be read" in refused(gzip.compress(b"a,b\n1,2\n" * 99)[:-9], "x.csv.gz")


# Exactness.


def test_numbers_are_exact(read):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 3)) * 10.0 ** rng.integers(-30, 40, (500, 3))
    x[:, 2] = 1.7e9 + rng.uniform(-0.5, 0.5, 500)
    np.testing.assert_array_equal(read(pd.DataFrame(x).to_csv()).values, x)
    german = pd.DataFrame(x).to_csv(sep=";", decimal=",", index=False)
    np.testing.assert_array_equal(read(german).values, x)
    assert read("a,b\n1e39,9007199254740993\n,99999999999999999999\n").values[0, 0] == 1e39


def test_integer_columns(read):
    table = read(
        "a,b,c,d,e\n1,1.0,5,9007199254740993,\n,2.0,NA,99999999999999999999,\n3,3.0,-7,1,\n"
    )
    assert table.source.integer.tolist() == [True, False, True, True, False]


def test_the_same_table_has_the_same_hash(read, tmp_path):
    table = read("date,a,b\n2020-01-01,1.50,\n2020-01-02,2,3\n")
    same = read("date;a;b\r\n01.01.2020 00:00;1,5;NaN\r\n02.01.2020;2,0;3\r\n")
    frame = pd.DataFrame({"a": [1.5, 2], "b": [NAN, 3]}, days("2020-01-01", "2020-01-02"))
    frame.to_parquet(tmp_path / "x.parquet")
    others = (
        "date,a,b\n2020-01-01,1.50,\n2020-01-02,2,4\n",
        "date,a,c\n2020-01-01,1.50,\n2020-01-02,2,3\n",
        "date,a,b\n2020-01-01,1.50,\n2020-01-03,2,3\n",
    )
    assert table.sha256() == same.sha256() == reading.read(tmp_path / "x.parquet").sha256()
    assert len({table.sha256(), *(read(other).sha256() for other in others)}) == 4


def test_pandas_is_imported_when_it_is_needed():
    code = "import sys; from naomi_jax.tables.files import reading, writing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "pyarrow"} & set(done.stdout.split())
