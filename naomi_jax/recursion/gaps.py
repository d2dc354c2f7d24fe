"""What a mask says of each step's gap: the nearest observed steps and the line between them.

Time-major.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, Int

ArrayLike = Array | np.ndarray


def nearest(
    known: Bool[ArrayLike, " T *rest"], none_after: int | Int[ArrayLike, "..."]
) -> tuple[Int[Array, " T *rest"], Int[Array, " T *rest"]]:
    """The last known step up to each one, or -1; the first from it on, or `none_after`.

    Time is the first axis.
    """
    index = _index(known)
    before = jax.lax.cummax(jnp.where(known, index, -1), axis=0)
    after = jax.lax.cummin(jnp.where(known, index, none_after), axis=0, reverse=True)
    return before, after


def widths(known: Bool[np.ndarray, "B T"]) -> Int[np.ndarray, "B T+2"]:
    """How many gaps of each width 0 .. T + 1 a sequence has: from a known step to the next one.

    Steps -1 and T count as known. For concrete masks: on the host, no device is asked.
    """
    batch, steps = known.shape
    pivot = np.ones((batch, steps + 2), bool)
    pivot[:, 1:-1] = known
    at = np.flatnonzero(pivot)
    row, width = at[:-1] // (steps + 2), np.diff(at)  # from one row to the next: 1, no gap
    counts = np.bincount(row * (steps + 2) + width, minlength=batch * (steps + 2))
    return counts.reshape(batch, steps + 2)


def line(x: Float[ArrayLike, "T B D"], known: Bool[ArrayLike, " T #B #D"]) -> Float[Array, "T B D"]:
    """Linear interpolation of each entry between the known ones on both sides.

    Constant beyond the outermost, zero where nothing is known; known entries are x's own.

    Args:
      x: finite; its values at missing entries do not matter.
      known: entries.
    """
    steps = x.shape[0]
    before, after = nearest(known, steps)
    left = jnp.where(before < 0, after, before)
    right = jnp.where(after == steps, left, after)
    weight = (_index(known) - left).astype(x.dtype) / jnp.maximum(right - left, 1)
    filled = jnp.where(known, x, 0)

    def at(step):
        return jnp.take_along_axis(filled, jnp.clip(step, 0, steps - 1), axis=0)

    between = at(left) + weight * (at(right) - at(left))
    return jnp.where(known, filled, between)


def distances(
    known: Bool[ArrayLike, "T B"], length: int | Int[ArrayLike, "*B"]
) -> Int[Array, "T B 2"]:
    """Steps since the last known step and until the next one, not counting the step itself.

    Args:
      known: steps.
      length: of all sequences or of each, the first step that does not exist; like step -1 it
        counts as known.

    Returns:
      Integers from 1, where the neighbor is known, on; 1 beyond the length as well.
    """
    before, after = nearest(known, length)
    index = _index(known)
    before = jnp.concatenate([jnp.full_like(before[:1], -1), before[:-1]])
    after = jnp.concatenate([after[1:], jnp.broadcast_to(length, after[:1].shape)])
    return jnp.maximum(jnp.stack([index - before, after - index], axis=-1), 1)


def line_weights(
    left: Int[Array, "*N"],
    step: Int[Array, "*N"],
    right: Int[Array, "*N"],
    steps: int,
    dtype: DTypeLike,
) -> tuple[Float[Array, "*N"], Float[Array, "*N"]]:
    """Weights of x[left] and x[right] in the straight line at `step`, left < step < right.

    A left of -1 and a right of `steps` do not exist: the line is then constant, and 0 without
    either.
    """
    has_left, has_right = left >= 0, right < steps
    share = (step - left) / jnp.where(has_left & has_right, right - left, 1).astype(dtype)
    right_weight = jnp.where(has_right, jnp.where(has_left, share, 1), 0).astype(dtype)
    return jnp.where(has_left, 1 - right_weight, 0).astype(dtype), right_weight


def _index(known):
    return jnp.arange(known.shape[0], dtype=jnp.int32).reshape(-1, *[1] * (known.ndim - 1))
