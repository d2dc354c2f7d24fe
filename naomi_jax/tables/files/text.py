"""A text file as lines and cells that join to the same text again, byte for byte.

A *record* is a line without the mark that ends it, or several where a quoted cell holds line ends.
A raw cell is a piece of a record with its quotes and blanks: the pieces and the separators between
them are the record. So a cell can be replaced and all the others stay as they are.
"""

import codecs
import dataclasses
import gzip
import io
import re
import zlib

import numpy as np

from naomi_jax.errors import InputError

BLANKS = " "  # as a separator: any run of spaces and tabs
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")  # no text file has these
_WORD = re.compile(r'[ \t]*(?:"[^"]*"|[^ \t]+)')


@dataclasses.dataclass(frozen=True)
class Text:
    r"""A decoded file.

    Attributes:
      lines: split at `end`; a "\r" before "\n" is still the last character of its line.
      end: "\n", or "\r" where the file has no other.
      encoding: of the bytes behind `mark`.
      mark: the byte order mark, or nothing.
      raw: the bytes of a .gz as they were, else None.
    """

    lines: list[str]
    end: str
    encoding: str
    mark: bytes
    raw: bytes | None


def read(path: str) -> Text:
    """Read a text file, compressed if its name ends in .gz.

    Raises:
      InputError: there is no such file, it is empty, damaged or no text.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read()
        packed = path.lower().endswith(".gz")
        data = gzip.decompress(raw) if packed else raw
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder; a file is needed") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    text, encoding, mark = _decode(data, path)
    end = "\r" if "\r" in text and "\n" not in text else "\n"
    return Text(text.split(end), end, encoding, mark, raw if packed else None)


def encode(text: Text, new: str) -> bytes:
    """Another text as bytes, in the way the file was written."""
    data = text.mark + new.encode(text.encoding)
    if text.raw is None:
        return data
    if new == text.end.join(text.lines):
        return text.raw  # compressing again could give other bytes
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=6, mtime=0) as file:
        file.write(data)
    return packed.getvalue()


def _decode(data, path):
    mark, encoding = next((m for m in _MARKS if data.startswith(m[0])), (b"", ""))
    body = data[len(mark) :]
    try:
        text = body.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise InputError(f"{path}: damaged {encoding} text ({error})") from None
        encoding = "latin-1"  # which has a character for every byte
        text = body.decode(encoding)
    if not text.strip():
        raise InputError(f"{path}: the file is empty")
    if "\x00" in text or _CONTROL.search(text[:10000]):
        raise InputError(f"{path}: not a text file; save it as UTF-8 text with separators")
    return text, encoding or "utf-8", mark


def split(record: str, separator: str) -> tuple[list[str], str]:
    """The raw cells of a record, and what follows the last one (a carriage return, blanks)."""
    body = record.rstrip("\r")
    if separator == BLANKS:
        cells = _WORD.findall(body)
        return cells, record[sum(map(len, cells)) :]
    tail = record[len(body) :]
    if '"' not in body:
        return body.split(separator), tail
    mark = re.escape(separator)
    # A quote opens a cell only at its beginning, as in csv and pandas.
    cell = re.compile(rf' *"[^"]*(?:""[^"]*)*"[^{mark}]*|[^{mark}]*')
    cells, position = [], 0
    while True:
        found = cell.match(body, position)
        assert found is not None  # the second form matches even nothing
        cells.append(found.group())
        position = found.end() + 1
        if position > len(body):
            return cells, tail


def join(cells: list[str], tail: str, separator: str) -> str:
    """The record of these raw cells."""
    return ("" if separator == BLANKS else separator).join(cells) + tail


def content(cell: str) -> str:
    """What a raw cell says: without its quotes and the blanks around it."""
    cell = cell.strip()
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        cell = cell[1:-1].replace('""', '"').strip()
    return cell


def is_blank(line: str, separator: str) -> bool:
    """Whether a line holds no cells at all. Tabs alone are empty cells where they separate."""
    return not line.strip(" \r" if separator == "\t" else None)


def records(text: Text, separator: str, path: str) -> tuple[list[str], np.ndarray]:
    """Lines joined where a quoted cell goes on in the next line.

    Returns:
      The records, and the number of each one's first line, from 1.

    Raises:
      InputError: a quote is opened and never closed, or a carriage return stands inside a line.
    """
    lines = text.lines
    joined, numbers, number = [], [], 0
    while number < len(lines):
        record, start = lines[number], number
        while '"' in record and record.count('"') % 2 and _is_open(record, separator):
            number += 1
            if number == len(lines):
                raise InputError(f"{path}, line {start + 1}: a quote is opened and never closed")
            record += text.end + lines[number]
        if "\r" in record and "\r" in record.rstrip("\r") and '"' not in record:
            raise InputError(
                f"{path}, line {start + 1}: a carriage return inside a line; save the file with "
                "one kind of line end"
            )
        joined.append(record)
        numbers.append(start + 1)
        number += 1
    return joined, np.array(numbers)


def _is_open(record, separator):
    """Whether some cell begins with a quote that is not closed in the record."""
    cells, _ = split(record, separator)
    return any(c.lstrip(" ").startswith('"') and c.count('"') % 2 for c in cells)
