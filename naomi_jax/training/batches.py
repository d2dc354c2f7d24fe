"""What an update sees: sequences and a mask, drawn on the device from the run's key and the step."""

from typing import NamedTuple

import chex
import jax

from naomi_jax.data import masks
from naomi_jax.training import devices
from naomi_jax.training.plan import BatchConfig


class Source(NamedTuple):
    """What a run's batches are drawn from; on the device, the same for every update.

    Attributes:
      data: (N, T, D) all sequences, standardized.
      transforms: the rest of the chain, for each batch (`data.transforms.chain.Chain.batch`).
      key: the run's; a batch depends on it and on the step alone.
      given: (M, T) masks of a mask file, or None.
    """

    data: chex.Array
    transforms: tuple
    key: chex.PRNGKey
    given: chex.Array | None = None


class Batch(NamedTuple):
    """One batch.

    Attributes:
      x: (B, T, D) standardized.
      mask: (T,) or (B, T), 1 = shown.
      rows: (B,) which sequences of the data these are.
      key: for samples.
    """

    x: chex.Array
    mask: chex.Array
    rows: chex.Array
    key: chex.PRNGKey


def draw(
    config: BatchConfig, source: Source, step: chex.Array, order: chex.Array | None = None
) -> Batch:
    """The batch of a step.

    Args:
      config: how to draw.
      source: what to draw from.
      step: updates done.
      order: what `epoch_order` gives for this key and step, where it is at hand.
    """
    mask_key, sample_key = jax.random.split(jax.random.fold_in(_keys(source.key)[1], step))
    if order is None:
        order = epoch_order(config, source.key, step, len(source.data))
    chosen = rows(order, step, config.size)
    x = devices.split(source.data[chosen], config.mesh)
    if config.mask_per_sequence:
        mask = masks.draw_many(mask_key, config.masks, x.shape[0], x.shape[1], source.given)
        mask = devices.split(mask, config.mesh)
    else:
        mask = masks.draw(mask_key, config.masks, x.shape[1], source.given)
    return Batch(x, mask, chosen, sample_key)


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
