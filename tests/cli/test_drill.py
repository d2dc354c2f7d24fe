"""Inputs of every kind that people bring, through the commands: filled, or one line and nothing.

Each case is a file (or a run, or flags) that is bad or odd in one way. It ends with a filled file
in which every cell that held something is the same to the letter, or with one line that says what
is wrong, and nothing is written. Whatever else happens is a defect.
"""

import contextlib
import csv
import dataclasses
import gzip
import io
import itertools
import os
import pathlib
import shutil
import stat
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from naomi_jax.cli import doors, program
from naomi_jax.errors import InputError

pytestmark = pytest.mark.slow
ROWS = 80
HOLES = ("", "NaN", "nan", "NA", "N/A", "n/a", "null", "NULL", "None", "<NA>", "#N/A")
FILLED, REFUSED, EITHER = "filled", "refused", "either"


@dataclasses.dataclass
class Case:
    """A file and what is to become of it.

    Attributes:
      content: bytes, text, or a function that writes the file.
      words: flags.
      expect: how it ends.
      says: in the line of an error, or in what is printed.
      name: of the file.
      separator, encoding, holes: for the comparison.
      added: how many rows the output has more.
    """

    content: bytes | str | Callable[[pathlib.Path], None]
    words: tuple[str, ...] = ()
    expect: str = FILLED
    says: str = ""
    name: str = "t.csv"
    separator: str = ","
    encoding: str = "utf-8"
    holes: tuple[str, ...] = ()
    added: int = 0


def numbers(rows=ROWS):
    """(rows, 2) with NaN in holes: about 20 and about 1000."""
    t = np.arange(rows)
    noise = np.random.default_rng(0).normal(size=(rows, 2))
    x = np.stack([20 + 5 * np.sin(t / 4), 1000 + 100 * np.cos(t / 6)], axis=1) + noise * [0.2, 4]
    x = x.round(2)
    x[10:16, 0] = x[40:42, 1] = np.nan
    return x


def text(
    names="a,b", times=None, separator=",", hole="", mark=".", end="\n", form="{:.2f}", x=None
):
    """A table; `times` is the format of a first column of stamps, or a list of cells."""
    x = numbers() if x is None else x
    if isinstance(times, str):
        times = pd.date_range("2024-03-01", periods=len(x), freq="h").strftime(times).tolist()
    lines = []
    for i, row in enumerate(x):
        cells = [hole if np.isnan(v) else form.format(v).replace(".", mark) for v in row]
        lines.append(separator.join(cells if times is None else [times[i], *cells]))
    if names is not None:
        lines.insert(0, names.replace(",", separator))
    return end.join([*lines, ""])


def changed(line, to, **options):
    """A table of which one line is another."""
    lines = text(**options).split("\n")
    lines[line] = to
    return "\n".join(lines)


def column(cells, name="c", **options):
    """A table with one more column at its end."""
    lines = text(**options).rstrip("\n").split("\n")
    cells = [name, *itertools.islice(itertools.cycle(cells), len(lines) - 1)]
    return "\n".join(f"{line},{cell}" for line, cell in zip(lines, cells)) + "\n"


ISO = "%Y-%m-%d %H:%M"
STAMPS = [f"2024-03-{1 + i // 24:02} {i % 24:02}:00" for i in range(ROWS)]
OLD_EPOCH = [str(1_709_251_200 + 3600 * i) for i in range(ROWS)]


def shuffled(cells, seed=0):
    order = np.random.default_rng(seed).permutation(ROWS)
    return text("time,a,b", [cells[i] for i in order], x=numbers()[order])


# Text tables.

PLAIN = {
    "plain": Case(text()),
    "no end of line": Case(text().rstrip("\n")),
    "CRLF": Case(text(end="\r\n")),
    "CR alone": Case(text(end="\r"), expect=EITHER),
    "BOM": Case(text().encode("utf-8-sig"), encoding="utf-8-sig"),
    "UTF-16": Case(text("ä,b").encode("utf-16"), encoding="utf-16"),
    "UTF-16 LE without BOM": Case(text("ä,b").encode("utf-16-le"), expect=EITHER),
    "latin-1": Case(text("Übertemp,b").encode("latin-1"), encoding="latin-1"),
    "names of no letters": Case(text("温度,☃")),
    "tab": Case(text(separator="\t"), separator="\t", name="t.tsv"),
    "tab in txt": Case(text(separator="\t"), separator="\t", name="t.txt"),
    "tsv with commas": Case(text(), name="t.tsv"),
    "semicolon": Case(text(separator=";"), separator=";"),
    "semicolon and comma": Case(text(separator=";", mark=","), separator=";"),
    "bar": Case(text(separator="|"), separator="|"),
    "blanks": Case(text(separator=" ", hole="NaN"), separator=" ", name="t.txt"),
    "colon": Case(text(separator=":"), separator=":", words=("--separator", ":")),
    "blank behind commas": Case(text(separator=", "), separator=","),
    "gz": Case(gzip.compress(text().encode()), name="t.csv.gz"),
    "large letters of the name": Case(text(), name="T.CSV"),
    "no header": Case(text(None)),
    "header no": Case(text(None), words=("--header", "no")),
    "header no, but there is one": Case(text(), words=("--header", "no"), expect=REFUSED),
    "header of numbers": Case(text("773869,767541")),
    "header 0,1": Case(text("0,1"), words=("--header", "yes")),
    "quoted header": Case(text('"a","b, c"'.replace(", ", " "))),
    "repeated names": Case(text("a,a")),
    "a name is NA": Case(text("NA,b")),
    "a name is nan": Case(text("a,nan")),
    "a name is empty": Case(text("a,")),
    "names with blanks": Case(text(" a , b ")),
    "a long name": Case(text("a" * 5000 + ",b")),
    "a name with a formula": Case(text("=cmd(),b")),
    "pandas index": Case(text(",a,b", [str(i) for i in range(ROWS)])),
    "pandas index of stamps": Case(text(",a,b", ISO)),
    "index from 5": Case(text(",a,b", [str(i + 5) for i in range(ROWS)])),
    "named row numbers": Case(text("row,a,b", [str(i) for i in range(ROWS)]), says="row numbers"),
    "row numbers from 1": Case(text("no,a,b", [str(i + 1) for i in range(ROWS)]), says="row num"),
    "trailing commas": Case(text().replace("\n", ",\n")),
    "trailing commas below the header": Case(
        "a,b\n" + text(None).replace("\n", ",\n"), expect=EITHER
    ),
    "quotes about all cells": Case(
        "\n".join(
            ",".join(f'"{cell}"' for cell in line.split(",")) for line in text().split("\n")[:-1]
        ),
        holes=('""',),
    ),
    "a quote without an end": Case(changed(5, '"1,2'), expect=REFUSED),
    "a line break in quotes": Case(
        column(['"x\ny"']), expect=EITHER, says="carried through untouched"
    ),
    "a doubled quote in a label": Case(column(['"say ""x"""'])),
    "empty lines at the end": Case(text() + "\n\n\n"),
    "an empty line in the middle": Case(changed(30, "")),
    "blank lines on top": Case("\n\n" + text(), expect=EITHER),
    "one cell too many": Case(changed(7, "1,2,3"), expect=REFUSED, says="line 8"),
    "one cell too few": Case(changed(7, "1"), expect=REFUSED, says="line 8"),
    "a comment on top": Case("# made by hand\n" + text(), expect=REFUSED, says="comment"),
    "a comment inside": Case(changed(9, "# sensor changed"), expect=REFUSED, says="comment"),
    "a title on top": Case("Station 5\n" + text(), expect=REFUSED),
    "sep=": Case("sep=,\n" + text(), expect=REFUSED, says="remove this line"),
    "units": Case(changed(1, "degC,hPa"), expect=REFUSED, says="units"),
    "a word among numbers": Case(changed(9, "oops,1"), expect=REFUSED, says="--missing oops"),
    "percent": Case(column(["5%", "7%"]), expect=REFUSED, says="percent"),
    "thousands": Case(column(['"1,234.5"', '"2,234.5"']), expect=REFUSED, says="thousands"),
    "currency": Case(column(["$5", "$6"]), expect=REFUSED, says="currency"),
    "labels": Case(column(["north", "south"])),
    "switches": Case(column(["True", "False"])),
    "labels with holes": Case(column(["north", "", "south"])),
    "a label in each row": Case(column([f"id{i}" for i in range(ROWS)])),
    "labels alone": Case("a,b\n" + "x,y\n" * 30, expect=REFUSED, says="no column of numbers"),
    "empty file": Case("", expect=REFUSED, says="empty"),
    "line ends alone": Case("\n\n\n", expect=REFUSED),
    "header alone": Case("a,b\n", expect=REFUSED),
    "header and one row": Case("a,b\n1,2\n", expect=REFUSED, says="one row"),
    "two rows": Case("a,b\n1,\n2,3\n", expect=EITHER),
    "three rows": Case("a,b\n1,5\n2,\n3,9\n"),
    "ten rows": Case(text(x=numbers()[8:18])),
    "no numbers at all": Case("a,b\n" + ",\n" * 20, expect=REFUSED),
    "one value in all": Case("a,b\n1.5,\n" + ",\n" * 30),
    "a column that is empty": Case(column([""]), says="'c' has no value: it stays empty"),
    "nothing missing": Case(text(x=np.nan_to_num(numbers(), nan=3.0)), says="nothing was missing"),
    "one column": Case(text("a", x=numbers()[:, :1])),
    "one column, no header": Case(text(None, x=numbers()[:, :1])),
    "one column, decimal commas": Case(text("a", mark=",", x=numbers()[:, :1]), separator="\0"),
    "one column, holes NaN": Case(text("a", hole="NaN", x=numbers()[:, :1])),
    "bytes of nothing": Case(bytes(2000), expect=REFUSED),
    "random bytes": Case(np.random.default_rng(0).bytes(3000), expect=REFUSED),
    "a NUL in a cell": Case(changed(5, "1\0,2"), expect=REFUSED),
    "an archive by the name csv": Case(gzip.compress(text().encode()), expect=REFUSED),
    "a table by the name gz": Case(text(), name="t.csv.gz", expect=REFUSED),
    "half an archive": Case(
        gzip.compress(text().encode())[:200], name="t.csv.gz", expect=REFUSED
    ),
    "another extension": Case(text(), name="t.xlsx", expect=REFUSED, says="unknown format"),
    "no extension": Case(text(), name="table", expect=REFUSED, says="unknown format"),
    "html": Case("<html><body>404</body></html>\n", expect=REFUSED),
    "json": Case('{"a": [1, 2], "b": [3, 4]}\n', expect=REFUSED),
    "json in many lines": Case('{\n"a": 1,\n"b": 2\n}\n', expect=REFUSED),
}  # fmt: skip
MARKERS = {
    f"hole {hole!r}": Case(text(hole=hole), holes=(hole,)) for hole in HOLES
} | {
    f"hole {hole!r} unsaid": Case(text(hole=hole), expect=REFUSED, says="--missing")
    for hole in ("?", "-", "missing", "x")
} | {
    f"hole {hole!r} said": Case(text(hole=hole), (f"--missing={hole}",), holes=(hole,))
    for hole in ("?", "-", "missing", "-999", "-999.0", "1e30", "0")
} | {
    "hole -999 unsaid": Case(text(hole="-999"), says="--missing -999"),
    "hole -9999 said as number": Case(
        text(hole="-9999.00"), ("--missing", "-9999"), holes=("-9999.00",)
    ),
    "two markers": Case(
        text(hole="?").replace("?", "-", 3), ("--missing=?", "--missing=-"), holes=("?", "-")
    ),
    "blank holes": Case(text(hole="  "), holes=("  ",)),
    "a marker that is nowhere": Case(text(), ("--missing", "-5")),
    "every value is a marker": Case(
        "a,b\n" + "7,7\n" * 30, ("--missing", "7"), expect=REFUSED
    ),
}  # fmt: skip
FORMS = {
    "ISO": ISO, "ISO T": "%Y-%m-%dT%H:%M:%S", "Z": "%Y-%m-%dT%H:%M:%SZ", "German": "%d.%m.%Y %H:%M",
    "zone": "%Y-%m-%d %H:%M+01:00", "compact": "%Y%m%d%H%M", "slashes": "%Y/%m/%d %H:%M",
    "twelve hours": "%Y-%m-%d %I:%M %p", "named month": "%d-%b-%Y %H:%M", "seconds": "%s",
}  # fmt: skip
TIMES = {f"time {k}": Case(text("time,a,b", form)) for k, form in FORMS.items()} | {
    "time last": Case(column(STAMPS, "when")),
    "time without a name": Case(text(",a,b", STAMPS)),
    "time without a header": Case(text(None, STAMPS)),
    "milliseconds": Case(text("time,a,b", [c + "000" for c in OLD_EPOCH])),
    "microseconds": Case(text("time,a,b", [c + "000000" for c in OLD_EPOCH])),
    "epoch with decimals": Case(text("timestamp,a,b", [c + ".5" for c in OLD_EPOCH])),
    "elapsed": Case(text("t,a,b", [f"{0.1 * i:.1f}" for i in range(ROWS)])),
    "two columns of time": Case(
        text("date,clock,a,b", [s.replace(" ", ",") for s in STAMPS])
    ),
    "shuffled": Case(shuffled(STAMPS)),
    "falling": Case(text("time,a,b", STAMPS[::-1])),
    "doubled": Case(
        text("time,a,b", [*STAMPS[:9], STAMPS[8], *STAMPS[10:]]), expect=REFUSED, says="stands"
    ),
    "all the same": Case(text("time,a,b", STAMPS[:1] * ROWS), expect=REFUSED),
    "day or month": Case(
        text("time,a,b", "%d/%m/%Y %H:%M").replace("/2024", "/2024"), expect=REFUSED, says="--dayf"
    ),
    "day first": Case(text("time,a,b", "%d/%m/%Y %H:%M"), ("--dayfirst", "yes")),
    "month first": Case(text("time,a,b", "%m/%d/%Y %H:%M"), ("--dayfirst=no",)),
    "day first, but it is not": Case(
        text("time,a,b", [f"01/{i % 28 + 1:02}/{2000 + i // 28} 00:00" for i in range(ROWS)]),
        ("--dayfirst", "yes"), REFUSED, "order of day and month",
    ),
    "a time is missing": Case(text("time,a,b", ["", *STAMPS[1:]]), expect=REFUSED, says="no time"),
    "a time is a word": Case(
        text("time,a,b", [*STAMPS[:30], "later", *STAMPS[31:]]), expect=REFUSED, says="'later'"
    ),
    "30 February": Case(
        text("time,a,b", [*STAMPS[:3], "2024-02-30 00:00", *STAMPS[4:]]), expect=REFUSED
    ),
    "year 1": Case(text("time,a,b", ["0001-01-01", *STAMPS[1:]]), expect=REFUSED),
    "zones here and there": Case(
        text("time,a,b", [f"{s}{'Z' * (i % 2)}" for i, s in enumerate(STAMPS)]), expect=REFUSED
    ),
    "an hour of summer time": Case(
        text("time,a,b", [*STAMPS[:5], STAMPS[4], *STAMPS[5:-1]]), expect=REFUSED, says="summer"
    ),
    "rows absent": Case(
        "\n".join(
            line for i, line in enumerate(text("time,a,b", ISO).split("\n")) if i not in (30, 31)
        )
    ),
    "rows absent, freq": Case(
        "\n".join(
            line for i, line in enumerate(text("time,a,b", ISO).split("\n")) if i not in (30, 31)
        ),
        ("--freq", "h"), says="2 absent rows added", added=2,
    ),
    "freq without dates": Case(text(), ("--freq", "h"), REFUSED, "needs a column of dates"),
    "freq of no meaning": Case(text("time,a,b", ISO), ("--freq", "often"), REFUSED, "--freq"),
    "freq too long": Case(text("time,a,b", ISO), ("--freq", "D"), REFUSED, "no step of --freq"),
    "freq too short": Case(text("time,a,b", ISO), ("--freq", "us"), REFUSED, "use a longer step"),
    "time that is not there": Case(text(), ("--time", "time"), REFUSED, "no such column"),
    "time that is a sensor": Case(text(), ("--time", "a"), REFUSED),
    "dates only": Case("time\n" + "\n".join(STAMPS) + "\n", expect=REFUSED),
    "days": Case(
        text("date,a,b", pd.date_range("2020-01-31", periods=ROWS).strftime("%Y-%m-%d").tolist())
    ),
    "months": Case(
        text("m,a,b", pd.date_range("2001", periods=ROWS, freq="MS").strftime("%Y-%m").tolist())
    ),
    "years": Case(text("year,a,b", [str(1900 + i) for i in range(ROWS)])),
}  # fmt: skip


def grouped(labels):
    times = [STAMPS[i % 40] for i in range(ROWS)]
    cells = [f"{label},{stamp}" for label, stamp in zip(labels, times)]
    return text("station,time,a,b", cells)


HALVES = ["n"] * 40 + ["s"] * 40
SERIES = {
    "groups": Case(grouped(HALVES), ("--group", "station"), says="series by 'station'"),
    "groups unsaid": Case(grouped(HALVES), expect=REFUSED, says="--group COLUMN"),
    "groups by number": Case(grouped(["1"] * 40 + ["2"] * 40), ("--group=station",)),
    "group that is not there": Case(grouped(HALVES), ("--group", "x"), REFUSED, "no such column"),
    "group and time the same": Case(
        grouped(HALVES), ("--group", "time", "--time", "time"), REFUSED, "cannot be both"
    ),
    "a label is missing": Case(
        grouped(["", *HALVES[1:]]), ("--group", "station"), expect=EITHER
    ),
    "a series for each row": Case(
        grouped([f"s{i}" for i in range(ROWS)]), ("--group", "station"), expect=EITHER
    ),
    "freq in groups": Case(
        "\n".join(line for i, line in enumerate(grouped(HALVES).split("\n")) if i != 30),
        ("--group", "station", "--freq", "h"), added=1,
    ),
}  # fmt: skip


def scaled(factor, shift=0.0, form="{:.6g}"):
    return text(form=form, x=(numbers() - [20, 1000]) * factor + shift)


VALUES = {
    "huge": Case(scaled(1e30)),
    "beyond float32": Case(scaled(1e39)),
    "at the end of float64": Case(scaled(1e305), expect=REFUSED, says="is too large"),
    "tiny": Case(scaled(1e-30)),
    "subnormal": Case(scaled(1e-310), expect=EITHER),
    "1.7e9 and little": Case(scaled(0.05, 1.7e9, "{:.3f}")),
    "large integers": Case(scaled(1e6, 1e17, "{:.0f}")),
    "integers beyond 64 bits": Case(
        text(x=numbers()).replace("\n2", "\n99999999999999999999"), expect=EITHER
    ),
    "integers": Case(text(form="{:.0f}")),
    "leading zeros": Case(text(form="{:08.2f}")),
    "plus signs": Case(text(form="{:+.2f}")),
    "exponents": Case(text(form="{:.4e}")),
    "17 digits": Case(text(form="{:.17g}")),
    "inf": Case(changed(5, "inf,1"), expect=REFUSED, says="infinite"),
    "1e999": Case(changed(5, "1e999,1"), expect=REFUSED, says="infinite"),
    "hexadecimal": Case(changed(5, "0x1F,1"), expect=REFUSED),
    "underscores": Case(changed(5, "1_000,1"), expect=REFUSED),
    "another script's digits": Case(changed(5, "٣,1"), expect=EITHER),
    "constant": Case(text(x=numbers() * 0 + 7)),
    "zeros": Case(text(x=numbers() * 0)),
    "switch": Case(text(form="{:.0f}", x=(numbers() > [20, 1000]) + 0.0 * numbers())),
    "one spike": Case(changed(60, "99999,1000")),
    "a step": Case(text(x=numbers() + [0, 500] * (np.arange(ROWS) > 50)[:, None])),
    "decimal comma forced": Case(
        text(separator=";", mark=","), ("--decimal", ","), separator=";"
    ),
    "decimal point forced on commas": Case(
        text(separator=";", mark=","), ("--decimal", "."), REFUSED, "decimal comma"
    ),
    "holes at both ends": Case(changed(1, ",").rsplit("\n", 2)[0] + "\n,\n"),
    "a hole of half the table": Case(
        text(x=np.where((np.arange(ROWS) < 45)[:, None] & [True, False], np.nan, numbers()))
    ),
    "every second row": Case(
        text(x=np.where((np.arange(ROWS) % 2 == 0)[:, None], np.nan, numbers()))
    ),
}  # fmt: skip
FLAGS = {
    " ".join(case.words): case
    for case in (
        Case(text(), ("--max-gap", "3"), says="stay empty"),
        Case(text(), ("--max_gap=1000",)),
        Case(text(), ("--minutes", "0.0001")),
        Case(text(), ("--header", "YES")),
        Case(text(), ("--separator", ""), REFUSED, "--separator"),
        Case(text(), ("--separator", "ab"), REFUSED, "--separator"),
        Case(text(), ("--separator", ";"), EITHER),
        Case(text(), ("--separator", "."), REFUSED, "--separator"),
        Case(text(separator="\t"), ("--separator", "tab"), separator="\t"),
        Case(text(), ("--missing", ""), FILLED),
        Case(text(), ("--time", ""), EITHER),
        Case(text(), ("--group", ""), EITHER),
        Case(text(), ("--workdir", "t.csv"), REFUSED, "t.csv"),
        Case(text(), ("--workdir", "t.csv/x"), REFUSED, "t.csv"),
        Case(text(), ("--workdir", "w $HOME é"), FILLED, "'w $HOME é'"),
        Case(text(), ("--workdir", "a/b/c"), FILLED),
        Case(text(), ("--workdir", "x" * 300), REFUSED, "cannot be written"),
        Case(text(), ("--workdir", ""), FILLED),
    )
}


def in_npy(change):
    return lambda path: np.save(path, change(numbers()))


def claims(path):
    """A header of an array that would fill 7 TiB."""
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
    np.lib.format.write_array_header_1_0(stream, header)
    path.write_bytes(stream.getvalue() + bytes(100))


def with_objects(path):
    np.save(path, np.array([[1, None], [2, "x"]], object), allow_pickle=True)


def in_npz(**arrays):
    return lambda path: np.savez(path, **arrays)


def marked(x, low=False):
    return np.nan_to_num(x, nan=-9).astype(np.int16)


ARRAYS = {
    "float64": Case(in_npy(lambda x: x)),
    "float32": Case(in_npy(lambda x: x.astype(np.float32))),
    "float16": Case(in_npy(lambda x: x.astype(np.float16))),
    "big endian": Case(in_npy(lambda x: x.astype(">f8"))),
    "long double": Case(in_npy(lambda x: x.astype(np.longdouble))),
    "Fortran's order": Case(in_npy(np.asfortranarray)),
    "integers with a marker": Case(in_npy(marked), ("--missing", "-9"), holes=("-9",)),
    "integers": Case(in_npy(marked), says="nothing was missing"),
    "complex": Case(in_npy(lambda x: x * 1j), expect=REFUSED, says="numbers are needed"),
    "switches": Case(in_npy(lambda x: x > 5), expect=REFUSED, says="numbers are needed"),
    "text": Case(in_npy(lambda x: x.astype(str)), expect=REFUSED, says="numbers are needed"),
    "stamps": Case(
        in_npy(lambda x: np.arange(8).astype("M8[D]").reshape(4, 2)), expect=REFUSED
    ),
    "objects": Case(with_objects, expect=REFUSED, says="pickled"),
    "one dimension": Case(in_npy(lambda x: x[:, 0]), expect=REFUSED, says="shape (80,)"),
    "four dimensions": Case(in_npy(lambda x: x[None, None]), expect=REFUSED),
    "a number": Case(in_npy(lambda x: np.float64(3)), expect=REFUSED),
    "no rows": Case(in_npy(lambda x: x[:0]), expect=REFUSED),
    "no columns": Case(in_npy(lambda x: x[:, :0]), expect=REFUSED),
    "one row": Case(in_npy(lambda x: x[:1]), expect=REFUSED, says="one row"),
    "sequences": Case(in_npy(lambda x: x.reshape(4, 20, 2))),
    "one sequence": Case(in_npy(lambda x: x[None])),
    "sequences of one row": Case(in_npy(lambda x: x[:, None]), expect=REFUSED),
    "sequences of two rows": Case(in_npy(lambda x: x.reshape(-1, 2, 2)), expect=EITHER),
    "infinity": Case(in_npy(lambda x: np.where(x > 24, np.inf, x)), expect=REFUSED),
    "all missing": Case(in_npy(lambda x: x * np.nan), expect=REFUSED),
    "claims 7 TiB": Case(claims, expect=REFUSED, says="claims"),
    "no array": Case("a,b\n1,2\n", expect=REFUSED),
    "half of it": Case(
        lambda path: path.write_bytes((np.save(path, numbers()), path.read_bytes()[:500])[1]),
        expect=REFUSED,
    ),
    "time is for tables": Case(in_npy(lambda x: x), ("--time", "a"), REFUSED, "--time"),
    "freq is for tables": Case(in_npy(lambda x: x), ("--freq", "h"), REFUSED, "--freq"),
    "flag is for tables": Case(in_npy(lambda x: x), ("--flag",), REFUSED, "--flag"),
}  # fmt: skip
ARRAYS = {f"npy {k}": dataclasses.replace(c, name="t.npy") for k, c in ARRAYS.items()} | {
    f"npz {k}": dataclasses.replace(c, name="t.npz")
    for k, c in {
        "data": Case(in_npz(data=numbers(), more=np.arange(3))),
        "one of another name": Case(in_npz(x=numbers())),
        "two of other names": Case(in_npz(x=numbers(), y=numbers()), (), REFUSED, "no key 'data'"),
        "empty": Case(in_npz(), (), REFUSED),
        "text inside": Case(in_npz(data=np.array([["a"]])), (), REFUSED),
        "no archive": Case("PK but no archive", (), REFUSED),
    }.items()
}


def in_parquet(change=lambda frame: frame, **options):
    def write(path):
        frame = pd.DataFrame(numbers(), columns=["a", "b"])
        change(frame).to_parquet(path, **options)

    return write


PARQUET = {
    "plain": Case(in_parquet()),
    "index of stamps": Case(
        in_parquet(lambda f: f.set_index(pd.date_range("2024", periods=ROWS, freq="h")))
    ),
    "float32": Case(in_parquet(lambda f: f.astype("float32"))),
    "nullable integers": Case(in_parquet(lambda f: f.round().astype("Int16"))),
    "labels": Case(in_parquet(lambda f: f.assign(c="x"))),
    "categories": Case(in_parquet(lambda f: f.assign(c=pd.Categorical(["x", "y"] * 40)))),
    "zoned": Case(
        in_parquet(
            lambda f: f.assign(t=pd.date_range("2024", periods=ROWS, freq="h", tz="Asia/Tokyo"))
        )
    ),
    "lists": Case(in_parquet(lambda f: f.assign(c=[[1, 2]] * ROWS)), expect=EITHER),
    "packed": Case(in_parquet(compression="gzip")),
    "freq": Case(
        in_parquet(lambda f: f.set_index(pd.date_range("2024", periods=ROWS, freq="h")).drop(
            pd.Timestamp("2024-01-02"))), ("--freq", "h"), added=1,
    ),
    "flags": Case(in_parquet(), ("--flag",)),
    "separator is for text": Case(in_parquet(), ("--separator", ";"), REFUSED, "--separator"),
    "no rows": Case(in_parquet(lambda f: f[:0]), expect=REFUSED, says="no rows"),
    "no parquet": Case("a,b\n", expect=REFUSED),
    "labels alone": Case(in_parquet(lambda f: f.astype(str)), expect=REFUSED),
}  # fmt: skip
PARQUET = {f"parquet {k}": dataclasses.replace(c, name="t.parquet") for k, c in PARQUET.items()}

CASES = PLAIN | MARKERS | TIMES | SERIES | VALUES | FLAGS | ARRAYS | PARQUET


def test_there_are_many():
    assert len(CASES) >= 150


# What must be true of every case.


def write(path, content):
    if callable(content):
        content(path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def everything(folder):
    """Every file with what is in it."""
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if os.access(path, os.R_OK)
    }


def run(command, words, folder, says, expect):
    """Whether a command has filled; else it said one line and changed nothing."""
    before = everything(folder)
    out, err = io.StringIO(), io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("error")
            command(words)
    except InputError as error:
        assert expect != FILLED, error
        line = str(error)
        assert "\n" not in line.strip() and line.strip(), line
        assert len(line) < 700, line
        if expect == REFUSED:
            assert says in line
        assert everything(folder) == before
        return False
    assert expect != REFUSED, out.getvalue()
    if expect == FILLED:
        assert says in out.getvalue()
    stages = ("reading ", "learning ", "filling ", "still ")
    assert all(line.startswith(stages) for line in err.getvalue().splitlines())
    after = everything(folder)
    assert {path: after.get(path) for path in before} == before, "a file of the user has changed"
    return True


def training(words):
    program.command(doors.training(words))


def evaluating(words):
    program.command(doors.evaluation(words))


@pytest.mark.parametrize("name", CASES)
def test_a_table(name, tmp_path, monkeypatch):
    case = CASES[name]
    source, target = tmp_path / case.name, tmp_path / f"filled_{case.name}"
    write(source, case.content)
    monkeypatch.chdir(tmp_path)
    words = ["--data", source.name, "--fill", target.name, *case.words]
    if run(training, words, tmp_path, case.says, case.expect):
        compare(case, source, target)


def compare(case, source, target):
    kind = source.suffix.lower()
    if kind in (".npy", ".npz"):
        old, new = (np.load(path) for path in (source, target))
        if kind == ".npz":
            assert old.files and sorted(old.files) == sorted(new.files)
            key = "data" if "data" in old.files else old.files[0]
            for name in set(old.files) - {key}:
                assert np.array_equal(old[name], new[name])
            old, new = old[key], new[key]
        assert old.dtype == new.dtype and old.shape == new.shape
        holes = np.isnan(old) if old.dtype.kind == "f" else np.zeros(old.shape, bool)
        for marker in case.holes:
            holes |= old == float(marker)
        assert old[~holes].tobytes() == new[~holes].tobytes()
        assert np.isfinite(new).all() and (new[holes] >= np.nanmin(old) - 200).all()
    elif kind == ".parquet":
        compare_frames(pd.read_parquet(source), pd.read_parquet(target), case)
    else:
        compare_text(case, decoded(source, case), decoded(target, case))


def compare_frames(old, new, case):
    if "--flag" in case.words:
        assert (new.pop("a_filled") == old["a"].isna()).all()
        assert (new.pop("b_filled") == old["b"].isna()).all()
    assert len(new) == len(old) + case.added and list(old.columns) == list(new.columns)
    new = new.loc[old.index]
    for name in old:
        assert old[name].dtype == new[name].dtype
        known = old[name].notna()
        pd.testing.assert_series_equal(old[name][known], new[name][known], check_exact=True)
        assert new[name].notna().all()


def decoded(path, case):
    content = path.read_bytes()
    if path.name.endswith(".gz"):
        content = gzip.decompress(content)
    return content.decode(case.encoding)


def rows_of(content, separator):
    """Raw cells of each line; those of a file with quotes are read with the csv module."""
    if '"' in content and separator == ",":
        return list(csv.reader(io.StringIO(content, newline="")))
    mark = "\n" if "\n" in content else "\r"
    return [line.split(separator) for line in content.split(mark)]


def compare_text(case, old, new):
    """Cell by cell; a hole may have become a number within reach of its column's values."""
    assert old.count('"') == new.count('"') and old.count("\r") == new.count("\r")
    old, new = (rows_of(content, case.separator) for content in (old, new))
    assert len(new) == len(old) + case.added
    if case.added:
        assert {tuple(row) for row in new} >= {tuple(row) for row in old if all(row)}
        return
    values = {}
    for row in zip(old, new):
        assert len(row[0]) == len(row[1]), row
        for number, (x, y) in enumerate(zip(*row)):
            known, filled = values.setdefault(number, ([], []))
            if x == y:
                with contextlib.suppress(ValueError):
                    known.append(number_in(x))
                continue
            hole = x.strip(" \r") in HOLES or x in case.holes or x.strip("\r") in case.holes
            assert hole, f"{x!r} has become {y!r}"
            filled.append(number_in(y))
    assert_within_reach(values)


def number_in(cell):
    return float(cell.strip(' \r"').replace(",", "."))


def assert_within_reach(values):
    for known, filled in values.values():
        known = [v for v in known if np.isfinite(v)]
        if filled and known:
            low, high = min(known), max(known)
            room = 3 * (high - low) + 1e-12 * abs(high)
            for value in filled:
                assert low - room <= value <= high + room, (low, high, value)


# Runs and files.


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs, on a table with names and times, and on a plain one."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "t.csv").write_text(text("time,a,b", ISO))
    (folder / "plain.csv").write_text(text(None))
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        training(["--data", "t.csv", "--fill", "f.csv"])
        training(["--data", "plain.csv", "--fill", "f.csv"])
    return folder / "runs"


def the(run, file):
    """The one file of a run that fits a pattern."""
    (found,) = run.glob(file)
    return found


def flipped(share, file):
    def change(run):
        content = bytearray(the(run, file).read_bytes())
        content[int(share * (len(content) - 1))] ^= 4
        the(run, file).write_bytes(content)

    return change


def replaced(file, content):
    return lambda run: the(run, file).write_bytes(content)


def edited(old, new):
    def change(run):
        found = (run / "imputer.json").read_text()
        assert old in found
        (run / "imputer.json").write_text(found.replace(old, new, 1))

    return change


def cut(file, share):
    return lambda run: the(run, file).write_bytes(
        the(run, file).read_bytes()[: int(share * the(run, file).stat().st_size)]
    )


def a_folder(file):
    def change(run):
        path = the(run, file)
        path.unlink()
        path.mkdir()

    return change


def sealed(run):
    run.chmod(stat.S_IRUSR | stat.S_IXUSR)


DAMAGE = {
    **{f"{f} at {s}": (flipped(s, f), REFUSED) for f in ("imputer.json", "imputer-*.npz")
       for s in (0, 0.1, 0.5, 0.9, 1)},
    **{f"half of {f}": (cut(f, 0.5), REFUSED) for f in ("imputer.json", "imputer-*.npz")},
    **{f"empty {f}": (replaced(f, b""), REFUSED) for f in ("imputer.json", "imputer-*.npz")},
    **{f"no {f}": (lambda run, f=f: the(run, f).unlink(), REFUSED)
       for f in ("imputer.json", "imputer-*.npz")},
    **{f"imputer.json of {c[:9]}": (replaced("imputer.json", c), REFUSED)
       for c in (b"[]", b"null", b"{}", b'{"a": 1}', b"\xff\xfe", b"[" * 99999, b"NaN")},
    "a folder for a file": (a_folder("imputer-*.npz"), REFUSED),
    "another window": (edited('"window":', '"windov":'), REFUSED),
    "another seed": (edited('"seed": 0', '"seed": 5'), REFUSED),
    "another name": (edited('"a"', '"z"'), REFUSED),
    "a folder that cannot be written": (sealed, FILLED),
    "a name like a flag": (lambda run: None, FILLED),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_run(name, runs, tmp_path, monkeypatch):
    change, expect = DAMAGE[name]
    shutil.copytree(runs / "t", tmp_path / "r")
    (tmp_path / "t.csv").write_text(text("time,a,b", ISO))
    change(tmp_path / "r")
    monkeypatch.chdir(tmp_path)
    try:
        if run(evaluating, ["r", "--impute", "t.csv", "--out", "o.csv"], tmp_path, "", expect):
            compare(Case(""), tmp_path / "t.csv", tmp_path / "o.csv")
        run(evaluating, ["r"], tmp_path, "", EITHER)
        words = ["--data", "t.csv", "--fill", "o2.csv", "--workdir", "r"]
        run(training, words, tmp_path, "", EITHER)
    finally:
        (tmp_path / "r").chmod(0o700)


OTHERS = {
    "the same": (text("time,a,b", ISO), FILLED),
    "another order": (
        pd.DataFrame({"b": numbers()[:, 1], "time": STAMPS, "a": numbers()[:, 0]}).to_csv(
            index=False
        ),
        FILLED,
    ),
    "one more": (column(["5", "7"], times=ISO, names="time,a,b"), FILLED),
    "one less": (text("time,a", ISO, x=numbers()[:, :1]), REFUSED),
    "other names": (text("time,x,y", ISO), REFUSED),
    "no names": (text(None, ISO), FILLED),
    "large letters": (text("time,A,B", ISO), REFUSED),
    "no times": (text(), REFUSED),
    "times of another name": (text("when,a,b", ISO), FILLED),
    "times of another form": (text("time,a,b", "%d.%m.%Y %H:%M"), FILLED),
    "times as numbers": (text("time,a,b", [str(i) for i in range(ROWS)]), REFUSED),
    "times of another step": (
        text("time,a,b", pd.date_range("2024", periods=ROWS, freq="7min").astype(str).tolist()),
        FILLED,
    ),
    "times doubled": (text("time,a,b", STAMPS[:1] * ROWS), REFUSED),
    "one row": ("time,a,b\n2024-03-01 00:00,,1000\n", EITHER),
    "all missing": ("time,a,b\n" + "".join(f"{s},,\n" for s in STAMPS), EITHER),
    "one column missing": (
        text("time,a,b", ISO, x=numbers() * [1, np.nan]), FILLED,
    ),
    "values far away": (text("time,a,b", ISO, x=numbers() + 1e9), FILLED),
    "a column is text": (column(["u"], "b", names="time,a,c", times=ISO), REFUSED),
    "decimal commas": (text("time,a,b", ISO, separator=";", mark=","), FILLED),
    "shuffled": (shuffled(STAMPS), FILLED),
    "labels too": (column(["u", "v"], "kind", names="time,a,b", times=ISO), FILLED),
    "a name twice": (
        column(["1.5", "2.5"], "a", names="time,a,b", times=ISO), EITHER,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_another_table(name, runs, tmp_path, monkeypatch):
    content, expect = OTHERS[name]
    (tmp_path / "t.csv").write_text(content)
    monkeypatch.chdir(tmp_path)
    words = [str(runs / "t"), "--impute", "t.csv", "--out", "o.csv"]
    separator = ";" if "commas" in name else ","
    if run(evaluating, words, tmp_path, "", expect):
        compare(Case("", separator=separator), tmp_path / "t.csv", tmp_path / "o.csv")


EVALUATIONS = {
    " ".join(map(str, words)): (words, expect)
    for words, expect in (
        (["--out", "no/o.csv"], REFUSED),
        (["--out", "t.csv"], REFUSED),
        (["--out", "link.csv"], REFUSED),
        (["--out", "folder.csv"], REFUSED),
        (["--out", ""], REFUSED),
        (["--out", "o.tsv"], REFUSED),
        (["--out", "$o é.csv"], FILLED),
        (["--out", "o.csv", "--samples", "2"], FILLED),
        (["--out", "o.csv", "--flag"], FILLED),
        (["--out", "o.csv", "--time", "a"], REFUSED),
        (["--out", "o.csv", "--group", "a"], EITHER),
        (["--out", "o.csv", "--missing", "20.5"], FILLED),
        (["--out", "o.csv", "another"], REFUSED),
    )
}


@pytest.mark.parametrize("name", EVALUATIONS)
def test_an_evaluation(name, runs, tmp_path, monkeypatch):
    words, expect = EVALUATIONS[name]
    (tmp_path / "t.csv").write_text(text("time,a,b", ISO))
    (tmp_path / "link.csv").symlink_to("t.csv")
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    run(evaluating, [str(runs / "t"), "--impute", "t.csv", *words], tmp_path, "", expect)
