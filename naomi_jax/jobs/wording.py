"""What a fit has found, as lines of text."""

import math
import statistics
from typing import Any, NamedTuple

from naomi_jax.imputer.imputer import Imputer
from naomi_jax.imputer.preparation import classes
from naomi_jax.tables.printable import printable, quoted, short

_NO_GAIN = 0.02  # share of the line's error below which nothing has been gained on it
_ALL = 0.98  # weight of the line from which on the fill is the line
_MOST = 40  # columns of which each is shown


ERRORS = (
    "Errors (root mean square) on entries that were held out, in the column's own units, and the "
    "weight of each in the fill"
)
LENGTHS = "By the length of the hole, over all columns"


class Row(NamedTuple):
    """What was found of one column.

    Attributes:
      name: of the column, as it is.
      cells: below those of `head`.
      best: numbers of the cells that hold the smallest error.
    """

    name: str
    cells: list[str]
    best: list[int]


def rows(imputer: Imputer) -> tuple[list[str], list[Row]]:
    """The head of the report, and a row for each column.

    Args:
      imputer: fitted.
    """
    report = imputer._report
    found = []
    for name, one in zip(_names(imputer), report.columns):
        errors = [*map(_number, one.errors), _number(one.fill)]
        finite = [error for error in (*one.errors, one.fill) if math.isfinite(error)]
        least = _number(min(finite)) if finite else None  # as printed: equal ones are all best
        best = [n for n, error in enumerate(errors, 1) if error == least]
        weights = [f" ({100 * weight:.0f} %)" for weight in one.weights]
        cells = [error + weight for error, weight in zip(errors, [*weights, ""])]
        inside = f"{100 * one.inside:.0f} %" if one.held_out else "-"
        found.append(Row(name, [str(one.held_out), *cells, inside], best))
    return ["held out", *report.candidates, "fill", "90 % interval holds"], found


def lengths(imputer: Imputer) -> tuple[list[str], list[list[str]]]:
    """The head, and a row for each length of hole, of all columns together.

    Errors of columns in units of their own do not add up; so each is taken as a share of the
    line's, and the middle one of the columns is shown.
    """
    parts = [part for one in imputer._report.columns for part in one.lengths]
    found = []
    for name in dict.fromkeys(name for name in classes.LENGTHS):
        mine = [part for part in parts if part.length == name]
        if not mine:
            continue
        count = sum(part.held_out for part in mine)
        shares = [part.fill / part.line for part in mine if part.line > 0]
        inside = sum(part.held_out * part.inside for part in mine) / count
        share = f"{statistics.median(shares):.2f}" if shares else "-"
        found.append([name, str(count), share, f"{100 * inside:.0f} %"])
    return ["rows", "held out", "error / line's", "90 % interval holds"], found


def report(imputer: Imputer, most: int | None = _MOST) -> list[str]:
    """A row for each column: root mean squared errors on held-out entries, in its units.

    Args:
      imputer: fitted.
      most: rows to show; None for all.
    """
    head, found = rows(imputer)
    shown = found if most is None else found[:most]
    lines = [f"{ERRORS}:"]
    lines += _aligned([["column", *head], *([short(row.name), *row.cells] for row in shown)])
    if len(shown) < len(found):
        lines.append(f"... and {len(found) - len(shown)} more columns")
    head, found = lengths(imputer)
    if found:
        lines += ["", f"{LENGTHS}:", *_aligned([head, *found])]
    return [*lines, *sentences(imputer)]


def about(record: dict[str, Any]) -> str:
    """What an imputer was fitted on."""
    *rest, rows, columns = record["shape"]
    size = f"{rest[0]} sequences of {rows} rows" if rest else f"{rows} rows"
    times = "" if record["time"] is None else f", times in {_column(record['time'])}"
    series = f", series by {quoted(record['group'])}" if record["group"] else ""
    cells = math.prod(record["shape"])
    return (
        f"{printable(record['file'])}: {size}, {columns} columns, {record['missing']} of {cells} "
        f"entries missing{times}{series}"
    )


def reading(record: dict[str, Any]) -> str:
    """The flags with which the table of a fit was read, as on the command line; "" without any."""
    found = []
    for name, value in record["options"].items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one is not None:
                word = ("yes" if one else "no") if isinstance(one, bool) else one
                found.append(f"--{name} {word}")
    return " ".join(found)


def _column(name):
    return quoted(name) if name else "the first column"


def sentences(imputer: Imputer) -> list[str]:
    """Which columns the line fills, which are no better, were not judged, or stay empty."""
    report = imputer._report
    pairs = list(zip(_names(imputer), report.columns))
    alone = [n for n, r in pairs if not r.held_out]
    judged = [(n, r) for n, r in pairs if r.held_out]
    straight = [n for n, r in judged if r.weights[report.line] >= _ALL]
    equal = [
        name
        for name, one in judged
        if name not in straight and one.fill >= (1 - _NO_GAIN) * one.errors[report.line]
    ]
    lines = []
    if straight:
        lines.append(
            f"Nothing better than a straight line was found, so it fills {_listed(straight)}."
        )
    if equal:
        lines.append(f"Hardly better than a straight line: the fill of {_listed(equal)}.")
    if alone:
        lines.append(
            f"No entry was held out of {_listed(alone)}: too few values, or too little time."
        )
    empty = [str(name) for name, kept in zip(imputer._names, imputer._some) if not kept]
    if empty:
        lines.append(f"No value to learn from, so they stay empty: {_listed(empty)}.")
    return lines


def _names(imputer):
    return [str(name) for name, kept in zip(imputer._names, imputer._some) if kept]


def _listed(names):
    shown = ", ".join(map(short, names[:8]))
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def _number(value):
    if not math.isfinite(value):
        return "-"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        places = 0 if value == 0 else max(2 - math.floor(math.log10(abs(value))), 0)
        return f"{value:.{places}f}"
    return f"{value:.2e}"


def _aligned(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        first = row[0].ljust(widths[0])
        yield "  ".join([first, *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))])
