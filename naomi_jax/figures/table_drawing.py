"""Figures of a table with holes: where they are, and how some of them are filled.

Names of columns are text of the user: they are never read as formulas, and one that the font of the
figures lacks letters for is replaced by the column's number. They need matplotlib (extra `plot`).
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from naomi_jax.figures import style
from naomi_jax.jobs.filling import Believed
from naomi_jax.tables.printable import short
from naomi_jax.tables.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_COLUMNS = 60  # of the map
_BINS = 500  # fewer than its pixels
_FAINTEST = 0.25  # the shade of a single missing entry in a bin, so that it is seen
_FEW = 20  # columns up to which there is room for large letters
_NAME = 24  # letters of a column's name on the map
_MOST_BORDERS = 50  # between series, which are drawn
_THERE, _MISSING = "#e8edf2", "#12395b"
_LONGEST = 200  # rows of a hole that is drawn
_CONTEXT = 12, 100  # rows on each side of it, at least and at most


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A table as it is drawn: one series after the other, rows in the order of their times.

    Attributes:
      names: of the D columns.
      values: (n, D); NaN in the holes.
      filled: the same with the fills.
      low, high: where the missing values are believed to be.
      first: (n,) whether a series begins in this row.
      series: (n,) what the series of the row is called, or None where there is one.
      times: (n,) datetime64[ns] or float64, or None.
      time_name: what the times are called.
    """

    names: list[str]
    values: Float[np.ndarray, "n D"]
    filled: Float[np.ndarray, "n D"]
    low: Float[np.ndarray, "n D"]
    high: Float[np.ndarray, "n D"]
    first: Bool[np.ndarray, " n"]
    series: np.ndarray | None
    times: np.ndarray | None
    time_name: str

    @property
    def missing(self) -> Bool[np.ndarray, "n D"]:
        """Where the holes are."""
        return np.isnan(self.values)

    def part(self, row: int) -> tuple[int, int]:
        """The first row of the series of a row, and the row after its last."""
        starts = np.flatnonzero(self.first)
        number = int(np.searchsorted(starts, row, side="right"))
        end = starts[number] if number < len(starts) else len(self.first)
        return int(starts[number - 1]), int(end)


def view(table: Table, believed: Believed) -> View:
    """A table and its fills as they are drawn."""
    count = len(table.values)
    labels = table.series + 1 if table.groups is None else table.groups
    order = np.lexsort((np.arange(count) if table.time is None else table.time, table.series))
    arrays = (believed.values, believed.filled, believed.low, believed.high)
    return View(
        believed.names,
        *(each[order] for each in arrays),
        first=np.diff(table.series[order], prepend=-1) != 0,
        series=None if len(table.labels) == 1 else labels.astype(str)[order],
        times=None if table.time is None else table.time[order],
        time_name=table.time_name or "time",
    )


class Hole(NamedTuple):
    """Neighboring missing entries of a column.

    Attributes:
      column: its number.
      begin: the first row.
      length: in rows.
    """

    column: int
    begin: int
    length: int


def holes(shown: View, column: int) -> list[Hole]:
    """Those of a column, in the order of the rows; none goes on from one series to the next."""
    missing = np.isnan(shown.values[:, column])
    last = np.append(shown.first[1:], True)
    begins = missing & (shown.first | ~np.roll(missing, 1))
    ends = missing & (last | ~np.roll(missing, -1))
    pairs = zip(np.flatnonzero(begins).tolist(), np.flatnonzero(ends).tolist(), strict=True)
    return [Hole(column, begin, end - begin + 1) for begin, end in pairs]


def examples(shown: View, most: int = 4) -> list[Hole]:
    """A hole of each column that is worth a figure, of `most` columns: the longest ones.

    They have values on both sides, and are not longer than can be seen.
    """
    found = []
    for column in range(len(shown.names)):
        fit = [hole for hole in holes(shown, column) if _can_be_seen(shown, hole)]
        if fit:
            found.append(max(fit, key=lambda hole: hole.length))
    longest = sorted(found, key=lambda hole: -hole.length)[:most]
    return sorted(longest)


def _can_be_seen(shown, hole):
    after = hole.begin + hole.length
    return (
        hole.length <= _LONGEST
        and not shown.first[hole.begin]
        and after < len(shown.first)
        and not shown.first[after]
        and bool(np.isfinite(shown.filled[hole.begin : after, hole.column]).all())
    )


# The map.


def mapped(shown: View) -> np.ndarray:
    """Numbers of the columns on the map: those with the most holes, if there are too many."""
    counts = shown.missing.sum(0)
    return np.sort(np.argsort(-counts, kind="stable")[:MOST_COLUMNS])


def shares(shown: View) -> Float[np.ndarray, "bins D"]:
    """The share of missing entries, of every row or, in a longer table, of bins of rows."""
    count = len(shown.first)
    bins = min(count, _BINS)
    of_row = np.arange(count) * bins // count
    sums = np.add.reduceat(shown.missing, np.searchsorted(of_row, np.arange(bins)), dtype=float)
    return sums / np.bincount(of_row)[:, None]


def hole_map(shown: View) -> "Figure":
    """Columns down, rows across; the darker, the more is missing."""
    columns = mapped(shown)
    high, font = (0.26, 9) if len(columns) <= _FEW else (0.15, 7)
    figure, axes = style.subplots(1, 1, (8, 1.1 + high * len(columns)))
    from matplotlib.colors import LinearSegmentedColormap

    axis, count = axes[0, 0], len(shown.first)
    share = shares(shown)[:, columns].T
    axis.imshow(
        np.where(share > 0, _FAINTEST + (1 - _FAINTEST) * share, 0),
        cmap=LinearSegmentedColormap.from_list("missing", [_THERE, _MISSING]),
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
        extent=(0, count, len(columns), 0),
    )
    axis.hlines(np.arange(1, len(columns)), 0, count, color="w", lw=1.5)
    axis.vlines(borders(shown), 0, len(columns), color="#c1272d", lw=1)
    labels = [label(shown, column) for column in columns]
    axis.set_yticks(np.arange(len(columns)) + 0.5, labels, parse_math=False, fontsize=font)
    axis.tick_params(axis="y", length=0)
    axis.spines[:].set_visible(False)
    _rows_axis(axis, shown)
    return figure


def borders(shown: View) -> Int[np.ndarray, " S"]:
    """The rows where the next series begins; none where they would cover the map."""
    rows = np.flatnonzero(shown.first)[1:]
    return rows if len(rows) <= _MOST_BORDERS else rows[:0]


def label(shown: View, column: int) -> str:
    """What a column is called in a figure: of a long name both ends, which may tell it apart."""
    name = short(shown.names[column], 10**6)
    if len(name) > _NAME:
        name = f"{name[: _NAME // 2 - 2]}...{name[1 - _NAME // 2 :]}"
    return name if _can_be_written(name) else f"column {column + 1}"


def _can_be_written(text):
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont(font_manager.FontProperties()))
    return set(map(ord, text)) <= set(font.get_charmap())


def _rows_axis(axis, shown):
    """Rows across, with the times that stand in them."""
    name = shown.time_name if _can_be_written(shown.time_name) else "time"
    if shown.series is not None:
        axis.set_xlabel("row, one series after the other")
        return
    if shown.times is None or len(np.unique(shown.times)) < 2:
        axis.set_xlabel("row")
        return
    numbers, locator, formatter = _clock(shown.times)
    ticks = np.asarray(locator.tick_values(*_ends(shown.times)))
    rows = np.searchsorted(numbers, ticks)
    words = formatter.format_ticks(ticks.tolist())
    kept: list[int] = []
    for number, row in enumerate(rows):
        if numbers[0] <= ticks[number] <= numbers[-1] and (
            not kept or row - rows[kept[-1]] > 0.08 * len(numbers)
        ):
            kept.append(number)
    axis.set_xticks(rows[kept], [words[number] for number in kept], fontsize=9)
    axis.set_xlabel(f"{name}   {formatter.get_offset()}".strip(), parse_math=False)


def _ends(times):
    """First and last, as a locator takes them."""
    if times.dtype.kind != "M":
        return times.min(), times.max()
    return tuple(t.astype("M8[us]").item() for t in (times.min(), times.max()))


def _clock(times):
    """(Numbers to draw the times at, what finds ticks there, what writes them)."""
    from matplotlib import dates, ticker

    if times.dtype.kind == "M":
        locator = dates.AutoDateLocator(minticks=3, maxticks=8)
        return dates.date2num(times), locator, dates.ConciseDateFormatter(locator)
    return times, ticker.MaxNLocator(7), ticker.FuncFormatter(lambda x, _: f"{x:g}")


# A stretch.


def stretch(shown: View, hole: Hole) -> "Figure":
    """A hole of a column with what is around it: values, fill, and how sure it is."""
    figure, axes = style.subplots(1, 1, (8, 2.8))
    axis = axes[0, 0]
    around = slice(*context(shown, hole))
    if shown.times is None:
        x, name = np.arange(around.start, around.stop) - shown.part(hole.begin)[0] + 1.0, "row"
        axis.xaxis.get_major_locator().set_params(integer=True)
    else:
        x, locator, formatter = _clock(shown.times[around])
        name = shown.time_name if _can_be_written(shown.time_name) else "time"
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(formatter)
    parts = (shown.values, shown.filled, shown.low, shown.high)
    values, filled, low, high = (part[around, hole.column] for part in parts)
    near = np.isnan(values)
    near[1:] |= np.isnan(values[:-1])  # joined to the values on both sides
    near[:-1] |= np.isnan(values[1:])
    color = style.line("naomi_parallel")["color"]
    band = (np.where(near, side, np.nan) for side in (low, high))
    axis.fill_between(x, *band, color=color, alpha=0.25, lw=0, label="interval")
    axis.plot(x, np.where(near, filled, np.nan), color=color, lw=1.8, label="filled")
    axis.plot(x, values, color=style.TRUTH, lw=1)
    size = 4 if len(x) < 100 else 2.5
    axis.plot(x, values, "o", color="k", ms=size, label="observed")
    axis.set_xlabel(name, parse_math=False)
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.01)
    figure.legend(loc="outside upper left", ncols=3, fontsize=9, frameon=False)
    return figure


def context(shown: View, hole: Hole) -> tuple[int, int]:
    """(First row, row after the last) of its figure: on each side as much as it is long."""
    wide = int(np.clip(hole.length, *_CONTEXT))
    begin, end = shown.part(hole.begin)
    return max(begin, hole.begin - wide), min(end, hole.begin + hole.length + wide)


def moments(shown: View, rows: Sequence[int]) -> list[str]:
    """When rows are: their time, as exactly as the table's times need, or their number."""
    if shown.times is None:
        return [f"row {row - shown.part(row)[0] + 1}" for row in rows]
    if shown.times.dtype.kind != "M":
        return [f"{shown.times[row]:.10g}" for row in rows]
    for unit in ("D", "m", "s", "ms", "ns"):
        if (shown.times.astype(f"M8[{unit}]") == shown.times).all():
            break
    return [str(time).replace("T", " ") for time in shown.times[list(rows)].astype(f"M8[{unit}]")]
