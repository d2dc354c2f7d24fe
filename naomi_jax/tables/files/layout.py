"""How a text file is laid out: separator, decimal mark, header. Found on its first lines."""

import collections
import dataclasses
import itertools
import re

from naomi_jax.errors import InputError
from naomi_jax.tables.columns import cells
from naomi_jax.tables.files.text import BLANKS, Text, content, is_blank, split
from naomi_jax.tables.options import Options
from naomi_jax.tables.printable import printable

_SAMPLE = 1000  # lines that decide
_CELLS = 100_000  # in them, at most
_SCORED = 100  # of them, for the separator
_SEPARATORS = (",", ";", "\t", "|")  # the first of equals wins
_FAR = 10  # times a column's largest value: a header of numbers, such as sensor ids
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_NOTE = "the first line, {}, was taken for {}; --header {} if it is not"
_SPELLINGS = {"tab": "\t", "\\t": "\t", "blanks": BLANKS}
_NAMES = {",": "','", ";": "';'", "\t": "tab", "|": "'|'", BLANKS: "blanks"}


@dataclasses.dataclass(frozen=True)
class Layout:
    """The form of a text file.

    Attributes:
      separator: between cells; `BLANKS` for any run of blanks.
      decimal: "." or ",".
      header: whether the first line that is not blank holds names.
      titles: the names as they stand in the header, one for each column; empty without a header.
      width: columns, without the empty one behind a separator that ends every line.
      trailing: whether a separator ends every line.
      notes: on what was assumed.
    """

    separator: str
    decimal: str
    header: bool
    titles: tuple[str, ...]
    width: int
    trailing: bool
    notes: tuple[str, ...]


def separator(text: Text, options: Options, path: str) -> tuple[str, str | None]:
    """What separates the cells, and the decimal mark if that tells it.

    Raises:
      InputError: an option that is not accepted, or a line that other programs put first.
    """
    found, decimal = _given(options)
    lines = _sample(text.lines, found or ",")
    if lines[0].lower().startswith("sep="):
        raise InputError(f"{path}, line 1: {lines[0].strip()!r}; remove this line")
    return _separator(lines, decimal, path) if found is None else (found, decimal)


def find(
    records: list[str], separator: str, decimal: str | None, options: Options, path: str
) -> Layout:
    """The form of a file, from its first records and what the user says.

    Raises:
      InputError: a header and nothing else, or a comment in its place.
    """
    lines = _sample(records, separator)
    lines = lines[: max(_CELLS // len(split(lines[-1], separator)[0]), 20)]
    rows = [[content(c) for c in split(line, separator)[0]] for line in lines]
    decimal = decimal or _decimal(rows, separator)
    width = _width(rows)[0]
    full = [row for row in rows if len(row) == width]
    if lines[0].lstrip().startswith("#") and len(rows[0]) < width:
        number = records.index(lines[0]) + 1
        raise InputError(f"{path}, line {number}: a comment; remove it, or its '#' alone")
    short = len(rows[0]) == width - 1 and _is_row_of_values(rows[1:], decimal)
    trailing = width > 1 and not any(row[-1] for row in (full if rows[0] is not full[0] else rows))
    if trailing and separator != BLANKS:  # beyond the sample, too
        trailing = all(
            line.rstrip(" \r").endswith(separator)
            for line in records[records.index(lines[0]) + 1 :]
            if not is_blank(line, separator)
        )
    if short and not trailing:  # as R writes row names: their column has no title
        rows[0] = ["", *rows[0]]
    if trailing:
        rows, width = [row[: width - 1] for row in rows], width - 1
    kinds = [
        [cells.kind(c, decimal, options.missing) for c in row] for row in rows if len(row) == width
    ]
    fits = len(rows[0]) == width
    header, notes = _header(rows, kinds) if fits else (True, [])
    if options.header is not None:
        header, notes = options.header, []
    if len(rows) == 1 and header:
        raise InputError(f"{path}: a header and nothing else")
    if (separator, decimal) not in ((",", "."), ("\t", ".")) and width > 1:
        notes = [f"separator {_NAMES.get(separator, separator)}, decimal mark {decimal!r}", *notes]
    elif decimal == "," and width == 1:
        notes = ["one column, decimal mark ','", *notes]
    titles = tuple(rows[0]) if header and fits else ("",) * width if header else ()
    return Layout(separator, decimal, header, titles, width, trailing, tuple(notes))


def _is_row_of_values(rows, decimal):
    """Whether the first of these rows has a number behind its first cell: no second title."""
    return any(cells.kind(c, decimal) == "number" for row in rows[:1] for c in row[1:])


def _given(options):
    """Separator and decimal mark as the user says them, or None."""
    separator, decimal = options.separator, options.decimal
    if separator in _SPELLINGS:
        separator = _SPELLINGS[separator]
    if separator is not None and (len(separator) != 1 or separator in '"\r\n.'):
        raise InputError(
            f"--separator {separator!r}: one character, such as ';', or ' ' for blanks"
        )
    if decimal not in (None, ".", ","):
        raise InputError(f"--decimal {decimal!r}: '.' or ',' is needed")
    return separator, decimal


def _sample(lines, separator):
    lines = (line for line in lines if not is_blank(line, separator))
    return list(itertools.islice(lines, _SAMPLE))


def _separator(lines, decimal, path):
    """The separator that makes the most cells numbers, and the decimal mark if that tells it."""
    lines = lines[:_SCORED]
    order = (
        ["\t", *_SEPARATORS] if path.lower().removesuffix(".gz").endswith(".tsv") else _SEPARATORS
    )
    scores = {separator: _score(lines, separator) for separator in order}
    best = max(order, key=lambda s: scores[s])
    if scores[best] == 0:
        best = BLANKS if _score(lines, BLANKS) > 0.5 else ","
    if best == "," and decimal is None and _is_one_column(lines):
        return ";", ","  # no ';' stands in the file: so nothing is split
    return best, decimal


def _score(lines, separator):
    """From 0 to 1: lines of the same number of cells, at least 2, that are no mere text."""
    rows = [split(line, separator)[0] for line in lines]
    body = rows[1:] or rows
    width, count = _width(rows)
    if width < 2:
        return 0.0
    full = [row for row in body if len(row) == width] or [row for row in rows if len(row) == width]
    found = [content(c) for row in full for c in row]
    good = sum(
        any(cells.kind(c, mark) != "text" for mark in ".,"[: 1 if separator == "," else 2])
        for c in found
    )
    return count / len(rows) * (good + 0.01) / len(found)


def _width(rows):
    """The usual number of cells, the greatest of equals; and how many rows have it."""
    counts = collections.Counter(map(len, rows))
    return max(counts.items(), key=lambda item: (item[1], item[0]))


def _is_one_column(lines):
    """A title without a comma above numbers that all have one: 'level', '1,5', '2,25'."""
    rows = [split(line, ",")[0] for line in lines]
    if len(rows) < 2 or len(rows[0]) != 1 or cells.kind(content(rows[0][0])) != "text":
        return False
    values = [row for row in rows[1:] if any(row)]
    if {len(row) for row in values} - {1, 2} or not any(len(row) == 2 for row in values):
        return False
    if not all(cells.kind(",".join(row).strip(), ",") in ("number", "hole") for row in values):
        return False
    leads = [row[0] for row in values]
    first = int(leads[0]) if leads[0].isdigit() else -1
    return leads != [str(first + i) for i in range(len(leads))] or len(leads) < 3  # row names of R


def _decimal(rows, separator):
    """The mark that more cells have; a comma only where it can stand inside a cell."""
    found = {
        mark: [c for row in rows for c in row if mark in c and cells.kind(c, mark) == "number"]
        for mark in ".,"
    }
    if separator == "," and all(map(_THOUSANDS.fullmatch, found[","])):
        return "."  # "1,234" in quotes: more likely thousands, which are refused
    return "," if len(found[","]) > len(found["."]) else "."


def _header(rows, kinds):
    """Whether the first row holds names, and notes where that is in doubt."""
    first, below = kinds[0], kinds[1:]
    if not below:
        return all(k in ("text", "hole") for k in first) and "text" in first, []
    columns = list(zip(*below))
    seen = [collections.Counter(k for k in column if k != "hole") for column in columns]
    common = [count.most_common(1)[0][0] if count else "hole" for count in seen]
    if any(f in ("text", "date") and c not in ("text", f) for f, c in zip(first, common)):
        numbers = [title for title, f, c in zip(rows[0], first, common) if f == c == "number"]
        if not all(title.isdigit() for title in numbers):
            return False, []  # a row of values, with a cell that is no number
        sure = not numbers or ("text", "date") in zip(first, common)
        return True, [] if sure else [
            _NOTE.format(printable(",".join(rows[0])[:60]), "names", "no")
        ]
    if all(c in ("text", "hole") for c in common):
        return "text" in first, []
    return _header_of_numbers(rows, first, common)


def _header_of_numbers(rows, first, common):
    """Sensor ids or 0, 1, 2, ... above values; or a first row of values."""
    where = [i for i, c in enumerate(common) if c == "number"]
    titles = [rows[0][i] for i in where if first[i] == "number"]
    index = rows[0][0] == "" and len(first) > 1 and common[0] in ("number", "date")
    if index:  # no title above the index, as pandas writes it
        where = [i for i in where if i]
        titles = [rows[0][i] for i in where if first[i] == "number"]
    whole = [t for t in titles if t.isdigit()]
    if not titles or len(whole) < len(where) or len(set(whole)) < len(whole):
        return False, []
    names = [int(t) for t in whole]
    columns = [[row[i] for row in rows[1:] if i < len(row) and row[i]] for i in where]
    counted = names in (list(range(len(names))), list(range(1, len(names) + 1)))
    if counted and index:
        return True, []
    decimals = [_share(column, lambda c: not c.lstrip("+-").isdigit()) for column in columns]
    far = [
        _share(column, lambda c, n=name: n > _FAR * abs(_value(c)))
        for name, column in zip(names, columns)
    ]
    shown = printable(",".join(rows[0])[:60])
    alone = len(names) == 1 and len(first) == 1
    if not alone and len(names) > 1 and min(far) > 0.9:
        return True, [_NOTE.format(shown, "names", "no")]
    if not alone and min(decimals) > 0.9 and (counted or names == sorted(names)) and len(names) > 1:
        return True, [_NOTE.format(shown, "names", "no")]
    if len(names) == 1 and min(far) > 0.9 and min(decimals) > 0.9:
        return True, [_NOTE.format(shown, "a name", "no")]
    if counted and len(names) > 2 and not _goes_on(rows, where):
        return True, [_NOTE.format(shown, "names", "no")]
    doubt = len(names) > 1 and min(decimals) > 0.9
    return False, [_NOTE.format(shown, "values", "yes")] if doubt else []


def _share(column, test):
    return sum(map(test, column)) / len(column) if column else 1.0


def _value(cell):
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return 0.0


def _goes_on(rows, where):
    """Whether the second row is consecutive too: then the first is one of many such rows."""
    second = [rows[1][i] for i in where if i < len(rows[1])]
    numbers = [int(c) for c in second if c.isdigit()]
    return len(numbers) == len(where) and all(b - a == 1 for a, b in itertools.pairwise(numbers))
