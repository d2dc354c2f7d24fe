"""With how many digits a filled value is written: those of its column, never fewer than four."""

import collections.abc
import dataclasses
import math
import re

import numpy as np

_LEAST = 4  # significant digits of a column's largest value
_MOST = 17  # of a float64
_LOW, _HIGH = -(2**63), 2**63 - 1
_PARTS = re.compile(r"[+-]?(\d*)(?:[.,](\d*))?([eE][+-]?\d+)?")


@dataclasses.dataclass(frozen=True)
class Digits:
    """The form of a column's numbers.

    Attributes:
      integer: written without decimals.
      least, most: decimals that its cells show.
      significant: digits, where cells have exponents; else 0.
      decimal: the mark.
      short: whether its integers fit 64 bits, so that those that are filled must, too.
    """

    integer: bool
    least: int
    most: int
    significant: int
    decimal: str
    short: bool = True

    def write(self, value: float) -> str:
        """The value as text."""
        if self.integer:
            number = round(value)
            return str(max(_LOW, min(number, _HIGH)) if self.short else number)
        if self.significant:
            text = f"{value:.{self.significant}g}"
        else:
            text = f"{value:.{self.most}f}"
            if self.most > self.least:
                whole, part = text.split(".")
                part = part.rstrip("0").ljust(self.least, "0")
                text = f"{whole}.{part}" if part else whole
        if text[0] == "-" and not text.strip("-0."):
            text = text[1:]  # no minus before a zero
        return text.replace(".", ",") if self.decimal == "," else text


def of(
    cells: collections.abc.Iterable[str], column: np.ndarray, integer: bool, decimal: str
) -> Digits:
    """The form of a column.

    Args:
      cells: some of its observed cells as they are written.
      column: (T,) values, NaN in holes.
      integer: whether all observed cells are written as integers.
      decimal: the mark.
    """
    decimals, significant, exponents = [], [_LEAST], False
    for cell in cells:
        parts = _PARTS.fullmatch(cell)
        if parts:
            whole, part = parts[1], parts[2] or ""
            decimals.append(len(part))
            significant.append(len((whole + part).lstrip("0")))
            exponents |= bool(parts[3])
    seen = np.abs(column[~np.isnan(column)])
    largest = float(seen.max()) if len(seen) else 0.0
    if exponents or largest >= 1e16 or (0 < largest < 1e-8):
        return Digits(integer, 0, 0, min(max(significant), _MOST), decimal, largest <= _HIGH)
    lead = math.floor(math.log10(largest)) + 1 if largest > 0 else 1
    most = max([*decimals, _LEAST - lead])
    most = min(most, max(_MOST - 1 - lead, 0), 15)  # beyond are digits that mean nothing
    return Digits(integer, min([*decimals, most]), most, 0, decimal)
