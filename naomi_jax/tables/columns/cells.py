"""What a cell of text is: a number, a hole, a date or other text."""

import collections.abc
import re
from typing import Any

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.tables.columns import times
from naomi_jax.tables.place import Place
from naomi_jax.tables.printable import printable

# Those of pandas' read_csv, and their other spellings.
HOLES = frozenset(
    "|#n/a|#n/a n/a|#na|-1.#ind|-1.#qnan|-nan|1.#ind|1.#qnan|<na>|n/a|na|null|nan|none".split("|")
)
_NUMBER = {
    mark: re.compile(
        rf"[+-]?(\d+{re.escape(mark)}?\d*|{re.escape(mark)}\d+)([eE][+-]?\d+)?|[+-]?inf"
    )
    for mark in ".,"
}
_SWITCHES = {"true", "false"}
_FEW = 3  # different texts in a column: more likely markers of a hole than labels
# Numbers that are written in a way that is not read, and what to do.
_OTHER_NUMBERS = (
    (re.compile(r"[+-]?\d[\d.,]*\s*%"), "a percent sign; remove it from the column"),
    (
        re.compile(r"[+-]?\d{1,3}([,.' \u00a0\u2009\u202f]\d{3})+([.,]\d+)?"),
        "thousands separators; remove them, or say which mark is decimal: --decimal , or "
        "--decimal .",
    ),
    (re.compile(r"[+-]?\d+,\d+"), "a decimal comma; say so: --decimal ,"),
    (re.compile(r"[+-]?\d+\.\d+"), "a decimal point; say so: --decimal ."),
    (re.compile(r"[$€£]\s*\d[\d.,]*|\d[\d.,]*\s*[$€£]"), "a currency; remove it from the column"),
)


def kind(cell: str, decimal: str = ".", missing: tuple[str, ...] = ()) -> str:
    """Say "hole", "number", "date" or "text" of a cell without quotes and blanks around it."""
    if cell.lower() in HOLES or cell in missing:
        return "hole"
    if _NUMBER[decimal].fullmatch(cell):
        return "number"
    return "date" if times.is_date(cell) else "text"


def numeric(missing: tuple[str, ...], decimal: str = ".") -> list[float]:
    """The markers of a hole that are numbers: they stand for the number in every spelling."""
    found = [m.strip() for m in missing if _NUMBER[decimal].fullmatch(m.strip())]
    return [float(m.replace(decimal, ".")) for m in found]


def numbers(
    text: collections.abc.Sequence[Any] | np.ndarray,
    decimal: str,
    missing: tuple[str, ...],
    place: Place,
    name: str,
) -> np.ndarray | None:
    """The numbers of a column that pandas took for text, NaN in its holes.

    Args:
      text: (T,) strings, None in holes.
      decimal, missing: as in `Options`.
      place, name: of the column, for messages.

    Returns:
      (T,) float64, or None for a column of labels.

    Raises:
      InputError: it is mostly numbers, but some cells are not; or numbers written in another way.
    """
    found = np.full(len(text), np.nan)
    others: list[int] = []
    holes = 0
    for row, cell in enumerate(text):
        cell = "" if cell is None else cell.strip()
        if cell.lower() in HOLES or cell in missing:
            holes += 1
        elif _NUMBER[decimal].fullmatch(cell):
            found[row] = float(cell.replace(decimal, "."))
        else:
            others.append(row)
    if not others:
        return found
    count = len(text) - len(others) - holes
    words = {row: " ".join(str(text[row]).split())[:60] for row in others}  # a quoted one is long
    different = {word for word in words.values() if word.lower() not in _SWITCHES}
    mostly = count >= len(others) or (len(different) <= _FEW < count)
    like = [row for row in others if _remedy(words[row])]
    if 2 * len(like) > len(others) or (count and like):
        cell = words[like[0]]
        raise InputError(f"{place(like[0], name)}: {cell!r} has {_remedy(cell)}")
    if not mostly:
        return None
    _refuse(words, place, name)


def _refuse(words, place, name):
    row, cell = next(iter(words.items()))
    if list(words) == [0] and not cell[0].isdigit():
        raise InputError(
            f"{place(0, name)}: {cell!r} is not a number, and all below it are; remove a line of "
            f"units below the header; where {cell!r} means missing: --missing {printable(cell)}"
        )
    raise InputError(
        f"{place(row, name)}: {cell!r} is not a number; where it means missing: --missing "
        + printable(cell)
    )


def _remedy(cell):
    return next((words for form, words in _OTHER_NUMBERS if form.fullmatch(cell)), None)
