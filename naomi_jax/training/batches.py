"""What an update sees: sequences and a mask, drawn on the device from the run's key and the step."""

import dataclasses

import chex
import jax

from naomi_jax.data import masks
from naomi_jax.data.transforms import neighbors as neighbours
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
    order: chex.Array | None = None,
) -> tuple[chex.Array, chex.Array, chex.PRNGKey]:
    """The batch of a step.

    Args:
      config: how to draw.
      data: (N, T, D), all sequences.
      key: the run's; the batch depends on it and on the step alone.
      step: updates done.
      given: (M, T) masks of a mask file, or None.
      order: what `epoch_order` gives for this key and step, where it is at hand.

    Returns:
      (x (B, T, D), less its neighbours' mean if so configured, mask (T,) or (B, T), a key for samples).
    """
    mask_key, sample_key = jax.random.split(jax.random.fold_in(_keys(key)[1], step))
    if order is None:
        order = epoch_order(config, key, step, len(data))
    chosen = rows(order, step, config.size)
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


def _keys(key):
    """Of the order, and of what a step draws."""
    return jax.random.split(key)


def epoch_order(config: BatchConfig, key: chex.PRNGKey, step: chex.Array, count: int) -> chex.Array:
    """The order (N,) in which the epoch of `step` sees `count` sequences.

    Sorting tens of thousands of random numbers takes as long as an update of a small model.
    """
    epoch = step // steps_of_epoch(config, count)
    return jax.random.permutation(jax.random.fold_in(_keys(key)[0], epoch), count)


def steps_of_epoch(config: BatchConfig, count: int) -> int:
    """Whole batches in `count` sequences."""
    return count // min(config.size, count)


def rows(order: chex.Array, step: chex.Array, size: int) -> chex.Array:
    """Rows of a batch: an epoch's order (N,), cut into whole batches."""
    count = order.shape[0]
    size = min(size, count)
    return jax.lax.dynamic_slice_in_dim(order, step % (count // size) * size, size)
