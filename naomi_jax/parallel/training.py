"""Losses of the level-parallel method; the loop that minimises them is elsewhere."""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Num

from naomi_jax.parallel import levels
from naomi_jax.parallel.encoder import Encoder, Params
from naomi_jax.parallel.geometry import geometry, take_rows
from naomi_jax.parallel.model import config_of
from naomi_jax.parallel.recurrence import Form

Error = Literal["squared", "root", "absolute", "likelihood"]

# Standardized values squared: below it the root of an error is no steeper than its square.
_ROOT_FLOOR = 1e-3


def teacher_forced(
    params: Params,
    x: Float[Array, "B T D"],
    mask: Num[Array, "..."],
    key: Array,
    *,
    observed: Num[Array, "..."] | None = None,
    times: Float[Array, "..."] | None = None,
    covariates: Float[Array, "B T C"] | None = None,
    targets: int = 32,
    events: int | None = None,
    error: Error = "squared",
    dropout: float = 0.0,
    form: Form = "auto",
) -> Float[Array, ""]:
    """The error of one drawn pass for each sequence, given the truth of the passes before it.

    One encoder pass an update whatever R. A pass is drawn among the R with equal probability; a
    sequence without an entry in the drawn pass takes the finest one that it has.

    Args:
      params: the model.
      x: (B, T, D), finite where observed.
      mask: (T,), (B, T) or (B, T, D), 1 = shown to the model.
      key: draws passes, targets and dropout.
      observed: mask-like, 1 = in the data; what is not is neither shown nor a target. None:
        everything.
      times: (T,) or (B, T) increasing, in the unit of training; None: one per step.
      covariates: (B, T, C), finite.
      targets: steps predicted in each sequence, drawn among the pass's.
      events: a bound on known steps in any one pass, which the caller knows from how it hides (T
        less the fewest steps hidden, where R = 1); events beyond it are not read. None: T.
      error: "squared"; "root", the root of each sequence's mean square, which asks for precision
        where it can be had; "absolute"; "likelihood", the negative logarithm, of stochastic models
        alone.
      dropout: share of MLP outputs that is dropped.
      form: of the recurrences.

    Returns:
      The mean over sequences with a target of each one's mean over its targets.

    Raises:
      ValueError: an unknown error, or a likelihood asked of a deterministic model.
    """
    config = config_of(params)
    if error not in ("squared", "root", "absolute", "likelihood"):
        raise ValueError(f"error: {error!r}; squared, root, absolute or likelihood is needed")
    if error == "likelihood" and not config.stochastic:
        raise ValueError("error: a likelihood needs a stochastic model; its config says it is not")
    steps = x.shape[1]
    pass_key, target_key, dropout_key = jax.random.split(key, 3)
    shown, hidden = _split(mask, observed, x.shape)
    index, shown, hidden = _reveal(pass_key, config.passes, shown, hidden, x.shape[0])

    score = jax.random.uniform(target_key, (x.shape[0], steps))
    score = jnp.where(hidden.any(-1), score, -1)
    best, at = jax.lax.top_k(score, min(targets, steps))
    present = best >= 0
    x = jnp.where(shown | hidden, x, 0)
    place = geometry(shown, at, present, as_times(times, steps, x.dtype), events or steps)
    model = Encoder(config, form, dropout)
    given = jnp.where(shown, x, 0)
    rngs = {"dropout": dropout_key} if dropout else {}
    mean, std = model.apply({"params": params}, given, shown, place, index, covariates, rngs=rngs)
    wanted = take_rows(jnp.broadcast_to(hidden, x.shape), at) & present[..., None]
    return _reduce(error, mean, std, take_rows(x, at), wanted)


def _split(mask, observed, shape):
    """Shown and hidden entries, (B or 1, T, D or 1) bool."""

    def entries(mask):
        mask = jnp.asarray(mask) != 0
        return mask.reshape({1: (1, -1, 1), 2: (*mask.shape, 1), 3: mask.shape}[mask.ndim])

    shown = entries(mask)
    if observed is None:
        return shown, ~shown
    observed = entries(observed)
    return shown & observed, ~shown & observed


def _reveal(key, count, shown, hidden, batch):
    """Each sequence's pass (B,), what is known in it and what it fills."""
    if count == 1:
        return jnp.zeros(1, jnp.int32), shown, jnp.broadcast_to(hidden, (batch, *hidden.shape[1:]))
    index = levels.passes(shown, count)
    index = jnp.broadcast_to(index, (batch, *index.shape[1:]))
    drawn = jax.random.randint(key, (batch, 1, 1), 0, count)
    # Finer passes than the drawn one may exist where it does not: short gaps have no coarse level.
    has = ((index == drawn) & hidden).any((1, 2), keepdims=True)
    finest = jnp.where(hidden, index, count).min((1, 2), keepdims=True)
    drawn = jnp.where(has, drawn, finest)
    revealed = shown | (hidden & (index > drawn))
    return drawn[:, 0, 0] % count, revealed, hidden & (index == drawn)


def as_times(times, steps: int, dtype) -> Float[Array, "P T"]:
    """(1 or B, T) time stamps; one per step where there are none."""
    if times is None:
        return jnp.arange(steps, dtype=dtype)[None]
    return jnp.atleast_2d(times).astype(dtype)


def _reduce(error, mean, std, truth, wanted):
    if error == "likelihood":
        loss = -jax.scipy.stats.norm.logpdf(truth, mean, std)
    else:
        loss = jnp.abs(mean - truth) if error == "absolute" else jnp.square(mean - truth)
    count = wanted.sum((1, 2))
    each = jnp.where(wanted, loss, 0).sum((1, 2)) / jnp.maximum(count, 1)
    if error == "root":
        each = jnp.sqrt(each + _ROOT_FLOOR)
    some = count > 0
    return jnp.where(some, each, 0).sum() / jnp.maximum(some.sum(), 1)
