"""Forward-only imputation, one step at a time: what MaskGAN and GRUI have in common.

A missing x_t is decoded from the forward state after x_0 .. x_{t-1} alone, then consumed like an observed
one. Parameters are a plain pytree:

    {"gru":   ({"wx": (D, 3H), ...}, ...),
     "head":  {"dec":  {"kernel": (H, K), "bias": (K,)},
               "mean": {"kernel": (K, D), "bias": (D,)},
               "std":  {"kernel": (K, D), "bias": (D,)}},         stochastic only
     "decay": {"scale": (H,), "bias": (H,)}}                     GRUI only
"""

import functools

import chex
import jax
import jax.numpy as jnp

from naomi_jax.methods import discriminator, losses
from naomi_jax.recursion import checks as arguments
from naomi_jax.recursion import gaps, gru, heads, model

Params = dict


@functools.partial(jax.jit, static_argnames=("config", "decay"))
def init(key: chex.PRNGKey, config: model.ModelConfig, decay: bool) -> Params:
    """Fresh parameters; `config.levels` is ignored.

    Args:
      key: a JAX random key.
      config: the sizes.
      decay: with the time-lag decay of GRUI.
    """
    keys = jax.random.split(key, 5)
    shapes = {
        "dec": (config.hidden, config.head_hidden),
        "mean": (config.head_hidden, config.dim),
    }
    if config.stochastic:
        shapes["std"] = config.head_hidden, config.dim
    params = {
        "gru": gru.init(keys[0], config.dim, config.hidden, config.layers),
        "head": {
            name: discriminator.init_dense(k, *shape, jnp.float32)
            for k, (name, shape) in zip(keys[1:], shapes.items())
        },
    }
    if decay:
        scale = jax.random.uniform(keys[4], (config.hidden,), maxval=config.hidden**-0.5)
        params["decay"] = {"scale": scale, "bias": jnp.zeros(config.hidden)}
    return params


def impute(
    params: Params,
    x: chex.Array,
    mask: chex.Array,
    key: chex.PRNGKey | None = None,
    *,
    num_samples: int | None = None,
) -> chex.Array:
    """Fill the missing entries of x, left to right; arguments and errors as naomi_jax.impute's."""
    config = _config_of(params)
    x, mask = arguments.as_array("x", x), arguments.as_array("mask", mask)
    arguments.check_sequences(x, config.dim)
    arguments.check_mask(mask, x)
    arguments.check_samples(num_samples)
    if config.stochastic and key is None:
        raise ValueError("key: this model is stochastic; pass a key, such as jax.random.key(0)")
    entries = mask if mask.ndim == x.ndim else mask[..., None]
    keep = jnp.broadcast_to(entries != 0, x.shape)
    arguments.check_observed(x, keep)
    return _impute(params, x, keep, key if config.stochastic else None, num_samples)


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
        mean, std = heads.apply_head(params["head"], _decayed(params, state[-1], lag))
        value = jnp.where(keep, x, mean if std is None else mean + std * eps)
        source = tuple(_decayed(params, h, lag) for h in state)
        state, _ = gru.step(layers, gru.product(value, layers[0]["wx"]), source)
        return state, value

    observed = keep.all(-1)
    x = jnp.where(keep, given, 0)  # what stands at missing entries reaches no gradient
    zero = jnp.zeros_like(x, shape=(x.shape[1], layers[0]["wh"].shape[0]))
    _, values = jax.lax.scan(body, (zero,) * len(layers), (x, keep, lags(observed), noise))
    return jnp.where(keep, given, values)


def lags(observed: chex.Array) -> chex.Array:
    """Steps since the last observation before each step: (T, B) bool -> (T, B) float.

    1 where the step before is observed, and at step 0; one more after each missing step (Luo et al.,
    2018, delta with unit time steps).
    """
    return gaps.distances(observed, observed.shape[0])[..., 0].astype(jnp.float32)


def _decayed(params, state, lag):
    """GRUI: the state fades with the time since the last observation, by 1 / exp(max(0, w lag + b))."""
    if "decay" not in params:
        return state
    rate = params["decay"]["scale"] * lag[:, None] + params["decay"]["bias"]
    return state * jnp.exp(-jnp.maximum(rate, 0))


def teacher_forced(params: Params, x: chex.Array, mask: chex.Array) -> chex.Array:
    """One-step-ahead error on complete sequences: the sum over steps and dimensions, over T and B.

    Squared error, or Gaussian negative log-likelihood. `mask` is ignored: these models have no
    backward encoder for it to hide steps from.
    """
    del mask
    x = jnp.swapaxes(x, 0, 1)
    lag = jnp.ones(x.shape[1])

    layers = params["gru"]

    def body(state, projected):
        source = tuple(_decayed(params, h, lag) for h in state)
        return gru.step(layers, projected, source)[0], source[-1]

    zero = jnp.zeros_like(x, shape=(x.shape[1], layers[0]["wh"].shape[0]))
    projected = gru.product(x, layers[0]["wx"])
    _, before = jax.lax.scan(body, (zero,) * len(layers), projected)
    mean, std = heads.apply_head(params["head"], before)
    error = losses.squared_error if std is None else losses.gaussian_nll
    return error(x, mean, std).sum() / (x.shape[0] * x.shape[1])


def _config_of(params):
    layer = params["gru"][0]
    return model.ModelConfig(
        dim=layer["wx"].shape[0],
        hidden=layer["wh"].shape[0],
        layers=len(params["gru"]),
        levels=1,
        head_hidden=params["head"]["dec"]["bias"].shape[0],
        stochastic="std" in params["head"],
    )
