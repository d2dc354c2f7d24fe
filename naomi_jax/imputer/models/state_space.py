"""A linear Gaussian state space for tables with holes: a vector autoregression seen through noise.

    x_t = A_1 x_(t-1) + .. + A_p x_(t-p) + w_t,  w ~ N(0, Q);    y_t = x_t + v_t,  v ~ N(0, diag R)

Fitted by expectation maximization on what is observed (Shumway and Stoffer 1982; expectations by
the smoother of Rauch, Tung and Striebel), it fills any pattern of holes by the Kalman filter and
the smoother of de Jong (1989): what is linear in the rows and columns around a hole.

Where columns determine each other nearly (R of 0.004), the maximization moves by small steps, and
passes over the whole table are slow. So each step takes the expectations of a few pieces of the
table alone and averages them with those before (Cappe and Moulines 2009), and they begin at a
regression of each row on those before it: on ETTh1, 200 steps of 1024 rows end in 2 seconds where
120 passes took 21.

To fill, rows are cut into chunks that overlap, all of one length, so that one compiled program
serves tables of any length. In float64: covariances of smooth tracks have condition numbers beyond
float32.
"""

import dataclasses
import functools
import time
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from naomi_jax.imputer.models.threads import one_thread
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.parallel.impute import bucket

_TWO_LAGS = 24  # columns up to which p = 2: what moves smoothly needs a velocity
_CHUNK = 1024  # rows
_OVERLAP = 192  # rows on each side that a chunk sees and does not answer for
_ROWS_AT_ONCE = 8192
_PIECE, _PIECES = 128, 8  # rows of a piece, pieces of a step
_STEPS = 200
_FEWEST_STEPS, _QUICK_COLUMNS = 50, 9  # with more columns a step takes longer, and there are fewer
_NEW, _NEW_AT_LAST = 0.25, 0.05  # share of a step's own expectations; it falls over the last 40 %
_STEPS_AT_ONCE = 10  # between two looks at the clock
_LEAST = 1e-6  # of a variance in units of the scale, to begin with
_UNSEEN = 1e9  # variance of an entry that is missing
_PRIOR = 30.0  # rows that say that nothing but the column's own last value matters


@dataclasses.dataclass(frozen=True)
class StateSpace:
    """Parameters, in units of the scale.

    Attributes:
      transition: A_1 .. A_p side by side.
      noise: Q.
      error: R.
      start: covariance of the state where a series begins.
    """

    transition: Float[np.ndarray, "D pD"]
    noise: Float[np.ndarray, "D D"]
    error: Float[np.ndarray, " D"]
    start: Float[np.ndarray, "pD pD"]


def fit(
    panel: Panel,
    seed: int,
    until: float = np.inf,
    before: StateSpace | None = None,
) -> StateSpace:
    """Parameters for a panel in units of the scale, about its level.

    Args:
      panel: its rows in a regular grid; where they are not, rows count as steps.
      seed: chooses the pieces of each step.
      until: `time.monotonic()` by which it should end; then it takes fewer steps.
      before: parameters of nearly the same table, to go on from with a quarter of the steps.
    """
    dim = panel.values.shape[1]
    grid, first, _, _ = on_grid(panel)
    steps = int(np.clip(_STEPS * _QUICK_COLUMNS / dim, _FEWEST_STEPS, _STEPS))
    if before is None:
        model = _start(grid, first, lags(dim))
    else:
        steps = -(-steps // 4)
        model = (before.transition, before.noise, before.error, before.start)
    # As many pieces whatever the table: rows without values stand in for those that it lacks.
    short = _PIECE - len(grid)
    if short > 0:
        grid = np.concatenate([grid, np.full((short, dim), np.nan)])
        first = np.concatenate([first, np.arange(short) == 0])
    seen = ~np.isnan(grid)
    rows = (np.where(seen, grid, 0), seen, first)
    with jax.enable_x64(True), one_thread():
        size = bucket(len(grid), _ROWS_AT_ONCE)
        rows = tuple(_padded(part, -(-len(grid) // size) * size) for part in rows)
        found = _steps(model, (*rows, len(grid)), jax.random.key(seed), steps, until)
        return StateSpace(*(np.asarray(part) for part in found))


def lags(dim: int) -> int:
    """p of a table of so many columns: what moves smoothly needs a velocity."""
    return 2 if dim <= _TWO_LAGS else 1


def _start(grid, first, order):
    """Parameters to begin with: a regression of each row on those before it.

    Holes are filled by straight lines for it, so it is too sure; but A and Q are near, and the
    maximization from there takes a fifth of the steps that it takes from A = 0.8.
    """
    dim = grid.shape[1]
    rows = np.arange(len(grid))
    filled = np.zeros_like(grid)
    for column in range(dim):
        known = np.flatnonzero(~np.isnan(grid[:, column]))
        if len(known):
            filled[:, column] = np.interp(rows, known, grid[known, column])
    follows = np.ones(len(grid), bool)
    for lag in range(order):
        follows[lag:] &= ~first[: len(grid) - lag]
        follows[:lag] = False
    follows[:order] = False
    at = np.flatnonzero(follows)
    if len(at) < 2:  # series of one or two rows: nothing follows anything
        return (
            np.eye(dim, order * dim) * 0.8,
            0.3 * np.eye(dim),
            0.2 * np.ones(dim),
            np.eye(order * dim),
        )
    past = np.concatenate([filled[at - 1 - lag] for lag in range(order)], axis=1)
    ridge = _PRIOR * np.diag(np.square(past).mean(0) + _LEAST)
    products = past.T @ past + ridge
    to = past.T @ filled[at] + ridge @ np.eye(order * dim, dim)
    transition = np.linalg.solve(products, to).T
    away = filled[at] - past @ transition.T
    noise = away.T @ away / len(at) + _LEAST * np.eye(dim)
    start = past.T @ past / len(at) + _LEAST * np.eye(order * dim)
    return transition, noise, 0.1 * np.diag(noise), start


def smooth(model: StateSpace, panel: Panel) -> Float[np.ndarray, "n D"]:
    """The mean of x given all that is observed."""
    return smooth_each(model, panel, panel.values[None])[0]


def smooth_each(
    model: StateSpace, panel: Panel, values: Float[np.ndarray, "K n D"]
) -> Float[np.ndarray, "K n D"]:
    """The mean of x for K tables with the same holes: their covariances are the same.

    Args:
      model: fitted.
      panel: tells the holes and the times.
      values: of each table; what stands in the holes is ignored.
    """
    grid, first, place, _ = on_grid(panel)
    seen_rows = ~np.isnan(grid)
    y = np.zeros((len(values), *grid.shape))
    y[:, place] = np.where(panel.observed, values, 0)
    starts, length = _chunks(len(grid))
    result = np.empty_like(y)
    size = bucket(len(starts), max(_ROWS_AT_ONCE // length, 1))
    parameters = (model.transition, model.noise, model.error, model.start)
    with jax.enable_x64(True), one_thread():
        for begin in range(0, len(starts), size):
            part = starts[begin : begin + size]
            at, inside, fresh = _cut(first, part, length)
            seen = seen_rows[at] & inside[..., None]
            chunks = np.moveaxis(np.where(seen, y[:, at], 0), 0, 1)
            means = _means(*parameters, *(_padded(a, size) for a in (chunks, seen, fresh)))
            for start, mean in zip(part, np.asarray(means)):
                skip = 0 if start == 0 else _OVERLAP  # those rows were the chunk's before
                end = min(start + length, len(grid))
                result[:, start + skip : end] = mean[:, skip : end - start]
    return result[:, place]


def on_grid(panel: Panel):
    """Rows with those that are absent as rows without values.

    Returns:
      (values (m, D), whether a series begins there (m,), the place of each row (n,), True); the
      rows as they are and False where time is irregular or most of the grid would be empty.
    """
    slot = np.round(panel.times).astype(np.int64)
    starts = np.zeros(len(slot), bool)
    starts[panel.bounds[:-1]] = True
    steps = np.diff(slot, prepend=0)
    steps[starts] = 1
    regular = np.abs(panel.times - slot).max(initial=0) < 1e-3 and (steps >= 1).all()
    if not regular or steps.sum() > 4 * len(slot):
        return panel.values, starts, np.arange(len(slot)), False
    place = np.cumsum(steps) - 1
    values = np.full((place[-1] + 1, panel.values.shape[1]), np.nan)
    values[place] = panel.values
    first = np.zeros(len(values), bool)
    first[place[starts]] = True
    return values, first, place, True


def _chunks(count):
    """(first row of each chunk, rows of a chunk); of few lengths, because each compiles."""
    length = bucket(count, _CHUNK)
    beyond = 2 * _OVERLAP if count > length else 0
    return np.arange(0, max(count - beyond, 1), length - beyond), length


def _cut(first, starts, length):
    """Rows of each chunk (C, length), whether they exist, and whether a series begins there."""
    at = starts[:, None] + np.arange(length)
    inside = at < len(first)
    at = np.minimum(at, len(first) - 1)
    fresh = first[at] | ~inside
    fresh[:, 0] = True
    return at, inside, fresh


def _padded(array, size):
    return np.pad(array, [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1))


class _Row(NamedTuple):
    """What the filter knows of a row: the state predicted from the rows before, then corrected.

    Attributes:
      mean, cov: predicted.
      cov_after: None where it is not kept.
      after: corrected by what is seen.
      gain: of the correction (S, D).
      surprise: the inverse covariance of what is seen times its distance from the prediction.
    """

    mean: Float[Array, " S"]
    cov: Float[Array, "S S"]
    after: Float[Array, " S"]
    cov_after: Float[Array, "S S"] | None
    gain: Float[Array, "S D"]
    surprise: Float[Array, " D"]


def _filter(transition, noise, error, start, y, seen, fresh, lean: bool):
    """Kalman filter over (T, D); `lean` keeps of the covariances the D rows of x_t alone."""
    dim, size = transition.shape
    older = size - dim

    def predict(mean, cov):
        """One step on: the new x_t above, the older ones moved down by one."""
        top = transition @ cov
        beside = top[:, :older]
        cov = jnp.block([[top @ transition.T + noise, beside], [beside.T, cov[:older, :older]]])
        return jnp.concatenate([transition @ mean, mean[:older]]), cov

    def step(carry, row):
        y, seen, fresh = row
        mean, cov = predict(*carry)
        mean, cov = jnp.where(fresh, 0, mean), jnp.where(fresh, start, cov)
        innovation = cov[:dim, :dim] + jnp.diag(jnp.where(seen, error, _UNSEEN))
        away = jnp.where(seen, y - mean[:dim], 0)
        factor = jax.scipy.linalg.cho_factor(innovation, lower=True)
        solved = jax.scipy.linalg.cho_solve(
            factor, jnp.concatenate([cov[:dim], away[:, None]], axis=1)
        )
        gain, surprise = solved[:, :-1].T, solved[:, -1]
        after = mean + gain @ away
        cov_after = cov - gain @ cov[:dim]
        cov_after = (cov_after + cov_after.T) / 2
        kept = (cov[:dim], None) if lean else (cov, cov_after)
        return (after, cov_after), _Row(mean, kept[0], after, kept[1], gain, surprise)

    return jax.lax.scan(step, (jnp.zeros(size), start), (y, seen, fresh))[1]


def _smoothed_mean(transition, noise, error, start, y, seen, fresh):
    """E[x_t | all that is seen], (T, D), by a backward pass over vectors alone.

    The disturbance smoother of de Jong (1989): no system of S equations is solved in any row.
    """
    dim, size = transition.shape
    rows = _filter(transition, noise, error, start, y, seen, fresh, lean=True)
    follows = jnp.append(~fresh[1:], False)

    def step(later, row):
        gain, surprise, cov, mean, follows = row
        back = transition.T @ later[:dim]
        back = back + jnp.concatenate([later[dim:], jnp.zeros(dim)])
        back = jnp.where(follows, back, 0)
        now = back.at[:dim].add(surprise - gain.T @ back)
        return now, mean[:dim] + cov @ now

    given = (rows.gain, rows.surprise, rows.cov, rows.mean, follows)
    return jax.lax.scan(step, jnp.zeros(size), given, reverse=True)[1]


def _smoothed(transition, noise, error, start, y, seen, fresh):
    """Smoothed means (T, S), their covariances, and those of each row with the one before."""
    dim, size = transition.shape
    companion = jnp.concatenate([transition, jnp.eye(size - dim, size)])
    rows = _filter(transition, noise, error, start, y, seen, fresh, lean=False)
    cov_after = cast(Array, rows.cov_after)
    ridge = 1e-9 * jnp.eye(size)

    def step(carry, row):
        later, cov_later = carry
        mean, cov, after, cov_after, fresh = row  # the first two and the last are of the next row
        back = jnp.linalg.solve(cov + ridge, companion @ cov_after).T
        back = jnp.where(fresh, 0, back)
        smoothed = after + back @ (later - mean)
        cov_smoothed = cov_after + back @ (cov_later - cov) @ back.T
        return (smoothed, cov_smoothed), (smoothed, cov_smoothed, cov_later @ back.T)

    last = (rows.after[-1], cov_after[-1])
    given = (rows.mean[1:], rows.cov[1:], rows.after[:-1], cov_after[:-1], fresh[1:])
    means, covs, both = jax.lax.scan(step, last, given, reverse=True)[1]
    return jnp.concatenate([means, last[0][None]]), jnp.concatenate([covs, last[1][None]]), both


@jax.jit
def _means(transition, noise, error, start, y, seen, fresh):
    """Of chunks (C, K, length, D); K tables share the covariances of a chunk."""
    one = functools.partial(_smoothed_mean, transition, noise, error, start)
    return jax.vmap(jax.vmap(one, (0, None, None)))(y, seen, fresh)


def _steps(model, rows, key, steps, until):
    """Expectation and maximization, a few steps a call: it ends earlier where time is short."""
    state, done, seconds = (model, _nothing(model)), 0, 0.0
    while done < steps:
        began, end = time.monotonic(), min(done + _STEPS_AT_ONCE, steps)
        state = jax.block_until_ready(_learn(state, rows, key, done, end, steps))
        now = time.monotonic()
        if done:  # the first call also compiled
            seconds = (now - began) / (end - done)
        done = end
        if np.isfinite(until):
            affordable = (until - now) / seconds if seconds else steps * (now < until)
            steps = min(steps, done + max(int(affordable), 0))
    return state[0]


def _nothing(model):
    """Moments of no rows."""
    dim, size = model[0].shape
    one, row, square = np.zeros(()), np.zeros(dim), np.zeros((size, size))
    return (np.zeros((dim, dim)), np.zeros((dim, size)), square, one, row, row, square, one)


@jax.jit
def _learn(state, rows, key, begin, end, total):
    """Steps `begin` to `end` of `total`, each on pieces that begin anywhere.

    Args:
      state: the parameters, and the average of the expectations so far.
      rows: y (n, D), seen (n, D), whether a series begins there (n,), and how many rows are real.
      key: chooses the pieces.
      begin, end, total: the average moves by less over the last 40 % of all steps.
    """
    *rows, count = rows

    def expectations(model, number):
        first = jax.random.randint(
            jax.random.fold_in(key, number), (_PIECES,), 0, count - _PIECE + 1
        )
        y, seen, fresh = (part[first[:, None] + jnp.arange(_PIECE)[None]] for part in rows)
        fresh = fresh.at[:, 0].set(True)
        transition, noise, error, start = model
        moments = _moments(transition, noise, error, start, y, seen, fresh)
        # As if of the whole table: the prior of the maximization is in rows too.
        return jax.tree.map(lambda part: part * (count / (_PIECES * _PIECE)), moments)

    def step(number, carry):
        model, average = carry
        late = jnp.maximum(number / total - 0.6, 0) / 0.4
        new = jnp.where(number < 3, 1.0, _NEW * (_NEW_AT_LAST / _NEW) ** late)
        moments = expectations(model, number)
        average = jax.tree.map(lambda old, own: old + new * (own - old), average, moments)
        return _maximize(average), average

    return jax.lax.fori_loop(begin, end, step, state)


def _moments(transition, noise, error, start, y, seen, fresh):
    """Sums over rows of what the maximization needs."""
    dim = transition.shape[0]

    def one(y, seen, fresh):
        means, covs, both = _smoothed(transition, noise, error, start, y, seen, fresh)
        follows = (~fresh[1:]).astype(y.dtype)
        second = covs + means[:, :, None] * means[:, None, :]
        cross = both + means[1:, :, None] * means[:-1, None, :]
        away = jnp.square(y - means[:, :dim]) + jnp.diagonal(covs, axis1=1, axis2=2)[:, :dim]
        some = seen.any(1).astype(y.dtype)
        return (
            jnp.einsum("t,tij->ij", follows, second[1:])[:dim, :dim],
            jnp.einsum("t,tij->ij", follows, cross)[:dim],
            jnp.einsum("t,tij->ij", follows, second[:-1]),
            follows.sum(),
            jnp.where(seen, away, 0).sum(0),
            seen.sum(0).astype(y.dtype),
            jnp.einsum("t,tij->ij", some, second),
            some.sum(),
        )

    return jax.tree.map(lambda part: part.sum(0), jax.vmap(one)(y, seen, fresh))


def _maximize(moments):
    now, cross, before, count, away, number, whole, rows = moments
    dim, size = cross.shape
    # A prior of `_PRIOR` rows of unit variance that keep their value.
    # Where no row follows another, nothing but the prior is known.
    ridge = _PRIOR * jnp.diag(jnp.diagonal(before) / jnp.maximum(count, 1) + _LEAST)
    towards = jnp.eye(dim, size)
    transition = jnp.linalg.solve(before + ridge, (cross + towards @ ridge).T).T
    spread = transition @ cross.T
    noise = (now - spread - spread.T + transition @ before @ transition.T) / jnp.maximum(count, 1)
    noise = (noise + noise.T) / 2
    scale = jnp.diagonal(now) / jnp.maximum(count, 1)
    noise = noise + 1e-7 * jnp.diag(scale + 1e-6)
    error = jnp.maximum(away / jnp.maximum(number, 1), 1e-8)
    start = whole / jnp.maximum(rows, 1) + 1e-6 * jnp.eye(size)
    return transition, noise, error, start
