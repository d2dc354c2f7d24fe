"""`impute`: the pure function that strangers call."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int, Num, PRNGKeyArray

from naomi_jax.recursion import arrays, encoders, model
from naomi_jax.recursion import checks as arguments
from naomi_jax.recursion.decoding import decode
from naomi_jax.recursion.decoding.schedule import enough_backward_ticks, lay_out, max_backward_ticks
from naomi_jax.recursion.gaps import ArrayLike

Mask = Num[ArrayLike, "..."] | Bool[ArrayLike, "..."]


def impute(
    params: model.Params,
    x: Float[ArrayLike, "*B T D"],
    mask: Mask,
    key: PRNGKeyArray | None = None,
    *,
    num_samples: int | None = None,
    lengths: Int[ArrayLike, " B"] | None = None,
) -> Float[ArrayLike, "..."]:
    """Fill the missing entries of x, coarse to fine (Algorithm 1 of the paper).

    The function is pure: jit, vmap, grad, jvp and shard it, with any argument traced.
    A new mask, key or lengths of the same shapes compiles nothing, but that concrete masks of each
    sequence have a decode as long as they need, of three lengths for a shape, each of them a
    program. One mask for the batch is up to twice as fast as one per sequence.

    Args:
      params: from `init`, `from_torch` or a checkpoint; all sizes are read off its shapes.
      x: (T, D) or (B, T, D) floating point, in the values the model was trained on (standardized by
        the commands). What stands at missing entries is ignored, NaN included. Lists and DataFrames
        of numbers are taken as NumPy does.
      mask: (T,) shared, (B, T) one per sequence, or x's own shape, one per entry; 1 = observed. A
        step observed in part is decoded, its observed entries are kept, and the encoders read them,
        before it is decoded as well as after.
      key: random key; needed by stochastic models, ignored by deterministic ones.
      num_samples: n draws n imputations with a leading axis; None draws one without it.
      lengths: (B,) integers; steps from lengths[b] on are padding and come back as they went in.

    Returns:
      x's shape and dtype, or (n, *x.shape). Observed entries are bit-identical to x's: where x is
        float64 and JAX computes in float32 (jax_enable_x64 is not set) a NumPy array comes back.

    Raises:
      ValueError, TypeError: a message naming the argument. Values are checked where they are
        concrete: masks other than 0 and 1, NaN in observed entries, lengths out of range.
    """
    config = model.config_of(params)
    given = arrays.numeric("x", x)
    x, mask = arguments.as_array("x", given), arguments.as_array("mask", mask)
    arguments.check_sequences(x, config.dim)
    arguments.check_mask(mask, x)
    arguments.check_samples(num_samples)
    if lengths is not None:
        lengths = arguments.as_array("lengths", lengths)
        arguments.check_lengths(lengths, x)
    if key is not None:
        arguments.check_key(key)
    elif config.stochastic:
        raise ValueError("key: this model is stochastic; pass a key, such as jax.random.key(0)")
    shown, ends = arguments.hosted(mask, lengths)
    arguments.check_observed(x, _entries(shown, x.shape, ends), given)
    if not config.stochastic:
        key = None
    updates = _updates(shown, ends, x.shape, config.levels)
    filled = _impute(params, x, mask, key, lengths, num_samples, updates)
    return arrays.put_back(given, lambda: _kept(shown, ends, x.shape), filled)


def _updates(mask, lengths, shape, levels):
    """Backward updates that the schedules have room for: as many as concrete masks need.

    Enough for any mask where anything is traced, and where one mask is shared: the padding is then
    a branch that does nothing, and costs less than compiling another program.
    """
    concrete = isinstance(mask, np.ndarray) and isinstance(lengths, np.ndarray | None)
    shared = len(shape) == 2 or (mask.ndim == 1 and lengths is None)
    if shared or not concrete:
        return max_backward_ticks(shape[-2], levels)
    steps = mask != 0
    steps = steps.all(-1) if mask.ndim == 3 else np.atleast_2d(steps)
    if lengths is not None:
        steps = steps | (np.arange(shape[-2]) >= lengths[:, None])
    return enough_backward_ticks(steps, levels)


@functools.partial(jax.jit, static_argnums=(5, 6))
def _impute(params, x, mask, key, lengths, num_samples, updates):
    single = x.ndim == 2
    whole = mask.ndim < x.ndim  # a step is observed entirely or not at all
    keep = _entries(mask, x.shape, lengths)
    given, keep = (a[None] if single else a for a in (x, keep))
    batch, length, _ = given.shape
    # The steps known entirely: (T,) where the batch shares them, else (B, T).
    steps = keep[0].all(-1) if single or (mask.ndim == 1 and lengths is None) else keep.all(-1)
    config = model.config_of(params)
    schedule = _schedules(steps, config.levels, lengths, updates)

    # Time-major from here on.
    dtype = params["heads"]["mean"]["bias"].dtype
    x = jnp.swapaxes(jnp.where(keep, given, 0), 0, 1).astype(dtype)
    known = jnp.atleast_2d(steps).T[..., None] if whole else jnp.swapaxes(keep, 0, 1)
    inside, untouched = None, keep
    if lengths is not None:
        inside = jnp.arange(length)[:, None] < lengths[None]
        untouched = keep | ~inside.T[..., None]
    context = None
    if config.context:
        context = encoders.gap_context(x, known, length if lengths is None else lengths)
    backward = encoders.encode_backward(params, x, known, inside, context)

    # A deterministic model's samples are equal: decode once.
    copies = 1 if key is None else num_samples or 1
    noise = None if key is None else _noise(key, copies, x)
    known = jnp.broadcast_to(known, (length, batch, known.shape[2]))
    x, known, backward, context = _tile((x, known, backward, context), copies, 1)
    schedule = _tile(schedule, copies, 0) if schedule.head.ndim == 2 else schedule
    filled = decode.decode(params, x, known, backward, schedule, noise, context)

    filled = jnp.swapaxes(filled, 0, 1).reshape(copies, *given.shape).astype(given.dtype)
    result = jnp.where(untouched, given, filled)
    result = result[:, 0] if single else result
    if num_samples is None:
        return result[0]
    return jnp.broadcast_to(result, (num_samples, *result.shape[1:]))


def _noise(key, copies, x):
    """Standard normal, (T, copies * B, D), sample by sample as they are drawn."""
    steps, batch, dim = x.shape
    noise = jax.random.normal(key, (copies, *x.shape), x.dtype)
    return jnp.moveaxis(noise, 0, 1).reshape(steps, copies * batch, dim)


def _tile(tree, copies, axis):
    """The arrays of a tree, repeated `copies` times along `axis`."""
    if copies == 1:
        return tree
    return jax.tree.map(lambda a: jnp.concatenate([a] * copies, axis), tree)


def _schedules(steps, levels, lengths, updates):
    if steps.ndim == 1:
        return lay_out(steps, levels, updates=updates)
    if lengths is None:
        return jax.vmap(lambda m: lay_out(m, levels, updates=updates))(steps)
    return jax.vmap(lambda m, n: lay_out(m, levels, n, updates))(steps, lengths)


def _entries(mask, shape, lengths):
    """The observed entries, bool in x's shape: none beyond a sequence's length.

    In NumPy where the mask is: a concrete one is looked at without a device.
    """
    if mask.ndim < len(shape):
        mask = mask[..., None]
    xp = np if isinstance(mask, np.ndarray) else jnp
    known = xp.broadcast_to(mask != 0, shape)
    if lengths is not None:
        known = known & (np.arange(shape[1])[None] < lengths[:, None])[..., None]
    return known


def _kept(mask, lengths, shape):
    """The entries that come back as they went in, bool in x's shape: observed or beyond the end."""
    known = _entries(mask, shape, lengths)
    if lengths is None:
        return known
    return known | (np.arange(shape[1])[None] >= lengths[:, None])[..., None]
