"""What a mask says of each step's gap: where the nearest observed steps are, and the straight line between them.

Time-major: x (T, B, D), known (T, B or 1, D or 1).
"""

import chex
import jax
import jax.numpy as jnp


def nearest(known: chex.Array, none_after: chex.Array | int) -> tuple[chex.Array, chex.Array]:
    """The last known step up to each one, or -1, and the first from it on, or `none_after`; time leads."""
    index = _index(known)
    before = jax.lax.cummax(jnp.where(known, index, -1), axis=0)
    after = jax.lax.cummin(jnp.where(known, index, none_after), axis=0, reverse=True)
    return before, after


def line(x: chex.Array, known: chex.Array) -> chex.Array:
    """Linear interpolation of each entry between the known ones on both sides.

    Constant beyond the outermost, zero where nothing is known; known entries are x's own.

    Args:
      x: (T, B, D) finite; its values at missing entries do not matter.
      known: bool, broadcast to x.
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


def distances(known: chex.Array, length: chex.Array | int) -> chex.Array:
    """Steps since the last known step and until the next one, not counting the step itself.

    Args:
      known: (T, B) bool.
      length: () or (B,), the first step that does not exist; like step -1 it counts as known.

    Returns:
      (T, B, 2) integers from 1, where the neighbour is known, on; 1 beyond the length as well.
    """
    before, after = nearest(known, length)
    index = _index(known)
    before = jnp.concatenate([jnp.full_like(before[:1], -1), before[:-1]])
    after = jnp.concatenate([after[1:], jnp.broadcast_to(length, after[:1].shape)])
    return jnp.maximum(jnp.stack([index - before, after - index], axis=-1), 1)


def line_weights(left: chex.Array, step: chex.Array, right: chex.Array, steps: int, dtype):
    """Weights of x[left] and x[right] in the straight line at `step`, left < step < right.

    A left of -1 and a right of `steps` do not exist: the line is then constant, and 0 without either.
    """
    has_left, has_right = left >= 0, right < steps
    share = (step - left) / jnp.where(has_left & has_right, right - left, 1).astype(dtype)
    right_weight = jnp.where(has_right, jnp.where(has_left, share, 1), 0).astype(dtype)
    return jnp.where(has_left, 1 - right_weight, 0).astype(dtype), right_weight


def _index(known):
    return jnp.arange(known.shape[0], dtype=jnp.int32).reshape(-1, *[1] * (known.ndim - 1))
