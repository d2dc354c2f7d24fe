"""The level-parallel network on a table that has holes: it corrects what the state space says.

For an entry that was hidden, the network is asked how far the truth is from the fill of the state
space (or, with many columns, from the level of the window). It reads which entries are known, that
fill at every row, and how far known entries are from it. So it begins where linear methods end, and
learns what they cannot: 10,000 rows are few for a network that starts from nothing.

What it trains on is a pool of windows, hidden and filled in advance and kept on the device; nothing
is copied per update. An entry that was never observed is neither shown nor a target.
"""

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Bool, Float, Int

from naomi_jax.imputer.preparation.panel import Panel, series_windows
from naomi_jax.imputer.preparation.scaling import Scaling
from naomi_jax.parallel import model, training
from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.impute import impute
from naomi_jax.recursion.gaps import ArrayLike

_FILL_BATCHES = (1, 8, 64)  # windows at once; each compiles
LARGEST = 10.0  # values of standard deviation 1 are bounded, for what was never seen
_SECONDS_PER_CHUNK = 1.0


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a network is trained.

    Attributes:
      batch: windows of an update.
      targets: rows of a window that an update predicts.
      updates: of the whole training, if there is time.
      learning_rate: at its highest; it falls to zero along a cosine.
      dropout: share of hidden units left out.
      average: decay of the moving average of the weights, which then fills.
    """

    batch: int
    targets: int
    updates: int
    learning_rate: float = 2e-3
    dropout: float = 0.2
    average: float = 0.998


class Prior(NamedTuple):
    """What is known before the network is asked.

    Attributes:
      mean: the state space's fill from what is shown.
      error: its typical error; the network's answers are in this unit, so that it is as precise in
        gaps of one row, where errors are small, as in long ones.
    """

    mean: Float[np.ndarray, "n D"]
    error: Float[np.ndarray, "n D"]


class Windows(NamedTuple):
    """Windows as the network sees them; arrays of numpy or JAX.

    Attributes:
      x: 0 or a known value where shown; what is to be found where hidden.
      shown: what the network is given.
      known: what is observed at all.
      times: from the first row of each window.
      covariates: known in every row.
      offset, unit: what is added to the network's answer, once it was multiplied by the unit.
    """

    x: Float[ArrayLike, "N W D"]
    shown: Bool[ArrayLike, "N W D"]
    known: Bool[ArrayLike, "N W D"]
    times: Float[ArrayLike, "N W"]
    covariates: Float[ArrayLike, "N W C"]
    offset: Float[ArrayLike, "N W D"]
    unit: Float[ArrayLike, "N W D"]


def cut(
    panel: Panel,
    shown: Bool[np.ndarray, "n D"],
    prior: Prior | None,
    scaling: Scaling,
    places: Int[np.ndarray, "N 2"],
    window: int,
) -> Windows:
    """Windows of a panel in units of the scale.

    Args:
      panel: with all that is observed.
      shown: what the network is given.
      prior: None: none, the network is asked for the values themselves.
      scaling: for the levels of windows.
      places: (N, 2) first row and number of rows.
      window: W; shorter windows are padded.
    """
    at, inside = rows(places, window, len(panel.values))
    step, inside = np.arange(window), inside[..., None]
    known = panel.observed[at] & inside
    shown = shown[at] & known
    values = np.where(known, panel.values[at], 0)
    times = panel.times[at]
    # Steps beyond the end of a short series: any increasing times do.
    last = np.take_along_axis(times, places[:, 1:] - 1, axis=1)
    times = np.where(inside[..., 0], times, last + 1 + step) - times[:, :1]
    covariates = [panel.covariates[at]]
    if prior is None:
        offset = np.broadcast_to(scaling.level(values, shown), values.shape)
        unit = np.ones_like(values)
        x = np.where(known, values - offset, 0)
    else:
        offset, unit = prior.mean[at], prior.error[at]
        away = np.where(known, values - offset, 0)
        x = np.where(shown, 0, away / unit)
        whole = np.broadcast_to(inside, offset.shape)
        covariates += [offset - scaling.level(offset, whole), np.where(shown, away, 0)]
    bounded = (np.clip(part, -LARGEST, LARGEST) for part in covariates)
    return Windows(
        np.clip(x, -LARGEST, LARGEST).astype(np.float32),
        shown,
        known,
        times.astype(np.float32),
        np.concatenate(list(bounded), axis=-1).astype(np.float32),
        offset,
        unit,
    )


def rows(
    places: Int[np.ndarray, "N 2"], window: int, count: int
) -> tuple[Int[np.ndarray, "N W"], Bool[np.ndarray, "N W"]]:
    """The rows of windows among `count`, and whether they are the window's or padding."""
    step = np.arange(window)
    return np.minimum(places[:, :1] + step, count - 1), step < places[:, 1:]


def fit(
    pool: Windows,
    config: ParallelConfig,
    settings: Settings,
    seed: int,
    deadline: float,
    report: Callable[[float, float], object] = lambda share, loss: None,
) -> Any:
    """Train.

    Args:
      pool: windows to learn from.
      config: of the network.
      settings: of the training.
      seed: of everything random.
      deadline: `time.monotonic()` at which training must have ended. Where it comes before all
        updates are done, their number is lowered early, once, and the rate falls accordingly.
      report: called with the share that is done and the loss, about once a second.

    Returns:
      The parameters, averaged.
    """
    # The way back is not needed in training.
    data = jax.device_put(pool._replace(offset=np.zeros(1), unit=np.ones(1)))
    key = jax.random.key(seed)
    params = model.init(key, config)
    state = (params, jax.tree.map(jnp.copy, params), _optimizer().init(params), jnp.zeros(()))
    run = _compiled(settings)
    step, size, total, fixed = 0, 1, settings.updates, False
    began = time.monotonic()
    while step < total:
        stop = min(step + size, total)
        state = run(state, data, key, step, stop, total)
        loss = float(state[3])
        if not np.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} after {stop} updates")
        now = time.monotonic()
        seconds, done, step, began = now - began, stop - step, stop, now
        report(step / total, loss)
        if done == 1 and step == 1:
            continue  # the first update also compiles; the next one is timed
        if seconds > 0.5 * _SECONDS_PER_CHUNK or done > total // 10:
            affordable = step + max(deadline - now, 0) * done / seconds  # infinite: no deadline
            if not fixed or affordable < total:
                total, fixed = max(int(min(total, affordable)), step), True
        size = max(1, min(2 * size, int(done * _SECONDS_PER_CHUNK / max(seconds, 1e-3))))
    return jax.tree.map(np.asarray, state[1])


def _optimizer():
    # The rate is applied outside: it depends on how many updates there is time for.
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1.0, weight_decay=1e-2))


@functools.lru_cache(maxsize=8)
def _compiled(settings: Settings):
    """run(state, data, key, step, stop, total): updates from `step` to `stop`."""
    optimizer = _optimizer()

    def loss(params, data, key):
        row_key, key = jax.random.split(key)
        chosen = jax.random.randint(row_key, (settings.batch,), 0, len(data.x))
        return training.teacher_forced(
            params,
            data.x[chosen],
            data.shown[chosen],
            key,
            observed=data.known[chosen],
            times=data.times[chosen],
            covariates=data.covariates[chosen] if data.covariates.shape[-1] else None,
            targets=settings.targets,
            dropout=settings.dropout,
        )

    def update(carry, data, key, total):
        step, (params, average, opt_state, mean) = carry
        value, gradient = jax.value_and_grad(loss)(params, data, jax.random.fold_in(key, step))
        moves, opt_state = optimizer.update(gradient, opt_state, params)
        rate = _rate(settings, step, total)
        params = optax.apply_updates(params, jax.tree.map(lambda move: rate * move, moves))
        share = 1 - jnp.minimum(settings.average, (1 + step) / (10 + step))
        average = optax.incremental_update(params, average, share)
        mean = jnp.where(step == 0, value, mean + 0.02 * (value - mean))
        return step + 1, (params, average, opt_state, mean)

    @functools.partial(jax.jit, donate_argnums=0)
    def run(state, data, key, step, stop, total):
        _, state = jax.lax.while_loop(
            lambda carry: carry[0] < stop,
            lambda carry: update(carry, data, key, total),
            (jnp.asarray(step), state),
        )
        return state

    return run


def _rate(settings, step, total):
    """Rises over the first twentieth, then falls to zero along a cosine over what time allows."""
    done = (step + 1) / total
    rise = jnp.minimum(done * 20, 1.0)
    return settings.learning_rate * rise * 0.5 * (1 + jnp.cos(jnp.pi * jnp.minimum(done, 1.0)))


def fill(
    params: Any,
    panel: Panel,
    prior: Prior | None,
    scaling: Scaling,
    window: int,
    wanted: Bool[np.ndarray, "n D"],
) -> Float[np.ndarray, "n D"]:
    """Each wanted entry as the network sees it from the window in whose middle it lies.

    Args:
      params: of `fit`.
      panel: in units of the scale.
      prior: as in `cut`.
      scaling: for the levels of windows.
      window: W.
      wanted: entries to fill.

    Returns:
      In units of the scale; NaN where nothing was wanted.
    """
    result = np.full(panel.values.shape, np.nan)
    rows_wanted = np.any(wanted, axis=1)
    chosen = [
        (first, count, begin, end)
        for (first, count), (begin, end) in _middles(panel, window)
        if rows_wanted[begin:end].any()
    ]
    known = panel.observed
    size = next((n for n in _FILL_BATCHES if n >= len(chosen)), _FILL_BATCHES[-1])
    for number in range(0, len(chosen), size):
        part = chosen[number : number + size]
        # Always as many windows, so that nothing compiles anew.
        places = np.array([p[:2] for p in (part + part[:1] * size)[:size]])
        windows = cut(panel, known, prior, scaling, places, window)
        covariates = windows.covariates if windows.covariates.shape[-1] else None
        answer = _fill(params, windows.x, windows.shown, windows.times, covariates)
        filled = np.asarray(answer, np.float64) * windows.unit + windows.offset
        for (first, _, begin, end), values in zip(part, filled):
            result[begin:end] = values[begin - first : end - first]
    return np.where(wanted, result, np.nan)


@jax.jit
def _fill(params, x, shown, times, covariates):
    return impute(params, x, shown, times=times, covariates=covariates)


def _middles(panel, window):
    """Windows that overlap by half, each with the rows that it answers for."""
    windows = series_windows(panel, window, max(window // 2, 1))
    firsts = set(panel.bounds[:-1].tolist())
    ends = set(panel.bounds[1:].tolist())
    found = []
    for number, (first, count) in enumerate(windows):
        begin, end = first, first + count
        if first not in firsts:
            begin = (first + windows[number - 1][0] + windows[number - 1][1]) // 2
        if first + count not in ends:
            end = (windows[number + 1][0] + first + count) // 2
        found.append(((int(first), int(count)), (int(begin), int(end))))
    return found
