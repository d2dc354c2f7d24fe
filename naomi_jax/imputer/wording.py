"""What a fit has found, as lines of text."""

import math
from collections.abc import Sequence
from typing import Any

from naomi_jax.imputer.fitting import ColumnReport
from naomi_jax.imputer.imputer import Imputer

_NO_GAIN = 0.02  # share of the line's error below which nothing has been gained on it
_MOST = 40  # columns of which each is shown
_HEAD = {"line": "line", "phase_mean": "phase mean", "network": "network", "fill": "fill"}


def report(imputer: Imputer, most: int | None = _MOST) -> list[str]:
    """A row for each column: root mean squared errors on held-out entries, in its units.

    Args:
      imputer: fitted.
      most: rows to show; None for all.
    """
    names = [str(name) for name, kept in zip(imputer._names, imputer._some) if kept]
    reports = imputer._reports
    kinds = [k for k in _HEAD if any(math.isfinite(getattr(r, k)) for r in reports)]
    head = ["column", "held out", *(_HEAD[kind] for kind in kinds), "weight"]
    rows = [
        [
            _short(name),
            str(found.held_out),
            *(_number(getattr(found, kind)) for kind in kinds),
            f"{found.weight:.2f}" if found.held_out else "-",
        ]
        for name, found in zip(names, reports)
    ]
    shown = rows if most is None else rows[:most]
    lines = ["Errors (root mean square) on entries that were held out, in the column's own units:"]
    lines += _aligned([head, *shown])
    if len(shown) < len(rows):
        lines.append(f"... and {len(rows) - len(shown)} more columns")
    return [*lines, *_sentences(names, reports)]


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


def _column(name):
    return repr(name) if name else "the first column"


def _sentences(names: Sequence[str], reports: Sequence[ColumnReport]):
    pairs = list(zip(names, reports))
    alone = [n for n, r in pairs if not r.held_out]
    equal = [n for n, r in pairs if r.held_out and r.fill >= (1 - _NO_GAIN) * r.line]
    lines = []
    if equal:
        lines.append(f"Nothing better than a straight line was found for {_listed(equal)}.")
    if alone:
        lines.append(f"Too few values to hold any out: {_listed(alone)}.")
    return lines


def _listed(names):
    shown = ", ".join(map(_short, names[:8]))
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown


def _short(name):
    name = " ".join(name.split()) or "(no name)"
    return name if len(name) <= 30 else f"{name[:27]}..."


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
