"""Similar training sequences: a model learns what differs from their mean instead of the sequence itself.

Nearest neighbours and NAOMI see different things: the first what days of this kind look like, the second what the
observed steps say about this one. Their errors are little related, so that the sum is better than either. Not in the paper.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np


def mean(
    memory: chex.Array,
    x: chex.Array,
    mask: chex.Array,
    count: int,
    excluded: chex.Array | None = None,
) -> chex.Array:
    """A weighted mean of the `count` sequences in memory nearest to what is observed of each x.

    Weights are the biweight kernel (1 - d^2 / d'^2)^2 of the distances d over observed entries, with d' that of
    the next one, which no longer counts; alike where all are as far. No gradient passes.

    Args:
      memory: (N, T, D), standardised.
      x: (B, T, D), standardised alike, finite; its values at missing entries do not matter.
      mask: (T,), (B, T) or (B, T, D), 1 = observed.
      count: K; all of memory where it has fewer.
      excluded: (B, N) bool, sequences that are not to be neighbours, or None.

    Returns:
      (B, T, D); zeros where nothing is observed or all are excluded.
    """
    shape, rows = x.shape, len(memory)
    flat = memory.reshape(rows, -1)
    entries = mask if mask.ndim == 3 else jnp.atleast_2d(mask)[..., None]
    known = jnp.broadcast_to(entries != 0, shape).astype(memory.dtype)
    # (N, B). The large factor stands on the left: the other way round takes ten times as long on a CPU.
    if mask.ndim == 3:
        norms = jnp.square(flat) @ known.reshape(shape[0], -1).T
    else:
        norms = jnp.square(memory).sum(2) @ known[..., 0].T
    x = (x * known).reshape(shape[0], -1)
    distance = (norms - 2 * (flat @ x.T)).T + jnp.square(x).sum(1, keepdims=True)
    distance = jnp.maximum(distance, 0)  # rounding
    if excluded is not None:
        distance = jnp.where(excluded, jnp.inf, distance)
    value, index = jax.lax.top_k(-distance, min(count + 1, rows))
    weights = _biweight(-value) * known.any((1, 2))[:, None]

    def add(i, total):  # one neighbour of each at a time, never (B, K, T, D)
        return total + weights[:, i, None, None] * memory[index[:, i]]

    near = jax.lax.fori_loop(0, index.shape[1], add, jnp.zeros(shape, memory.dtype))
    return jax.lax.stop_gradient(near)


def _biweight(distance):
    """Weights of squared distances (B, K + 1) in rising order, infinite where there is nobody."""
    usable = jnp.isfinite(distance)
    reach = jnp.where(usable, distance, 0).max(1, keepdims=True)
    weights = jnp.where(usable, jnp.square(1 - distance / jnp.where(reach > 0, reach, 1)), 0)
    weights = jnp.where(weights.sum(1, keepdims=True) > 0, weights, usable)
    return weights / jnp.maximum(weights.sum(1, keepdims=True), 1e-30)


def mean_of_any_length(memory, x, mask, count) -> chex.Array:
    """`mean` of sequences (B, L, D) that begin like those in memory, cut into pieces of T steps."""
    batch, length, dim = x.shape
    steps = memory.shape[1]
    pieces = -(-length // steps)
    if mask.ndim < 3:
        mask = jnp.atleast_2d(mask)[..., None]

    def cut(array):
        array = jnp.pad(array, ((0, 0), (0, pieces * steps - length), (0, 0)))
        return array.reshape(batch * pieces, steps, dim)

    near = mean(memory, cut(x), cut(jnp.broadcast_to(mask, x.shape)), count)
    return near.reshape(batch, pieces * steps, dim)[:, :length]


def overlap(train: np.ndarray) -> int:
    """How many places apart two of (N, T, D) can be and still share time steps: windows cut with a small stride.

    Sequences that overlap are no neighbours in training: they would give the answer away.
    """
    places = 0
    while places + 1 < len(train) and _overlap_at(train, places + 1):
        places += 1
    return places


def _overlap_at(train, places):
    """Whether any sequence begins with the end of the one so many places before."""
    earlier, later = train[:-places], train[places:]
    row, step = np.nonzero((earlier == later[:, :1]).all(-1))
    steps = train.shape[1]
    return any(
        np.array_equal(earlier[r, s:], later[r, : steps - s]) for r, s in zip(row, step) if s > 0
    )


def near_in_time(rows: chex.Array, count: int, places: int) -> chex.Array:
    """Which of `count` sequences overlap each of `rows` (B,): (B, count) bool."""
    return jnp.abs(rows[:, None] - jnp.arange(count)) <= places
