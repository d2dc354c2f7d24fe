"""Losses of the level-parallel method; the loop that minimises them is elsewhere."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Num

from naomi_jax.parallel import levels, noise
from naomi_jax.parallel.inputs.geometry import geometry, take_rows
from naomi_jax.parallel.model import config_of
from naomi_jax.parallel.network import mixture
from naomi_jax.parallel.network.encoder import Encoder, Params
from naomi_jax.parallel.network.recurrence import Form

Error = Literal["squared", "root", "absolute", "likelihood"]

# Standardized values squared: below it the root of an error is no steeper than its square.
_ROOT_FLOOR = 1e-3
_LARGEST = 4.0  # noise beyond it tells of outliers, not of neighbors


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
    most_shown: int | None = None,
    error: Error = "squared",
    dropout: float = 0.0,
    form: Form = "auto",
) -> Float[Array, ""]:
    """The error of one drawn pass for each sequence, given the truth of the passes before it.

    One encoder pass for a sequence whatever R. A pass is drawn among the R with equal probability;
    a sequence without an entry in the drawn pass takes the finest one that it has. Coarse passes
    read fewer events than fine ones: part of the batch draws among these, the rest among those.

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
      most_shown: a bound on steps of a sequence with a shown entry, which the caller knows from
        how it hides; more are not read. None: T.
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
    shown, hidden = _split(mask, observed, x.shape)
    x = jnp.where(shown | hidden, x, 0)
    batch = _Batch(x, shown, hidden, as_times(times, x.shape[1], x.dtype), covariates)
    model = Encoder(config, form, dropout)
    total = count = jnp.zeros(())
    for number, group in enumerate(_groups(config.passes, x.shape, most_shown, shown.shape[-1])):
        group_key = jax.random.fold_in(key, number) if number else key
        one = _group_error(model, params, batch.rows(group.rows), group_key, group, targets, error)
        total, count = total + one[0], count + one[1]
    return total / jnp.maximum(count, 1)


class _Batch(NamedTuple):
    """Sequences, and what is asked of them; axes that all share have size 1."""

    x: Float[Array, "B T D"]
    shown: Bool[Array, "M T E"]
    hidden: Bool[Array, "M T E"]
    times: Float[Array, "P T"]
    covariates: Float[Array, "V T C"] | None

    def rows(self, rows: slice) -> "_Batch":
        """Some of the sequences."""
        return jax.tree.map(lambda leaf: leaf if leaf.shape[0] == 1 else leaf[rows], self)


class _Group(NamedTuple):
    """Sequences of a batch, and the passes that are drawn for them."""

    rows: slice
    low: int  # the finest
    high: int  # one more than the coarsest
    events: int  # no more are known before any of these passes


def _groups(passes, shape, most_shown, columns) -> list[_Group]:
    """Coarse passes apart from fine ones: before those fewer steps are known, so they cost less.

    The work of a sequence grows with the bound on its events. Of all ways to cut the passes in two
    the cheapest is taken; each part gets its share of the sequences.
    """
    batch, steps, _ = shape

    def bound(low):
        """Events before pass `low`: those shown, and those of coarser passes."""
        if most_shown is None or columns > 1:
            return steps
        coarser = levels.most_of(low + 1, steps) if low < passes - 1 else 0
        return min(most_shown + coarser, steps)

    def cut(at):
        first = round(batch * (passes - at) / passes)
        return [
            _Group(slice(0, first), at, passes, bound(at)),
            _Group(slice(first, batch), 0, at, bound(0)),
        ]

    whole = [_Group(slice(0, batch), 0, passes, bound(0))]
    ways = [whole, *(cut(at) for at in range(1, passes))] if batch >= passes else [whole]
    return min(ways, key=lambda way: sum(g.events * (g.rows.stop - g.rows.start) for g in way))


def _group_error(model, params, batch: _Batch, key, group: _Group, targets, error):
    """The sum over sequences of each one's error, and how many sequences have one."""
    x, shown, hidden, times, covariates = batch
    size, steps, _ = x.shape
    pass_key, target_key, dropout_key = jax.random.split(key, 3)
    if model.config.passes == 1:
        index, hidden = jnp.zeros(1, jnp.int32), jnp.broadcast_to(hidden, (size, *hidden.shape[1:]))
    else:
        index, shown, hidden = _reveal(pass_key, model.config.passes, group, shown, hidden, size)
    score = jax.random.uniform(target_key, (size, steps))
    score = jnp.where(hidden.any(-1), score, -1)
    best, at = jax.lax.top_k(score, min(targets, steps))
    if error == "likelihood":  # of neighbors, too, which stand side by side in the order of time
        at = jnp.sort(jnp.where(best >= 0, at, steps), axis=1)
        present, at = at < steps, jnp.minimum(at, steps - 1)
    else:
        present = best >= 0
    place = geometry(shown, at, present, times, group.events)
    given = jnp.where(shown, x, 0)
    rngs = {"dropout": dropout_key} if model.dropout else {}
    predicted = model.apply({"params": params}, given, shown, place, index, covariates, rngs=rngs)
    entries = take_rows(hidden, at) & present[..., None]
    wanted = jnp.broadcast_to(entries, (*entries.shape[:2], x.shape[2]))
    truth = take_rows(x, at)
    if error != "likelihood":
        return _reduce(error, predicted, truth, wanted)
    return _mean(-_log_likelihood(predicted, truth, wanted, entries, place), wanted)


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


def _reveal(key, count, group, shown, hidden, batch):
    """Each sequence's pass (B,), drawn among the group's; what is known in it and what it fills."""
    index = levels.passes(shown, count)
    index = jnp.broadcast_to(index, (batch, *index.shape[1:]))
    mine = hidden & (index >= group.low)
    drawn = jax.random.randint(key, (batch, 1, 1), group.low, group.high)
    # The drawn pass may have nothing to fill: short gaps have no coarse level.
    has = ((index == drawn) & mine).any((1, 2), keepdims=True)
    finest = jnp.where(mine, index, count).min((1, 2), keepdims=True)
    drawn = jnp.where(has, drawn, finest)
    revealed = shown | (hidden & (index > drawn))
    return drawn[:, 0, 0] % count, revealed, hidden & (index == drawn)


def as_times(times, steps: int, dtype) -> Float[Array, "P T"]:
    """(1 or B, T) time stamps; one per step where there are none."""
    if times is None:
        return jnp.arange(steps, dtype=dtype)[None]
    return jnp.atleast_2d(times).astype(dtype)


def _log_likelihood(predicted, truth, wanted, entries, place):
    """(B,): of all wanted entries together."""
    alone = mixture.log_likelihood(predicted, truth, wanted).sum((1, 2))
    # Two steps at once, as for copulas in general (inference functions for margins: Joe and Xu
    # 1996): how neighbors go together is learned from the noise, and does not change the margins.
    drawn = jnp.clip(mixture.noise_of(predicted, truth, wanted), -_LARGEST, _LARGEST)
    drawn = jax.lax.stop_gradient(drawn)
    meeting = noise.meets(place, entries)
    together = noise.log_density(drawn, predicted.correlation, meeting, entries)
    return alone + together.sum((1, 2))


def _reduce(error, predicted, truth, wanted):
    value = mixture.mean(predicted) if isinstance(predicted, mixture.Mixture) else predicted
    loss = jnp.abs(value - truth) if error == "absolute" else jnp.square(value - truth)
    total = jnp.where(wanted, loss, 0).sum((1, 2))
    return _mean(total, wanted, root=error == "root")


def _mean(total, wanted, root=False):
    """The sum of each sequence's mean over its entries, and how many sequences have one."""
    count = wanted.sum((1, 2))
    each = total / jnp.maximum(count, 1)
    if root:
        each = jnp.sqrt(each + _ROOT_FLOOR)
    some = count > 0
    return jnp.where(some, each, 0).sum(), some.sum()
