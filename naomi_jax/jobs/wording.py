"""What a fit has found, as lines of text."""

import math
from typing import Any, NamedTuple

from naomi_jax.imputer.imputer import Imputer

_NO_GAIN = 0.02  # share of the line's error below which nothing has been gained on it
_MOST = 40  # columns of which each is shown
_HEAD = {"line": "line", "phase_mean": "phase mean", "network": "network", "fill": "fill"}


ERRORS = "Errors (root mean square) on entries that were held out, in the column's own units"


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
    reports = imputer._reports
    kinds = [k for k in _HEAD if any(math.isfinite(getattr(r, k)) for r in reports)]
    found = []
    for name, one in zip(_names(imputer), reports):
        errors = [_number(getattr(one, kind)) for kind in kinds]
        finite = [getattr(one, kind) for kind in kinds if math.isfinite(getattr(one, kind))]
        least = _number(min(finite)) if finite else None  # as printed: equal ones are all best
        best = [n for n, error in enumerate(errors, 1) if error == least]
        weight = f"{one.weight:.2f}" if one.held_out else "-"
        found.append(Row(name, [str(one.held_out), *errors, weight], best))
    return ["held out", *(_HEAD[kind] for kind in kinds), "weight"], found


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
    return [*lines, *sentences(imputer)]


def about(record: dict[str, Any]) -> str:
    """What an imputer was fitted on."""
    *rest, rows, columns = record["shape"]
    size = f"{rest[0]} sequences of {rows} rows" if rest else f"{rows} rows"
    times = "" if record["time"] is None else f", times in {_column(record['time'])}"
    series = f", series by {record['group']!r}" if record["group"] else ""
    cells = math.prod(record["shape"])
    return (
        f"{record['file']}: {size}, {columns} columns, {record['missing']} of {cells} entries "
        f"missing{times}{series}"
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
    return repr(name) if name else "the first column"


def sentences(imputer: Imputer) -> list[str]:
    """Which columns nothing was gained for, which could not be judged, and which stay empty."""
    pairs = list(zip(_names(imputer), imputer._reports))
    alone = [n for n, r in pairs if not r.held_out]
    equal = [n for n, r in pairs if r.held_out and r.fill >= (1 - _NO_GAIN) * r.line]
    lines = []
    if equal:
        lines.append(f"Nothing better than a straight line was found for {_listed(equal)}.")
    if alone:
        lines.append(f"Too few values to hold any out: {_listed(alone)}.")
    empty = [str(name) for name, kept in zip(imputer._names, imputer._some) if not kept]
    if empty:
        lines.append(f"No value to learn from, so they stay empty: {_listed(empty)}.")
    return lines


def _names(imputer):
    return [str(name) for name, kept in zip(imputer._names, imputer._some) if kept]


def _listed(names):
    shown = ", ".join(map(short, names[:8]))
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def short(name: str, most: int = 30) -> str:
    """A column's name in one line of at most `most` characters."""
    name = " ".join(name.split()) or "(no name)"
    return name if len(name) <= most else f"{name[: most - 3]}..."


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
