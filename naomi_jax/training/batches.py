"""What an update sees: sequences and a mask, drawn on the device.

A batch depends on the run's key and on the number of updates done before it, which is called `step`
here as in the state (`training.state.TrainState`).
"""

from typing import NamedTuple

import jax
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from naomi_jax.data import masks
from naomi_jax.training import devices
from naomi_jax.training.plan import BatchConfig


class Source(NamedTuple):
    """What a run's batches are drawn from; on the device, the same for every update.

    Attributes:
      data: all sequences, standardized.
      transforms: the rest of the chain, for each batch (`data.transforms.chain.Chain.batch`).
      key: the run's.
      given: masks of a mask file, or None.
    """

    data: Float[Array, "N T D"]
    transforms: tuple
    key: PRNGKeyArray
    given: Float[Array, "M T"] | None = None


class Batch(NamedTuple):
    """One batch.

    Attributes:
      x: standardized.
      mask: (T,) or (B, T), 1 = shown.
      rows: which sequences of the data these are.
      key: for samples.
    """

    x: Float[Array, "B T D"]
    mask: Float[Array, "*B T"]
    rows: Int[Array, " B"]
    key: PRNGKeyArray


def draw(
    config: BatchConfig,
    source: Source,
    step: int | Shaped[Array, ""],
    order: Int[Array, " N"] | None = None,
) -> Batch:
    """The batch of an update.

    Args:
      config: how to draw.
      source: what to draw from.
      step: updates done before it.
      order: what `epoch_order` gives for this key and `step`, where it is at hand.
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
    """Of the order, and of what an update draws."""
    return jax.random.split(key)


def epoch_order(
    config: BatchConfig, key: PRNGKeyArray, step: int | Shaped[Array, ""], count: int
) -> Int[Array, " N"]:
    """The order in which the epoch after `step` updates sees `count` sequences.

    Sorting tens of thousands of random numbers takes as long as an update of a small model.
    """
    epoch = step // updates_of_epoch(config, count)
    return jax.random.permutation(jax.random.fold_in(_keys(key)[0], epoch), count)


def updates_of_epoch(config: BatchConfig, count: int) -> int:
    """Updates that see `count` sequences once: the whole batches in them."""
    return count // min(config.size, count)


def rows(order: Int[Array, " N"], step: int | Shaped[Array, ""], size: int) -> Int[Array, " B"]:
    """Rows of the batch after `step` updates: an epoch's order, cut into whole batches."""
    count = order.shape[0]
    size = min(size, count)
    return jax.lax.dynamic_slice_in_dim(order, step % (count // size) * size, size)
