"""Filled text tables: holes take values, and all the rest comes back to the letter."""

import codecs
import gzip
import os
import re

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from naomi_jax.errors import InputError
from naomi_jax.tables.files import reading, writing
from naomi_jax.tables.options import Options


@pytest.fixture
def fill(tmp_path):
    """Fill every hole of a text with one value; the text written, and the table."""

    def fill(content, value=3.14159265, flags=False, name="x.csv", **options):
        source, target = tmp_path / name, tmp_path / f"out-{name}"
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
        table = reading.read(source, Options(**options))
        holes = np.isnan(table.values)
        filled = np.where(holes, value, table.values)
        writing.write(target, table, filled, holes if flags else None)
        return target.read_bytes() if isinstance(content, bytes) else target.read_bytes().decode()

    return fill


FILLED = [
    # A header, an index, line ends, no end behind the last line.
    (",a,b\r\n0,1.50,\r\n1,NA,2\r\n2,3.25,3", ",a,b\r\n0,1.50,3\r\n1,3.142,2\r\n2,3.25,3"),
    ("a,b,\n1.5,,\n,2.5,\n", "a,b,\n1.5,3.142,\n3.142,2.5,\n"),
    ("a;b\n1,5;2\n\n;4\n", "a;b\n1,5;2\n\n3,142;4\n"),
    ("level\n1,5\n\n2,25\n", "level\n1,5\n3,142\n2,25\n"),
    ("1\r\r3\r", "1\r3\r3\r"),
    ('a\n1.5\n""\n', 'a\n1.5\n"3.142"\n'),
    ('"a","b"\n"1.5","NA"\n"",2\n', '"a","b"\n"1.5","3"\n"3.142",2\n'),
    ('a,b\n"1,5","2"\n,"4,25"\n', 'a,b\n"1,5","2"\n"3,142","4,25"\n'),
    ("a, b\n1.5 , 2\n , 4.25\n NA ,N/A\n", "a, b\n1.5 , 2\n 3.142, 4.25\n 3.142 ,3.142\n"),
    ('t,v\n"a,\n""b""",1\nb,\n', 't,v\n"a,\n""b""",1\nb,3\n'),
    ("c,v,on\nx,,True\ny,0.5,False\n", "c,v,on\nx,3.1416,True\ny,0.5,False\n"),
    ("a  b\n 1.5   2 \n NaN\tNaN\n", "a  b\n 1.5   2 \n 3.142\t3\n"),
    ("\n a,b\n\n1,9007199254740993\n,1\n\n", "\n a,b\n\n1,9007199254740993\n3,1\n\n"),
]


@pytest.mark.parametrize("content,expected", FILLED)
def test_only_holes_change(fill, content, expected):
    name = "x.txt" if "  " in content else "x.csv"
    assert fill(content, name=name) == expected
    assert fill(content, np.nan, name=name) == content


DIGITS = [
    ("1 2 3", 3.6, "4"),
    ("1 2 3", -0.4, "0"),
    ("1.0 2.0", 3.14159, "3.142"),
    ("1.0 2.0", 3.0, "3.0"),
    ("12.50 13.75", 13.0, "13.00"),
    ("12.5 13.75", 13.0, "13.0"),
    ("12.50 13.75", 13.456, "13.46"),
    ("1013.2 1014.1", 1012.345, "1012.3"),
    ("101325.5 99000", 100000.0, "100000"),
    ("101325.5 99000.5", 98765.4321, "98765.4"),
    ("0.5 0.25", 0.123456, "0.1235"),
    ("0.001 0.002", 0.00123456, "0.001235"),
    ("1700000000.25 1700000001.5", 1700000000.123456, "1700000000.12"),
    ("1e-5 2.5e-5", 1.23456e-5, "1.235e-05"),
    ("1.5e20 2e20", 1.23456e20, "1.235e+20"),
    ("0.12345678901234567 0.5", 1 / 3, "0.333333333333333"),
    ("-0.5 0.5", -1e-9, "0.0"),
]


@pytest.mark.parametrize("cells,value,expected", DIGITS)
def test_digits_are_those_of_the_column(fill, cells, value, expected):
    content = "v\n" + cells.replace(" ", "\n") + "\nNA\n"
    assert fill(content, value).split("\n")[-2] == expected
    german = content.replace(".", ",")
    assert fill(german, value, separator=";", decimal=",") == fill(content, value).replace(".", ",")


def test_digits_of_a_column_that_is_seldom_observed(fill):
    content = "v,w\n" + "NA,1\n" * 3000 + "0.125,1\n"
    assert fill(content).startswith("v,w\n3.1416,1\n")
    assert fill("v,w\nNA,1\n,2\n").split("\n")[1] == "3.142,1"  # and one that never is


FLAGS = [
    ("a,b,c\n1,,2\n,3,4\n", "a,b,c,a_filled,b_filled\n1,3,2,0,1\n3,3,4,1,0\n"),
    ("a,b,\n1,,\n3,3,\n", "a,b,b_filled,\n1,3,1,\n3,3,0,\n"),
    ('"a";"b"\r\n1,5;2\r\n\r\n;4', '"a";"b";"a_filled"\r\n1,5;2;0\r\n\r\n3,142;4;1'),
    ("1\n\n3\n", "1,0\n3,1\n3,0\n"),
    ("a b\n1 NA\n2 4\n", "a b b_filled\n1 3 1\n2 4 0\n"),
    ("a,b\n1,2\n", "a,b\n1,2\n"),
]


@pytest.mark.parametrize("content,expected", FLAGS)
def test_flags_say_what_was_filled(fill, content, expected):
    assert fill(content, 3.14159, flags=True, name="x.txt") == expected


ADDED = [
    (
        "t,v\n2020-01-01 00:00,1.5\n2020-01-01 03:00,2\n",
        "t,v\n2020-01-01 00:00,1.5\n2020-01-01 01:00,3.142\n2020-01-01 02:00,3.142\n"
        "2020-01-01 03:00,2\n",
    ),
    (  # falling times, carriage returns, a text column, no end behind the last line
        "c;v;t\r\nx;1,5;31.12.2020 02:00\r\ny;2,5;31.12.2020 00:00",
        "c;v;t\r\nx;1,5;31.12.2020 02:00\r\n;3,142;31.12.2020 01:00\r\ny;2,5;31.12.2020 00:00",
    ),
    (  # shuffled: behind the row of the time before, here the last line
        "t,v\r\n2020-01-01 02:00Z,1.5\r\n2020-01-01 00:00Z,2",
        "t,v\r\n2020-01-01 02:00Z,1.5\r\n2020-01-01 01:00Z,3.142\r\n2020-01-01 00:00Z,2",
    ),
    (
        "t,v\r\n2020-01-01 03:00,1.5\r\n2020-01-01 04:00,1.5\r\n2020-01-01 01:00,2",
        "t,v\r\n2020-01-01 03:00,1.5\r\n2020-01-01 04:00,1.5\r\n2020-01-01 01:00,2\r\n"
        "2020-01-01 02:00,3.142",
    ),
    (
        "time,v\n1600000000,1\n1600007200,2\n",
        "time,v\n1600000000,1\n1600003600,3\n1600007200,2\n",
    ),
    (
        'd,c,v\n"12/31/2020",11:00 AM,1\n"12/31/2020",1:00 PM,2\n',
        'd,c,v\n"12/31/2020",11:00 AM,1\n"12/31/2020",12:00 PM,3\n"12/31/2020",1:00 PM,2\n',
    ),
    (
        "t,v\n2020-01-01T01:00+01:00,1\n2020-01-01T04:00+02:00,2\n",
        "t,v\n2020-01-01T01:00+01:00,1\n2020-01-01T02:00+01:00,3\n2020-01-01T04:00+02:00,2\n",
    ),
]


@pytest.mark.parametrize("content,expected", ADDED)
def test_absent_rows_come_back_as_added_rows(fill, content, expected):
    assert fill(content, freq="h") == expected


def test_absent_rows_of_several_series(fill):
    content = "g,t,v\na,2020-01-01,1\na,2020-01-03,2\nb,2020-01-01,3\nb,2020-01-03,4\n"
    written = fill(content, freq="D", group="g", flags=True)
    assert "a,2020-01-02,3,1\na,2020-01-03,2,0\n" in written
    assert "b,2020-01-02,3,1\nb,2020-01-03,4,0\n" in written


CONTENTS = [
    codecs.BOM_UTF8 + "größe,b\r\n1.5,\r\n".encode(),
    "größe,b\n1.5,\n".encode("latin-1"),
    codecs.BOM_UTF16_LE + "größe,b\r\n1.5,\r\n".encode("utf-16-le"),
    codecs.BOM_UTF16_BE + "größe,b\n1.5,".encode("utf-16-be"),
]


@pytest.mark.parametrize("content", CONTENTS)
def test_encodings_come_back(fill, content):
    for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
        three, comma = "3.142".encode(encoding), ",".encode(encoding)
        try:
            if "größe" not in content.decode(encoding):
                continue
        except UnicodeDecodeError:
            continue
        place = content.rindex(comma) + len(comma)
        assert fill(content) == content[:place] + three + content[place:]
        assert fill(content, np.nan) == content


def test_a_compressed_file_comes_back_compressed(fill):
    content = gzip.compress(b"a,b\n1.5,\n", mtime=7)
    assert fill(content, np.nan, name="x.csv.gz") == content
    assert gzip.decompress(fill(content, name="x.csv.gz")) == b"a,b\n1.5,3.142\n"


def test_markers_are_filled(fill):
    content = "a,b\n1.5,-999\n?,2\n"
    assert fill(content, missing=("?", "-999")) == "a,b\n1.5,3\n3.142,2\n"


# Any table.

_NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-1000, 1000, places=2).map(str),
)
_HOLES = st.sampled_from(["", "NA", "NaN", "null"])


@st.composite
def tables(draw):
    """A table as text, a pattern of the same table filled, its separator and decimal mark."""
    separator, mark = draw(st.sampled_from([(",", "."), (";", ","), ("\t", "."), ("|", ".")]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    width, rows = draw(st.integers(2, 4)), draw(st.integers(1, 6))
    labels, quoted = draw(st.booleans()), draw(st.booleans())
    spaces = draw(st.booleans()) and separator != "\t"

    def raw(cell):
        cell = f'"{cell}"' if quoted else cell
        return f" {cell} " if spaces and cell else cell

    header = [raw(f"name {i}") for i in range(width + labels)]
    text, pattern = [separator.join(header)], [re.escape(separator.join(header))]
    for row in range(rows):
        label = raw(f'la{separator if quoted else " "}bel""' if quoted else f"label {row}")
        cells, patterns = ([label], [re.escape(label)]) if labels else ([], [])
        for _ in range(width):  # some number in every column
            hole = row > 0 and draw(st.booleans())
            cell = raw(draw(_HOLES) if hole else draw(_NUMBERS).replace(".", mark))
            cells.append(cell)
            new = re.escape(cell)
            if hole:
                lead, trail = cell[: cell.startswith(" ")], cell[len(cell) - cell.endswith(" ") :]
                quote = '"' * quoted
                new = rf"{lead}{quote}-?\d[\d.,]*(e[+-]\d+)?{quote}{trail}"
            patterns.append(new)
        text.append(separator.join(cells))
        pattern.append(re.escape(separator).join(patterns))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        text.insert(place, "")
        pattern.insert(place, "")
    last = draw(st.sampled_from(["", end]))
    return end.join(text) + last, end.join(pattern) + last, separator, mark


@hypothesis.settings(max_examples=200, deadline=None, database=None)
@hypothesis.given(tables(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_any_table_comes_back_and_only_its_holes_change(tmp_path_factory, table, encoding):
    text, pattern, separator, mark = table
    folder = tmp_path_factory.mktemp("any")
    source, target = folder / "x.csv", folder / "y.csv"
    source.write_bytes(text.encode(encoding))
    options = Options(separator=separator, decimal=mark, header=True)
    read = reading.read(source, options)
    writing.write(target, read, read.values)
    assert target.read_bytes() == source.read_bytes()
    holes = np.isnan(read.values)
    writing.write(target, read, np.where(holes, 7.5, read.values))
    assert re.fullmatch(pattern, target.read_bytes().decode(encoding))
    back = reading.read(target, options).values
    np.testing.assert_array_equal(back[~holes], read.values[~holes])
    assert ((back[holes] >= 7) & (back[holes] <= 8)).all()


# Targets.


def test_a_target_is_checked_before_any_work(tmp_path, monkeypatch):
    writing.check_target(tmp_path / "out.csv", tmp_path / "in.csv")
    writing.check_target("OUT.CSV", "in.csv")
    (tmp_path / "f.csv").mkdir()
    for name, message in (
        ("out.tsv", "so the output must be .csv too"),
        ("out.csv.gz", "so the output must be .csv too"),
        ("out.xlsx", "unknown format"),
        ("no/out.csv", "there is no folder"),
        ("f.csv", "a folder; name a file"),
    ):
        with pytest.raises(InputError, match=message):
            writing.check_target(tmp_path / name, tmp_path / "in.csv")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match="is not writable"):
        writing.check_target(tmp_path / "out.csv", tmp_path / "in.csv")


def test_what_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,\n")
    table = reading.read(tmp_path / "x.csv")
    for name, values, flags, message in (
        ("y.npy", table.values, None, "the output must have the format of the input"),
        ("y.csv.gz", table.values, None, "the output must have the format of the input"),
        ("y.csv", table.values[None], None, "for samples use .npz or .npy"),
        ("y.csv", table.values[:, :1], None, r"shape \(1, 1\); \(1, 2\) is needed"),
        ("y.csv", table.values, np.array([True]), "flags: "),
        ("no/y.csv", table.values, None, "cannot be written"),
    ):
        with pytest.raises(InputError, match=message):
            writing.write(tmp_path / name, table, values, flags)
    assert os.listdir(tmp_path) == ["x.csv"]
