"""The two encoders over a whole sequence, and what they read of each step. Time-major."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from naomi_jax.recursion import gaps
from naomi_jax.recursion.cells import gru

Context = Float[Array, "T B D+2"]


def gap_context(
    x: Float[Array, "T B D"],
    entries: Bool[Array, " T #B #D"],
    length: int | Int[Array, " B"],
) -> Context:
    """What a model with context reads of each step beside its value.

    The straight line between the observed entries on both sides, and the logarithms of the
    distances to the observed steps on both sides (the virtual ones before the start and after the
    end among them). It follows from what is observed alone and stays as it is while the decode goes
    on.

    Args:
      x: finite; its values at missing entries do not matter.
      entries: the observed entries.
      length: T, or the number of steps of each sequence.
    """
    known = jnp.broadcast_to(entries.all(-1), x.shape[:2])
    distances = gaps.distances(known, length)
    # Half: about 1 in gaps of ten steps, as standardized values are.
    return jnp.concatenate([gaps.line(x, entries), jnp.log(distances.astype(x.dtype)) / 2], axis=-1)


def encode_forward(
    params: dict, x: Float[Array, "T B D"], context: Context | None = None
) -> tuple[Float[Array, "T+1 B H"], ...]:
    """hf_{-1} .. hf_{T-1} over complete x, for each layer; row 0 is zero.

    `context` is that of a model that has it (`gap_context`).
    """
    states = gru.scan(params["gru"], _beside(x, context))
    return tuple(jnp.pad(s, ((1, 0), (0, 0), (0, 0))) for s in states)


def encode_backward(
    params: dict,
    x: Float[Array, "T B D"],
    entries: Bool[Array, " T #B #D"],
    inside: Bool[Array, "T B"] | None = None,
    context: Context | None = None,
) -> tuple[Float[Array, "T+1 B H"], ...]:
    """hb_0 .. hb_T over what is observed, for each layer; row T is zero.

    The backward encoder reads I_t = [1 if all of x_t is observed else 0, its observed entries, 0 at
    the others].

    Args:
      params: the model.
      x: finite everywhere; its values at missing entries do not matter.
      entries: the observed entries.
      inside: False beyond a shorter sequence's end; None where all have T steps.
      context: of a model that has it (`gap_context`).
    """
    observed = jnp.broadcast_to(entries, x.shape)
    whole = observed.all(-1, keepdims=True).astype(x.dtype)
    inputs = _beside(jnp.concatenate([whole, jnp.where(observed, x, 0)], -1), context)
    states = gru.scan(params["back_gru"], inputs, reverse=True, inside=inside)
    return tuple(jnp.pad(s, ((0, 1), (0, 0), (0, 0))) for s in states)


def _beside(inputs, context):
    return inputs if context is None else jnp.concatenate([inputs, context], axis=-1)
