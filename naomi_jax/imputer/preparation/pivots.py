"""Fills that need no training: the line and the curve between a column's own entries.

All columns and series at once, by the rows of the known entries on both sides of each entry.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from naomi_jax.imputer.preparation.panel import Panel


class Pivots(NamedTuple):
    """The known entries on both sides of every entry, in its own column and series.

    Attributes:
      before: row of the last known entry up to this one, or -1.
      after: row of the first known entry from this one on, or n.
    """

    before: Int[np.ndarray, "n D"]
    after: Int[np.ndarray, "n D"]


def pivots(known: Bool[np.ndarray, "n D"], panel: Panel) -> Pivots:
    """Where they are; a known entry is its own pivot on both sides."""
    count = len(known)
    row = np.arange(count, dtype=np.int32)[:, None]
    before = np.maximum.accumulate(np.where(known, row, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, row, count)[::-1], axis=0)[::-1]
    before = np.where(before < panel.first[:, None], -1, before)
    after = np.where(after > panel.last[:, None], count, after)
    return Pivots(before, after)


def at(values: Float[np.ndarray, "n D"], rows: Int[np.ndarray, "n D"]) -> Float[np.ndarray, "n D"]:
    """values[rows[i, d], d]; whatever stands in the nearest row where there is no such row."""
    return np.take_along_axis(values, np.clip(rows, 0, len(values) - 1), axis=0)


def line(panel: Panel, sides: Pivots) -> Float[np.ndarray, "n D"]:
    """Linear in time between the pivots, constant beyond the outermost; NaN without any."""
    left, right = at(panel.values, sides.before), at(panel.values, sides.after)
    has_left, has_right = sides.before >= 0, sides.after < len(panel.values)
    since, span = elapsed(panel, sides)
    share = np.where(span > 0, since / np.where(span > 0, span, 1), 0)
    between = left + share * (right - left)
    return np.where(
        has_left & has_right,
        between,
        np.where(has_left, left, np.where(has_right, right, np.nan)),
    )


class Outer(NamedTuple):
    """The known entries beyond the pivots.

    Attributes:
      left, right: their rows.
      complete: whether both and both pivots exist.
    """

    left: Int[np.ndarray, "n D"]
    right: Int[np.ndarray, "n D"]
    complete: Bool[np.ndarray, "n D"]


def outer(panel: Panel, sides: Pivots) -> Outer:
    """Where the next known entries beyond the pivots are."""
    count = len(panel.values)
    left = at(_shift(sides.before, 1, -1), sides.before).astype(np.int64)
    right = at(_shift(sides.after, -1, count), sides.after).astype(np.int64)
    # The first row of a series is preceded by another series.
    left = np.where(left < panel.first[:, None], -1, left)
    right = np.where(right > panel.last[:, None], count, right)
    inside = (sides.before >= 0) & (sides.after < count)
    return Outer(left, right, inside & (left >= 0) & (right < count))


def curve(panel: Panel, sides: Pivots, beyond: Outer) -> Float[np.ndarray, "n D"]:
    """A cubic between the pivots whose slopes there fit a parabola through three known entries.

    It follows what turns smoothly, such as a moving body; the line where an outer entry is missing.
    """
    rows = (beyond.left, sides.before, sides.after, beyond.right)
    t0, t1, t2, t3 = (_times(panel, r) for r in rows)
    x0, x1, x2, x3 = (at(panel.values, r) for r in rows)
    span = np.where(beyond.complete & (t2 > t1), t2 - t1, 1)
    with np.errstate(all="ignore"):  # where the four do not exist the line stands instead
        d0, d1, d2 = (x1 - x0) / (t1 - t0), (x2 - x1) / span, (x3 - x2) / (t3 - t2)
        slope1 = (d0 * span + d1 * (t1 - t0)) / (span + t1 - t0)
        slope2 = (d2 * span + d1 * (t3 - t2)) / (span + t3 - t2)
        s = (panel.times[:, None] - t1) / span
        cubic = (
            x1 * (1 + 2 * s) * (1 - s) ** 2
            + slope1 * span * s * (1 - s) ** 2
            + x2 * s**2 * (3 - 2 * s)
            + slope2 * span * s**2 * (s - 1)
        )
    straight = line(panel, sides)
    return np.where(beyond.complete & np.isfinite(cubic), cubic, straight)


def framed(panel: Panel, sides: Pivots, beyond: Outer) -> Bool[np.ndarray, "n D"]:
    """Whether a gap has a second known entry on both sides, no farther away than it is long."""
    rows = (beyond.left, sides.before, sides.after, beyond.right)
    t0, t1, t2, t3 = (_times(panel, r) for r in rows)
    return beyond.complete & (np.maximum(t1 - t0, t3 - t2) <= t2 - t1)


def gap(panel: Panel, sides: Pivots) -> Float[np.ndarray, "n D"]:
    """Time from pivot to pivot around each entry; infinite where one is missing."""
    exists = (sides.before >= 0) & (sides.after < len(panel.values))
    return np.where(exists, elapsed(panel, sides)[1], np.inf)


def distance(panel: Panel, sides: Pivots) -> Float[np.ndarray, "n D"]:
    """Time to the nearer pivot; infinite without any."""
    since, span = elapsed(panel, sides)
    return np.minimum(
        np.where(sides.before >= 0, since, np.inf),
        np.where(sides.after < len(panel.values), span - since, np.inf),
    )


def elapsed(panel, sides):
    """Time since the pivot before, and from there to the pivot after."""
    begin, end = _times(panel, sides.before), _times(panel, sides.after)
    return panel.times[:, None] - begin, end - begin


def _times(panel, rows):
    return panel.times[np.clip(rows, 0, len(panel.times) - 1)]


def _shift(rows, by, edge):
    """The pivot beyond each known entry: the one of the row before or after it."""
    shifted = np.roll(rows, by, axis=0)
    shifted[0 if by > 0 else -1] = edge
    return shifted
