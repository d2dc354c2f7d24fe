"""Similar training sequences: a model learns what differs from their mean, not the sequence itself.

Nearest neighbors and NAOMI see different things: the first what days of this kind look like, the
second what the shown steps say about this one. Their errors are little related, so that the sum is
better than either. Not in the paper.
"""

from collections.abc import Callable

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Shaped

from naomi_jax.recursion.axes import leading

ArrayLike = Array | np.ndarray


class Neighbors(flax.struct.PyTreeNode):
    """Subtracts the mean of similar training sequences.

    Attributes:
      memory: standardized training sequences.
      count: K, how many of them are averaged; static.
      overlap: sequences so many places apart or less share time steps; static.
    """

    memory: Float[ArrayLike, "N T D"]
    count: int = flax.struct.field(pytree_node=False)
    overlap: int = flax.struct.field(pytree_node=False, default=0)

    def apply(
        self,
        x: Float[ArrayLike, "B L D"],
        mask: Shaped[ArrayLike, "..."],
        rows: Int[ArrayLike, " B"] | None = None,
    ) -> tuple[Float[ArrayLike, "B L D"], Shaped[ArrayLike, "..."], Callable]:
        """As every transform: (x less its neighbors' mean, mask, the way back).

        Args:
          x: standardized, finite; its values at missing entries do not matter.
          mask: (L,), (B, L) or (B, L, D), 1 = shown.
          rows: places of x in memory, whose own neighborhood is left out; None for other
            sequences, which may have any length and begin like those in memory.
        """
        if rows is None:
            near = _mean_of_any_length(self.memory, x, mask, self.count)
        else:
            excluded = near_in_time(rows, len(self.memory), self.overlap)
            near = mean(self.memory, x, mask, self.count, excluded)
        return x - near, mask, lambda filled: filled + leading(near, filled.ndim)


def mean(
    memory: Float[ArrayLike, "N T D"],
    x: Float[ArrayLike, "B T D"],
    mask: Shaped[ArrayLike, "..."],
    count: int,
    excluded: Bool[Array, "B N"] | None = None,
) -> Float[Array, "B T D"]:
    """A weighted mean of the `count` sequences in memory nearest to what is shown of each x.

    Weights are the biweight kernel (1 - d^2 / d'^2)^2 of the distances d over shown entries. d' is
    the distance of the next sequence, which no longer counts. Weights are equal where all distances
    are equal. No gradient passes.

    Args:
      memory: standardized.
      x: standardized alike, finite; its values at missing entries do not matter.
      mask: (T,), (B, T) or (B, T, D), 1 = shown.
      count: K; all of memory where it has fewer.
      excluded: sequences that are not to be neighbors, or None.

    Returns:
      Zeros where nothing is shown or all are excluded.
    """
    shape, rows = x.shape, len(memory)
    flat = memory.reshape(rows, -1)
    entries = mask if mask.ndim == 3 else jnp.atleast_2d(mask)[..., None]
    known = jnp.broadcast_to(entries != 0, shape).astype(memory.dtype)
    # (N, B). The large factor stands on the left: the other way round is ten times slower on a CPU.
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

    def add(i, total):  # one neighbor of each at a time, never (B, K, T, D)
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


def mean_of_any_length(
    memory: Float[ArrayLike, "N T D"],
    x: Float[ArrayLike, "B L D"],
    mask: Shaped[ArrayLike, "..."],
    count: int,
) -> Float[Array, "B L D"]:
    """`mean` of sequences that begin like those in memory, cut into pieces of T steps."""
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


_mean_of_any_length = jax.jit(mean_of_any_length, static_argnums=3)


def overlap(train: Float[np.ndarray, "N T D"]) -> int:
    """How many places apart two sequences can be and still share time steps.

    Windows cut with a small stride do. Sequences that overlap are no neighbors in training: they
    would give the answer away.
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


def near_in_time(rows: Int[ArrayLike, " B"], count: int, places: int) -> Bool[Array, "B N"]:
    """Which of N = `count` sequences overlap each of `rows`."""
    return jnp.abs(rows[:, None] - jnp.arange(count)[None]) <= places
