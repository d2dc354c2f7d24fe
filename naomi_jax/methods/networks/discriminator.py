"""The discriminator of the adversarial phase: how real is each action, given the states before it?

Parameters are a plain pytree:

    {"gru": ({"wx": (D, 3H), "wh": (H, 3H), "b": (3H,), "c": (H,)},)      over the sequence
     "dec": {"kernel": (H + D, H), "bias": (H,)}             (H, H) for a whole sequence
     "out": {"kernel": (H, 1),     "bias": (1,)}}

Values are logits: positive means real. With a step gain the discriminator reads
[x_t, gain * (x_t - x_{t-1})] in the place of x_t, twice D values: the jitter of a trajectory is far
smaller than the trajectory, and a network that is given places alone is slow to see it.
"""

import functools
from typing import cast

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PRNGKeyArray

from naomi_jax.methods.networks import dense
from naomi_jax.recursion.cells import gru

Params = dict


class Judge(nn.Module):
    """The two layers behind the GRU: from features to a logit."""

    hidden: int

    @nn.compact
    def __call__(self, features: Float[Array, "*B F"]) -> Float[Array, "*B"]:
        """The logit of each."""
        hidden = nn.relu(nn.Dense(self.hidden, name="dec")(features))
        return nn.Dense(1, name="out")(hidden)[..., 0]


@functools.partial(jax.jit, static_argnames=("dim", "hidden", "per_step", "dtype"))
def init(
    key: PRNGKeyArray,
    dim: int,
    hidden: int,
    per_step: bool = True,
    dtype: DTypeLike = jnp.float32,
) -> Params:
    """Fresh parameters, drawn as torch draws them.

    Args:
      key: a JAX random key.
      dim: D, values at a time step.
      hidden: width of the GRU and of the hidden layer (paper's run: 128).
      per_step: for `step_logits`; False for `sequence_logits`.
      dtype: of every parameter.
    """
    gru_key, dec_key, out_key = jax.random.split(key, 3)
    return {
        "gru": gru.init(gru_key, dim, hidden, 1, dtype),
        "dec": dense.start(dec_key, hidden + dim if per_step else hidden, hidden, dtype),
        "out": dense.start(out_key, hidden, 1, dtype),
    }


def features(x: Float[Array, "B T D"], step_gain: float) -> Float[Array, "B T F"]:
    """What the discriminator reads of x: x itself, or with a gain F = 2D values."""
    if not step_gain:
        return x
    return jnp.concatenate([x, step_gain * jnp.diff(x, axis=1, prepend=x[:, :1])], axis=-1)


def step_logits(params: Params, x: Float[Array, "B T D"]) -> Float[Array, "B T-1"]:
    """One logit for each action (the paper, section 3.3): x_{t+1} given the states x_0 .. x_t.

    Args:
      params: from `init`.
      x: from `features`.

    Returns:
      Entry t judges x_{t+1}.
    """
    chex.assert_rank(x, 3)
    x = jnp.swapaxes(x, 0, 1)
    (states,) = gru.scan(params["gru"], x[:-1])
    return _judge(params, jnp.concatenate([states, x[1:]], axis=-1)).T


def sequence_logits(params: Params, x: Float[Array, "B T D"]) -> Float[Array, "B 1"]:
    """One logit for each whole sequence (GRUI's discriminator)."""
    chex.assert_rank(x, 3)
    (states,) = gru.scan(params["gru"], jnp.swapaxes(x, 0, 1))
    return _judge(params, states[-1])[:, None]


def _judge(params, features) -> jax.Array:
    layers = {name: params[name] for name in ("dec", "out")}
    judge = Judge(params["out"]["kernel"].shape[0])
    return cast(jax.Array, judge.apply({"params": layers}, features))
