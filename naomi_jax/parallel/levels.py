"""Levels: in which order the missing entries are filled, from the mask alone.

Each column has its own gaps. A gap lies between two pivots i < j: known entries, or the virtual
ones at -1 and T. For l = R_max - 1 .. 0 every gap with j - i > 2^l has its middle (i + j) // 2
filled, which is then a pivot itself. After level l every gap is at most 2^l long, so after level 0
nothing is missing.

An entry's level needs no pass over the steps: its gap's two ends are found once, and halving that
gap until the entry is its middle is a binary search, the same R_max integer operations for all
entries at once.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Num


def num_levels(steps: int) -> int:
    """R_max = ceil(log2(T + 1)): levels that a wholly missing sequence of `steps` steps has."""
    return steps.bit_length()


def most_of(level: int, steps: int) -> int:
    """A bound on the entries of a column whose level is `level` or higher.

    With w = 2^level + 1, a gap of g >= w steps has at most 2 g / w - 1 of them: only gaps of w or
    more are split, and the two parts differ by at most 1, so by induction over the splits the parts
    are w / 2 wide on average.
    """
    return max(2 * (steps + 1) // (2**level + 1) - 1, 0)


@functools.cache
def of_widths(steps: int) -> np.ndarray:
    """(T + 2, R_max): entries of each level in a gap whose pivots are so many steps apart."""
    counts = np.zeros((steps + 2, num_levels(steps)), int)
    for width in range(2, steps + 2):
        half = width // 2
        counts[width] = counts[half] + counts[width - half]
        counts[width, (width - 1).bit_length() - 1] += 1
    return counts


def pivots(
    known: Bool[Array, "B T D"], ends: Int[Array, " B"] | int
) -> tuple[Int[Array, "B T D"], Int[Array, "B T D"]]:
    """The last known step up to each one, or -1, and the first from it on, or the sequence's end.

    Args:
      known: which entries are known; B and D may be 1.
      ends: T, or the number of steps of each sequence: there the virtual pivot stands.
    """
    step = jnp.arange(known.shape[1], dtype=jnp.int32)[:, None]
    ends = jnp.reshape(jnp.asarray(ends, jnp.int32), (-1, 1, 1))
    before = jax.lax.cummax(jnp.where(known, step, -1), axis=1)
    after = jax.lax.cummin(jnp.where(known, step, ends), axis=1, reverse=True)
    return before, after


def levels(
    mask: Num[Array, "..."] | Bool[Array, "..."], lengths: Int[Array, " B"] | None = None
) -> Int[Array, "..."]:
    """Each entry's level; -1 where it is known or beyond its sequence's length.

    Args:
      mask: (T,), (B, T) or (B, T, D), nonzero = known.
      lengths: (B,) steps of each sequence, or None for T; not with a mask (T,).

    Returns:
      int32 of the mask's shape, less than `num_levels(T)`.
    """
    mask = jnp.asarray(mask)
    known = (mask != 0).reshape(_full_shape(mask.shape))
    steps = known.shape[1]
    step = jnp.arange(steps, dtype=jnp.int32)[None, :, None]
    ends = jnp.full((1,), steps, jnp.int32) if lengths is None else lengths.astype(jnp.int32)
    left, right = pivots(known, ends)
    level = jnp.full(known.shape, -1, jnp.int32)
    open_ = ~known & (step < ends[:, None, None])
    for level_ in reversed(range(num_levels(steps))):
        middle = (left + right) // 2
        split = open_ & (right - left > 2**level_)
        found = split & (step == middle)
        level = jnp.where(found, level_, level)
        open_ = open_ & ~found
        left = jnp.where(split & (step > middle), middle, left)
        right = jnp.where(split & (step < middle), middle, right)
    return level.reshape(mask.shape)


def _full_shape(shape):
    return {1: (1, *shape, 1), 2: (*shape, 1), 3: shape}[len(shape)]


def passes(
    mask: Num[Array, "..."] | Bool[Array, "..."],
    count: int,
    lengths: Int[Array, " B"] | None = None,
) -> Int[Array, "..."]:
    """The pass that fills each entry: its level, at most R - 1; -1 where none does.

    Pass R - 1 comes first and takes all coarser levels with it; R = 1 fills everything at once.

    Args:
      mask: (T,), (B, T) or (B, T, D), nonzero = known.
      count: R, at least 1; more than `num_levels(T)` is the full recursion.
      lengths: (B,) steps of each sequence, or None for T.
    """
    return jnp.minimum(levels(mask, lengths), count - 1)


def describe(mask, count: int | None = None) -> str:
    """A mask's passes for people, one line a column: # known, a digit the pass, coarsest first.

    Args:
      mask: (T,) or (T, D), nonzero = known.
      count: R; None for the full recursion.
    """
    mask = np.asarray(mask)
    columns = mask[:, None] if mask.ndim == 1 else mask
    steps = len(columns)
    count = count or num_levels(steps)
    index = np.asarray(passes(jnp.asarray(columns)[None], count))[0]
    rows = ["".join("#" if p < 0 else _SYMBOLS[p] for p in column) for column in index.T]
    sizes = ", ".join(
        f"pass {p}: {(index == p).sum()}" for p in reversed(range(count)) if (index == p).any()
    )
    return "\n".join([*rows, f"T = {steps}, R = {count}; {sizes or 'nothing missing'}"])


_SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyz"
