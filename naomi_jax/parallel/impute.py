"""`impute` of the level-parallel method: R passes, each filling all its entries at once."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Num

from naomi_jax.parallel import checks, levels
from naomi_jax.parallel import noise as correlated
from naomi_jax.parallel.inputs.geometry import geometry, positions, take_rows
from naomi_jax.parallel.model import config_of
from naomi_jax.parallel.network import mixture
from naomi_jax.parallel.network.encoder import Encoder, Params
from naomi_jax.parallel.network.recurrence import Form
from naomi_jax.recursion import arrays, gaps


class Size(NamedTuple):
    """Static bounds of one pass."""

    number: int  # which pass, R - 1 the coarsest
    events: int
    targets: int


def impute(
    params: Params,
    x: Float[Array | np.ndarray, "*B T D"],
    mask: Num[Array | np.ndarray, "..."],
    key: Array | None = None,
    *,
    times: Float[Array | np.ndarray, "..."] | None = None,
    covariates: Float[Array | np.ndarray, "*B T C"] | None = None,
    num_samples: int | None = None,
    lengths: Int[Array | np.ndarray, " B"] | None = None,
    form: Form = "auto",
) -> Float[Array | np.ndarray, "..."]:
    """Fill the missing entries of x, all entries of a level at once, the coarsest level first.

    Pure: jit, vmap, grad, jvp and shard it, with any array traced. Where the mask is concrete, work
    and memory follow the number of known steps, which is rounded up to a few sizes: a new mask of
    known sizes compiles nothing. Where it is traced they follow T.

    Args:
      params: from `naomi_jax.parallel.model.init` or training; all sizes are read off its shapes.
      x: (T, D) or (B, T, D) floating point, in the values the model was trained on. What stands at
        missing entries is ignored, NaN included. Lists and DataFrames of numbers are taken as NumPy
        does.
      mask: (T,) shared, (B, T) one per sequence, or x's own shape, one per entry; 1 = observed.
      key: random key; needed by stochastic models, ignored by deterministic ones.
      times: (T,) or (B, T), when each step was, increasing, in the unit that the model was trained
        with; a constant added to all changes nothing. None: one per step.
      covariates: (T, C) or (B, T, C), for models that read C of them, known at every step.
      num_samples: n draws n imputations with a leading axis; None draws one without it.
      lengths: (B,) integers; steps from lengths[b] on are padding and come back as they went in.
      form: of the recurrences: "sequential", "associative", or "auto" by backend (`recurrence`).

    Returns:
      x's shape and dtype, or (n, *x.shape). Observed entries are bit-identical to x's: where x is
        float64 and JAX computes in float32 (jax_enable_x64 is not set) a NumPy array comes back.

    Raises:
      ValueError, TypeError: a message naming the argument. Values are checked where they are
        concrete.
    """
    config = config_of(params)
    given = arrays.numeric("x", x)
    x, mask = checks.as_array("x", given), checks.as_array("mask", mask)
    checks.check_arguments(x, mask, config, num_samples, key, covariates)
    if lengths is not None:
        lengths = checks.as_array("lengths", lengths)
        checks.check_lengths(lengths, x)
    times = checks.read_times(times, x, lengths)
    seen, ends = checks.hosted(mask, lengths)
    known = _entries(seen, x, ends)
    checks.check_observed(x, _full(known, x), given)
    if covariates is not None:
        covariates = checks.as_array("covariates", covariates)
    sizes = _sizes(known, ends, config.passes)
    if not config.stochastic:
        key = None
    filled = _impute(params, x, mask, key, times, covariates, lengths, num_samples, sizes, form)
    return arrays.put_back(given, lambda: _kept(known, x, ends), filled)


def _sizes(known, lengths, count: int) -> tuple[Size, ...]:
    """Bounds of each pass, the coarsest first; a concrete mask leaves out empty passes.

    Args:
      known: (M, T, E) bool.
      lengths: (B,) or None.
      count: R.
    """
    steps = known.shape[1]
    count = min(count, levels.num_levels(steps))
    if isinstance(known, np.ndarray):
        few = count == 1 or known.shape[2] == 1
        with jax.ensure_compile_time_eval():  # a concrete mask, also where the rest is traced
            counts = np.asarray((_count_on_host if few else _count)(known, lengths, count)).tolist()
        return tuple(
            Size(index, bucket(events, steps), bucket(targets, steps))
            for index, (events, targets) in reversed(list(enumerate(counts)))
            if targets
        )

    def most(index):
        # Columns of their own have middles in places of their own; together they may take every
        # step.
        if known.shape[2] > 1 or index == count - 1:
            return steps
        return max((steps + 1) // 2**index, 1)

    return tuple(Size(index, steps, most(index)) for index in reversed(range(count)))


def _count_on_host(known, lengths, count: int) -> np.ndarray:
    """`_count` of one pass, or of steps that are known wholly or not at all: no device is asked."""
    inside = np.arange(known.shape[1]) < (known.shape[1] if lengths is None else lengths[:, None])
    shown = known.any(-1)
    if count == 1:
        wanted = (~known).any(-1) & inside
        return np.array([[shown.sum(-1).max(), wanted.sum(-1).max()]])
    # A gap's steps in each pass follow from its width alone.
    targets = gaps.widths(shown | ~inside) @ levels.of_widths(known.shape[1])
    targets = np.hstack([targets[:, : count - 1], targets[:, count - 1 :].sum(1, keepdims=True)])
    events = shown.sum(-1, keepdims=True) + targets.sum(1, keepdims=True) - targets.cumsum(1)
    return np.stack([events.max(0), targets.max(0)], axis=1)


@functools.partial(jax.jit, static_argnums=2)
def _count(known, lengths, count: int):
    """(R, 2): the most events of a sequence before each pass, and steps that it fills."""
    index = _passes_of(known, lengths, count)

    def most(flags):
        return flags.any(-1).sum(-1).max()

    return jnp.stack(
        [jnp.stack([most(known | (index > r)), most(index == r)]) for r in range(count)]
    )


def _passes_of(known, lengths, count):
    if lengths is None:
        return levels.passes(known, count)
    known = jnp.broadcast_to(known, (lengths.shape[0], *known.shape[1:]))
    return levels.passes(known, count, lengths)


def bucket(number: int, most: int) -> int:
    """`number` rounded up to 1, 2, 3, 4, 6, 8, 12, 16, 24 .., at most `most`."""
    number = max(number, 1)
    power = 1 << (number - 1).bit_length()
    return min(power * 3 // 4 if number <= power * 3 // 4 else power, most)


def _entries(mask, x, lengths):
    """The observed entries, bool (1 or B, T, 1 or D); in NumPy if mask and lengths are."""
    known = mask != 0
    if known.ndim < x.ndim:
        known = known[..., None]
    if lengths is not None:
        known = known & (np.arange(x.shape[1])[None] < lengths[:, None])[..., None]
    return known if known.ndim == 3 else known[None]


def _full(known, x):
    """`known` of a batch, in x's shape."""
    xp = np if isinstance(known, np.ndarray) else jnp
    return xp.broadcast_to(known if x.ndim == 3 else known[0], x.shape)


def _kept(known, x, lengths):
    """The entries that come back as they went in, bool in x's shape: observed or beyond the end."""
    if lengths is not None:
        known = known | (np.arange(x.shape[1])[None] >= lengths[:, None])[..., None]
    return _full(known, x)


@functools.partial(jax.jit, static_argnums=(7, 8, 9))
def _impute(params, x, mask, key, times, covariates, lengths, num_samples, sizes, form):
    given = x
    single = x.ndim == 2
    known = _entries(mask, x, lengths)
    x = x[None] if single else x
    if covariates is not None:
        covariates = jnp.broadcast_to(covariates, (*x.shape[:2], covariates.shape[-1]))
    dtype = params["value"]["bias"].dtype
    times = times.astype(dtype)
    index = _passes_of(known, lengths, config_of(params).passes)
    filled = jnp.where(known, x, 0).astype(dtype)

    copies = num_samples if num_samples and key is not None else 1
    noise = None
    if key is not None:
        noise = _noise(key, copies, x.shape, config_of(params), dtype)
    state = _State(filled, known, index, times, covariates)
    filled = _passes(params, state, noise, copies, sizes, form)
    filled = jnp.broadcast_to(filled.reshape(-1, *x.shape), (copies, *x.shape)).astype(given.dtype)
    filled = jnp.where(index >= 0, filled, x)
    filled = filled[:, 0] if single else filled
    if num_samples is None:
        return filled[0]
    return jnp.broadcast_to(filled, (num_samples, *filled.shape[1:]))


def _noise(key, copies, shape, config, dtype):
    """Noise of every step, however many of them a pass fills: normal, and to choose components."""
    batch, steps, dim = shape
    normal_key, choice_key = jax.random.split(key)
    normal = jax.random.normal(normal_key, (copies * batch, steps, dim), dtype)
    if config.components == 1:
        return normal, None
    shape = copies * batch, steps, dim // config.lane
    return normal, jax.random.uniform(choice_key, shape, dtype)


class _State(NamedTuple):
    """What passes read; B grows to all samples of all sequences after the first one."""

    filled: Float[Array, "B T D"]
    known: Bool[Array, "M T E"]
    passes: Int[Array, "M T E"]  # which one fills each entry
    times: Float[Array, "P T"]
    covariates: Float[Array, "B T C"] | None


def _passes(params, state, noise, copies, sizes, form):
    """The values after all passes, (copies * B, T, D); without any, (B, T, D)."""
    steps = state.filled.shape[1]
    model = Encoder(config_of(params), form)
    for size in sizes:
        at = positions((state.passes == size.number).any(-1), size.targets)
        targets = jnp.minimum(at, steps - 1)
        place = geometry(state.known, targets, at < steps, state.times, size.events)
        number = jnp.full(1, size.number, jnp.int32)
        value: Any = model.apply(
            {"params": params}, state.filled, state.known, place, number, state.covariates
        )
        if noise is not None:
            entries = take_rows(state.passes == size.number, targets) & place.present[..., None]
            meeting = correlated.meets(place, entries)
            if size is sizes[0]:
                # Samples know the same until here: one evaluation served them all.
                several = value, state, targets, entries, meeting
                value, state, targets, entries, meeting = _tile(several, copies)
            drawn = _at(noise, targets, entries, meeting, value.correlation)
            value = mixture.sample(value, *drawn)
        # Back by gathering, each step from its place among the targets: a scatter is slow on CPU.
        wanted = state.passes == size.number
        rank = jnp.cumsum(wanted.any(-1), axis=1, dtype=jnp.int32) - 1
        filled = jnp.where(wanted, take_rows(value, rank), state.filled)
        state = state._replace(filled=filled, known=state.known | wanted)
    return state.filled


def _at(noise, targets, entries, meeting, correlation):
    """Noise of a pass's targets."""
    normal, choice = noise
    normal = correlated.along(take_rows(normal, targets), correlation, meeting, entries)
    return normal, None if choice is None else take_rows(choice, targets)


def _tile(tree, copies):
    """`copies` of each leaf one after the other; what all sequences share stays as it is."""

    def tile(leaf):
        return leaf if leaf.shape[0] == 1 else jnp.tile(leaf, (copies, *[1] * (leaf.ndim - 1)))

    return tree if copies == 1 else jax.tree.map(tile, tree)
