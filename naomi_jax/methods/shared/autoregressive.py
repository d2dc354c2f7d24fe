"""Forward-only imputation, one step at a time: what MaskGAN and GRUI have in common.

A missing x_t is decoded from the forward state after x_0 .. x_{t-1} alone, then consumed like one
that is shown. Parameters are a plain pytree:

    {"gru":   ({"wx": (D, 3H), ...}, ...),
     "head":  {"dec":  {"kernel": (H, K), "bias": (K,)},
               "mean": {"kernel": (K, D), "bias": (D,)},
               "std":  {"kernel": (K, D), "bias": (D,)}},         stochastic only
     "decay": {"scale": (H,), "bias": (H,)}}                     GRUI only
"""

import dataclasses
import functools
from typing import cast

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, Shaped

from naomi_jax.fields import Settings, at_least, setting
from naomi_jax.methods.networks import dense
from naomi_jax.methods.shared import losses
from naomi_jax.recursion import checks, gaps
from naomi_jax.recursion.cells import gru

ArrayLike = Array | np.ndarray
Params = dict


@dataclasses.dataclass(frozen=True)
class AutoregressiveSettings(Settings):
    """Sizes of a forward-only model."""

    hidden: int = setting(300, "Width of the GRU.", at_least(1))
    layers: int = setting(2, "Stacked GRU layers.", at_least(1))
    head_hidden: int = setting(200, "Width of the head's hidden layer.", at_least(1))
    stochastic: bool = setting(False, "A Gaussian at each step instead of a value.")


class Head(nn.Module):
    """The mean of the next step, from a state; with `stochastic` its standard deviation too."""

    hidden: int
    dim: int
    stochastic: bool

    @nn.compact
    def __call__(
        self, state: Float[Array, "*B H"]
    ) -> tuple[Float[Array, "*B D"], Float[Array, "*B D"] | None]:
        """(mean, standard deviation or None)."""
        hidden = nn.relu(nn.Dense(self.hidden, name="dec")(state))
        mean = nn.Dense(self.dim, name="mean")(hidden)
        std = nn.softplus(nn.Dense(self.dim, name="std")(hidden)) if self.stochastic else None
        return mean, std


def _head_of(params) -> Head:
    """The module that `params` are of."""
    head = params["head"]
    return Head(head["dec"]["bias"].shape[0], head["mean"]["bias"].shape[0], "std" in head)


def _apply_head(params, state) -> tuple[jax.Array, jax.Array | None]:
    found = _head_of(params).apply({"params": params["head"]}, state)
    return cast(tuple[jax.Array, jax.Array | None], found)


@functools.partial(jax.jit, static_argnames=("settings", "dim", "decay"))
def init(
    key: PRNGKeyArray, settings: AutoregressiveSettings, dim: int, decay: bool = False
) -> Params:
    """Fresh parameters.

    Args:
      key: a JAX random key.
      settings: the sizes.
      dim: D, values at a time step.
      decay: with the time-lag decay of GRUI.
    """
    gru_key, dec_key, mean_key, std_key, decay_key = jax.random.split(key, 5)
    params = {
        "gru": gru.init(gru_key, dim, settings.hidden, settings.layers),
        "head": {
            "dec": dense.start(dec_key, settings.hidden, settings.head_hidden),
            "mean": dense.start(mean_key, settings.head_hidden, dim),
        },
    }
    if settings.stochastic:
        params["head"]["std"] = dense.start(std_key, settings.head_hidden, dim)
    if decay:
        scale = jax.random.uniform(decay_key, (settings.hidden,), maxval=settings.hidden**-0.5)
        params["decay"] = {"scale": scale, "bias": jnp.zeros(settings.hidden)}
    return params


def impute(
    params: Params,
    x: Float[ArrayLike, "*B T D"],
    mask: Shaped[ArrayLike, "..."],
    key: PRNGKeyArray | None = None,
    *,
    num_samples: int | None = None,
) -> Float[Array, "*S T D"]:
    """Fill the missing entries of x, left to right; arguments and errors as naomi_jax.impute's."""
    head = _head_of(params)
    x, mask = checks.as_array("x", x), checks.as_array("mask", mask)
    checks.check_sequences(x, head.dim)
    checks.check_mask(mask, x)
    checks.check_samples(num_samples)
    if head.stochastic and key is None:
        raise ValueError("key: this model is stochastic; pass a key, such as jax.random.key(0)")
    entries = mask if mask.ndim == x.ndim else mask[..., None]
    keep = jnp.broadcast_to(entries != 0, x.shape)
    checks.check_observed(x, keep)
    return _impute(params, x, keep, key if head.stochastic else None, num_samples)


@functools.partial(jax.jit, static_argnums=4)
def _impute(params, x, keep, key, num_samples):
    single = x.ndim == 2
    given, keep = (a[None] if single else a for a in (x, keep))
    shape = (num_samples or 1, *given.shape)
    noise = None if key is None else jax.random.normal(key, shape, given.dtype)

    def one(noise):
        time_major = (None if a is None else jnp.swapaxes(a, 0, 1) for a in (given, keep, noise))
        return jnp.swapaxes(_decode(params, *time_major), 0, 1)

    filled = one(None)[None] if noise is None else jax.vmap(one)(noise)
    filled = jnp.broadcast_to(filled, shape)
    filled = filled[:, 0] if single else filled
    return filled[0] if num_samples is None else filled


def _decode(params, given, keep, noise):
    """given, keep, noise (T, B, D); returns given with its missing entries filled."""
    layers = params["gru"]

    def body(state, xs):
        x, keep, lag, eps = xs
        mean, std = _apply_head(params, _decayed(params, state[-1], lag))
        value = jnp.where(keep, x, mean if std is None else mean + std * eps)
        source = tuple(_decayed(params, h, lag) for h in state)
        state, _ = gru.step(layers, gru.product(value, layers[0]["wx"]), source)
        return state, value

    shown = keep.all(-1)
    x = jnp.where(keep, given, 0)  # what stands at missing entries reaches no gradient
    zero = jnp.zeros_like(x, shape=(x.shape[1], layers[0]["wh"].shape[0]))
    _, values = jax.lax.scan(body, (zero,) * len(layers), (x, keep, lags(shown), noise))
    return jnp.where(keep, given, values)


def lags(shown: Bool[Array, "T B"]) -> Float[Array, "T B"]:
    """Steps since the last shown step before each step.

    1 where the step before is shown, and at step 0; one more after each missing step (Luo et al.,
    2018, delta with unit time steps).
    """
    return gaps.distances(shown, shown.shape[0])[..., 0].astype(jnp.float32)


def _decayed(params, state, lag):
    """GRUI: the state, faded by 1 / exp(max(0, w lag + b)) since the last shown step."""
    if "decay" not in params:
        return state
    rate = params["decay"]["scale"][None] * lag[:, None] + params["decay"]["bias"][None]
    return state * jnp.exp(-jnp.maximum(rate, 0))


def teacher_forced(
    params: Params, x: Float[Array, "B T D"], mask: Shaped[Array, "*B T"], key=None, given=None
) -> Float[Array, ""]:
    """One-step-ahead error on complete sequences: the sum over steps and dimensions, over T and B.

    Squared error, or Gaussian negative log-likelihood. `mask` is ignored: these models have no
    backward encoder for it to hide steps from.
    """
    del mask, key, given
    x = jnp.swapaxes(x, 0, 1)
    lag = jnp.ones(x.shape[1])

    layers = params["gru"]

    def body(state, projected):
        source = tuple(_decayed(params, h, lag) for h in state)
        return gru.step(layers, projected, source)[0], source[-1]

    zero = jnp.zeros_like(x, shape=(x.shape[1], layers[0]["wh"].shape[0]))
    projected = gru.product(x, layers[0]["wx"])
    _, before = jax.lax.scan(body, (zero,) * len(layers), projected)
    mean, std = _apply_head(params, before)
    return losses.prediction_error(x, mean, std).sum() / (x.shape[0] * x.shape[1])
