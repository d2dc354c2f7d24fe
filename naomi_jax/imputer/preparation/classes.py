"""Classes of entries: holes of one class are filled about equally well.

An entry's class says how long its gap is, whether half of its row is known, and whether second
entries are near on both sides; beyond the last known entry of a series, whether that one is near.
"""

import numpy as np
from jaxtyping import Bool, Int

from naomi_jax.imputer.preparation import pivots
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.imputer.preparation.pivots import Outer, Pivots

# Time from pivot to pivot, in steps, up to which an entry belongs to a class; then longer gaps,
# and those with a pivot on one side or none.
GAPS = (2.5, 4.5, 8.5, 16.5, 32.5, 64.5)
_NEAR = 4.5  # steps from the only pivot
COUNT = 4 * (len(GAPS) + 2)
# The kinds of holes of a report: rows of a gap between two known entries, then what lies beyond.
LENGTHS = ("1", "2-3", "4-7", "8-15", "16-31", "32-63", "64 or more", "at the ends")


def of(panel: Panel, sides: Pivots, beyond: Outer) -> Int[np.ndarray, "n D"]:
    """The class of each entry."""
    gap = pivots.gap(panel, sides)
    between = np.isfinite(gap)
    index = np.where(between, np.searchsorted(GAPS, gap), len(GAPS) + 1)
    half = panel.observed.mean(1, keepdims=True) >= 0.5
    near = pivots.distance(panel, sides) < _NEAR
    return 4 * index + 2 * half + np.where(between, pivots.framed(panel, sides, beyond), near)


def one_sided(index: Int[np.ndarray, "..."]) -> Bool[np.ndarray, "..."]:
    """Which classes are of entries without a pivot on one side, or on both."""
    return index // 4 > len(GAPS)


def length(index: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
    """The number in LENGTHS of entries of these classes."""
    return index // 4


def likeness() -> np.ndarray:
    """(C, C), how much a class says of another: a third for each step in the length of the gap."""
    index = np.arange(COUNT)
    gap, half, framed = index // 4, index % 4 // 2, index % 2
    apart = np.abs(gap[:, None] - gap).astype(float)
    other = (half[:, None] != half).astype(float) + (framed[:, None] != framed)
    return 3.0**-apart * 2.0**-other
