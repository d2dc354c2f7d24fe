"""The heads g_0 .. g_{R-1}, one for each level: from two states to the step between them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from naomi_jax.recursion.axes import leading
from naomi_jax.recursion.cells import gru

Head = dict  # one level's parameters: params["heads"] without the R axis


def level_heads(params: dict) -> tuple[Head, ...]:
    """The heads one by one, level 0 first."""
    heads = params["heads"]
    levels = heads["dec"]["kernel"].shape[0]
    return tuple(
        jax.tree.map(lambda leaf, level=level: leaf[level], heads) for level in range(levels)
    )


def apply_head(
    head: Head, *states: Float[Array, "*N H"]
) -> tuple[Float[Array, "*N D"], Float[Array, "*N D"] | None]:
    """g_l of the paper: a dense layer, relu, then the mean and, if stochastic, a softplus std.

    Args:
      head: one level's parameters.
      states: the forward and the backward state of the last layers.

    Returns:
      (mean, std); std is None for a deterministic head.
    """
    hidden = jax.nn.relu(_dense(head["dec"], jnp.concatenate(states, axis=-1)))
    mean = _dense(head["mean"], hidden)
    std = jax.nn.softplus(_dense(head["std"], hidden)) if "std" in head else None
    return mean, std


def sample(
    head: Head,
    left: Float[Array, "N H"],
    right: Float[Array, "N H"],
    line: Float[Array, "N D"] | None,
    noise: Float[Array, "N D"] | None,
) -> Float[Array, "N D"]:
    """The value that a head gives to a step.

    Args:
      head: one level's parameters.
      left, right: the states on both sides.
      line: the straight line between the known values on both sides; of a residual head.
      noise: standard normal; of a stochastic head.
    """
    mean, std = apply_head(head, left, right)
    value = mean if line is None else mean + head["skip"][None] * line
    if std is None:
        return value
    assert noise is not None, "a stochastic model needs noise"
    return value + std * noise


def _dense(dense, x):
    return gru.product(x, dense["kernel"]) + leading(dense["bias"], x.ndim)
