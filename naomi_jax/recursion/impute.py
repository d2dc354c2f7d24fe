"""`impute`: the pure function that strangers call."""

import functools

import chex
import jax
import jax.numpy as jnp

from naomi_jax.recursion import checks as arguments
from naomi_jax.recursion import decode, model
from naomi_jax.recursion.schedule import make_schedule


def impute(
    params: model.Params,
    x: chex.Array,
    mask: chex.Array,
    key: chex.PRNGKey | None = None,
    *,
    num_samples: int | None = None,
    lengths: chex.Array | None = None,
) -> chex.Array:
    """Fill the missing entries of x, coarse to fine (Algorithm 1 of the paper).

    Pure: jit, vmap, grad and shard it, with any of x, mask, key and params traced. A new mask, key or
    lengths of the same shapes compiles nothing. One mask for the batch is up to twice as fast as one
    per sequence.

    Args:
      params: from `init`, `from_torch` or a checkpoint; all sizes are read off its shapes.
      x: (T, D) or (B, T, D) floating point, in the values the model was trained on (standardised by
        the commands). What stands at missing entries is ignored, NaN included.
      mask: (T,) shared, (B, T) one per sequence, or x's own shape, one per entry; 1 = observed. A
        step observed in part is decoded, and its observed entries are kept and passed on.
      key: random key; needed by stochastic models, ignored by deterministic ones.
      num_samples: n draws n imputations with a leading axis; None draws one without it.
      lengths: (B,) integers; steps from lengths[b] on are padding and come back as they went in.

    Returns:
      x's shape and dtype, or (n, *x.shape). Observed entries are bit-identical to x's.

    Raises:
      ValueError, TypeError: a message naming the argument. Values are checked where they are
        concrete: masks other than 0 and 1, NaN in observed entries, lengths out of range.
    """
    config = model.config_of(params)
    x, mask = arguments.as_array("x", x), arguments.as_array("mask", mask)
    arguments.check_sequences(x, config)
    arguments.check_mask(mask, x)
    arguments.check_samples(num_samples)
    if lengths is not None:
        lengths = arguments.as_array("lengths", lengths)
        arguments.check_lengths(lengths, x)
    if config.stochastic and key is None:
        raise ValueError("key: this model is stochastic; pass a key, such as jax.random.key(0)")
    arguments.check_observed(x, _entries(mask, x, lengths))
    if not config.stochastic:
        key = None
    return _impute(params, x, mask, key, lengths, num_samples)


@functools.partial(jax.jit, static_argnums=5)
def _impute(params, x, mask, key, lengths, num_samples):
    single = x.ndim == 2
    keep = _entries(mask, x, lengths)
    given, keep, x = (a[None] if single else a for a in (x, keep, x))
    batch = x.shape[0]
    # The steps known entirely: (T,) where the batch shares them, else (B, T).
    steps = keep[0].all(-1) if single or mask.ndim == 1 and lengths is None else keep.all(-1)
    config = model.config_of(params)
    schedule = _schedules(steps, config.levels, lengths)
    dtype = params["heads"]["mean"]["bias"].dtype
    x = jnp.swapaxes(jnp.where(keep, x, 0), 0, 1).astype(dtype)
    inside = None
    if lengths is not None:
        inside = jnp.arange(x.shape[0])[:, None] < lengths
    known = jnp.atleast_2d(steps).T
    context = None
    if config.context:
        entries = known[..., None] if mask.ndim == 1 else jnp.swapaxes(keep, 0, 1)
        context = model.gap_context(x, entries, known, x.shape[0] if lengths is None else lengths)
    backward = model.encode_backward(params, x, known, inside, context)

    copies = num_samples or 1
    noise = None
    if key is not None:
        noise = jax.random.normal(key, (copies, *x.shape), dtype)
        noise = jnp.moveaxis(noise, 0, 1).reshape(x.shape[0], copies * batch, x.shape[2])
    else:
        copies = 1  # a deterministic model's samples are equal: decode once

    def tile(array, axis):
        repeats = [1] * array.ndim
        repeats[axis] = copies
        return jnp.tile(array, repeats) if copies > 1 else array

    if schedule.head.ndim == 2:
        schedule = jax.tree.map(lambda leaf: tile(leaf, 0), schedule)
    filled = decode.decode(
        params,
        tile(x, 1),
        tile(jnp.swapaxes(keep, 0, 1), 1),
        tuple(tile(state, 1) for state in backward),
        schedule,
        noise,
        None if context is None else tile(context, 1),
    )
    filled = jnp.swapaxes(filled, 0, 1).reshape(copies, *given.shape).astype(given.dtype)
    outside = keep if lengths is None else keep | ~inside.T[..., None]
    result = jnp.where(outside, given, filled)
    result = result[:, 0] if single else result
    if num_samples is None:
        return result[0]
    return jnp.broadcast_to(result, (num_samples, *result.shape[1:]))


def _schedules(steps, levels, lengths):
    if steps.ndim == 1:
        return make_schedule(steps, levels)
    if lengths is None:
        return jax.vmap(lambda m: make_schedule(m, levels))(steps)
    return jax.vmap(lambda m, n: make_schedule(m, levels, n))(steps, lengths)


def _entries(mask, x, lengths):
    """The observed entries, bool in x's shape: none beyond a sequence's length."""
    if mask.ndim < x.ndim:
        mask = mask[..., None]
    known = jnp.broadcast_to(mask != 0, x.shape)
    if lengths is not None:
        known = known & (jnp.arange(x.shape[1]) < lengths[:, None])[..., None]
    return known
