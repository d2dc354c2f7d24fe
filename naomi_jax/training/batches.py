"""What an update sees: sequences and a mask, drawn on the device from the run's key and the step."""

import dataclasses

import chex
import jax
import jax.numpy as jnp

from naomi_jax.data import masks, neighbours
from naomi_jax.training import devices


@dataclasses.dataclass(frozen=True)
class BatchConfig:
    """How batches are drawn.

    Attributes:
      size: sequences a batch; all of them where there are fewer.
      masks: what is hidden.
      mask_per_sequence: one mask for each sequence instead of one a batch.
      neighbours: how many similar sequences are averaged and subtracted; 0: none.
      overlap: sequences so many places apart or less are no neighbours (`neighbours.overlap`).
      mesh: the devices that share each batch, or None.
    """

    size: int
    masks: masks.MaskConfig
    mask_per_sequence: bool = False
    neighbours: int = 0
    overlap: int = 0
    mesh: jax.sharding.Mesh | None = None


def draw(
    config: BatchConfig,
    data: chex.Array,
    key: chex.PRNGKey,
    step: chex.Array,
    given: chex.Array | None = None,
) -> tuple[chex.Array, chex.Array, chex.PRNGKey]:
    """The batch of a step.

    Args:
      config: how to draw.
      data: (N, T, D), all sequences.
      key: the run's; the batch depends on it and on the step alone.
      step: updates done.
      given: (M, T) masks of a mask file, or None.

    Returns:
      (x (B, T, D), less its neighbours' mean if so configured, mask (T,) or (B, T), a key for samples).
    """
    order_key, step_key = jax.random.split(key)
    mask_key, sample_key = jax.random.split(jax.random.fold_in(step_key, step))
    chosen = rows(order_key, step, data.shape[0], config.size)
    x = devices.split(data[chosen], config.mesh)
    if config.mask_per_sequence:
        mask = masks.draw_many(mask_key, config.masks, x.shape[0], x.shape[1], given)
        mask = devices.split(mask, config.mesh)
    else:
        mask = masks.draw(mask_key, config.masks, x.shape[1], given)
    if config.neighbours:
        excluded = neighbours.near_in_time(chosen, len(data), config.overlap)
        x = x - neighbours.mean(data, x, mask, config.neighbours, excluded)
    return x, mask, sample_key


def rows(key: chex.PRNGKey, step: chex.Array, count: int, size: int) -> chex.Array:
    """Rows of a batch: each epoch is a fresh permutation, cut into whole batches."""
    size = min(size, count)
    epoch, batch = jnp.divmod(step, count // size)
    order = jax.random.permutation(jax.random.fold_in(key, epoch), count)
    return jax.lax.dynamic_slice_in_dim(order, batch * size, size)
