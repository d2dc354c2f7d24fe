"""The paper's metrics, as pure functions on (B, T, D) arrays.

Each returns (total, count), (B,) both, so that a data set's value is the sum of the totals over the
sum of the counts, however it was cut into batches; `mean` forms it, and total / count is a
sequence's own. A `Metric` is one of them as a column of a table. Objects are pairs of coordinates:
D = 2 is one ball, D = 10 five players (x0, y0, x1, y1, ...). Values are in the data's own units.
"""

from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array | np.ndarray

_LEAST_STRETCH = 3  # steps of a stretch whose sinuosity counts


class Metric(NamedTuple):
    """A column of a table.

    Attributes:
      name: with its unit.
      factor: from the data's units to that unit.
      measure: (truth, filled, mask) -> (total, count), as the functions here give them.
    """

    name: str
    factor: float
    measure: Callable[..., tuple]


def of_filled(measure: Callable[..., tuple]) -> Callable[..., tuple]:
    """A Metric's `measure` from a function of the filled sequences alone."""
    return lambda truth, filled, mask: measure(filled)


def mean(pair: tuple[Array, Array]) -> float:
    """Total over count of a metric over all sequences, in float64; NaN where nothing counts."""
    total, count = (float(np.asarray(part, np.float64).sum()) for part in pair)
    return total / count if count else float("nan")


def missing_l2(x: Array, imputed: Array, mask: Array) -> tuple:
    """Squared error over the missing entries; mask (T,), (B, T) or (B, T, D), 1 = shown."""
    missing = jnp.broadcast_to((mask if mask.ndim == 3 else mask[..., None]) == 0, x.shape)
    error = jnp.where(missing, jnp.square(imputed - x), 0).sum((1, 2))
    return error, missing.sum((1, 2))


def step_change(x: Array) -> tuple:
    """|difference| of consecutive step sizes, over objects and steps."""
    change = jnp.abs(jnp.diff(_step_sizes(x), axis=1))
    return _over(change)


def path_length(x: Array) -> tuple:
    """Sum of an object's step sizes, averaged over objects."""
    return _over(_step_sizes(x).sum(1))


def path_difference(x: Array) -> tuple:
    """Longest minus shortest path among the objects of a sequence."""
    paths = _step_sizes(x).sum(1)
    return paths.max(1) - paths.min(1), jnp.ones(x.shape[0])


def player_distance(x: Array) -> tuple:
    """Distance between two objects, over pairs and steps."""
    places = _objects(x)
    first, second = np.triu_indices(places.shape[2], 1)
    return _over(_length(places[:, :, first] - places[:, :, second]))


def out_of_bounds(x: Array, bound: float = 0.51) -> tuple:
    """Share of coordinates outside [-bound, bound]; x in the paper's normalized court units."""
    return _over((jnp.abs(x) > bound).astype(x.dtype))


def sinuosity(x: Array, truth: Array, tolerance: float = 1e-4) -> tuple:
    """Path length over end-to-end distance of x between the reflections of the true trajectory.

    A reflection is a step t after which a coordinate of the true velocity changes sign; the
    velocity across it, from t to t + 1, may be folded within the step, so a stretch runs from the
    step after one reflection to the step before the next. Stretches of at least 3 steps count, each
    once.

    Args:
      x, truth: (B, T, 2), one ball.
      tolerance: a true velocity changes where it moves by more than this; x's own do not matter.
    """
    chex.assert_equal_shape([x, truth])

    def one(x, truth):
        steps = x.shape[0]
        velocity = jnp.diff(truth, axis=0)
        bends = (jnp.abs(jnp.diff(velocity, axis=0)) > tolerance).any(-1)  # at steps 1 .. T-2
        straight = jnp.pad(~bends, 1, constant_values=True)  # step t continues the line t-1, t
        # A stretch is a run of segments (t, t + 1) whose inner steps are straight.
        segment = jnp.cumsum(~straight)[: steps - 1]
        sizes = _step_sizes(x[None])[0, :, 0]
        length = jax.ops.segment_sum(sizes, segment, steps)
        count = jax.ops.segment_sum(jnp.ones(steps - 1), segment, steps)
        begin = jax.ops.segment_min(jnp.arange(steps - 1), segment, steps)
        begin = jnp.clip(begin, 0, steps - 1)
        end = jnp.clip(begin + count.astype(int), 0, steps - 1)
        direct = _length(x[end] - x[begin])
        valid = (count >= _LEAST_STRETCH) & (direct > 0)
        ratio = length / jnp.where(valid, direct, 1)
        return jnp.where(valid, ratio, 0).sum(), valid.sum()

    return jax.vmap(one)(x, truth)


def reflection_to_wall(x: Array, wall: float) -> tuple:
    """Distance to the wall at each change of direction of x.

    Args:
      x: (B, T, 2), one ball.
      wall: |coordinate| of the ball's center at contact.

    At each step where a coordinate's velocity changes sign: that coordinate's distance to `wall`.
    """
    velocity = jnp.diff(x, axis=1)
    turns = velocity[:, :-1] * velocity[:, 1:] < 0
    distance = jnp.abs(wall - jnp.abs(x[:, 1:-1]))
    return jnp.where(turns, distance, 0).sum((1, 2)), turns.sum((1, 2))


def _objects(x):
    """(B, T, D) -> (B, T, D / 2, 2)."""
    return x.reshape(*x.shape[:2], -1, 2)


def _length(vectors):
    return jnp.sqrt(jnp.square(vectors).sum(-1))


def _step_sizes(x):
    """(B, T - 1, D / 2)."""
    return _length(jnp.diff(_objects(x), axis=1))


def _over(values):
    """Total and count of (B, ...) values."""
    axes = tuple(range(1, values.ndim))
    return values.sum(axes), jnp.full(values.shape[0], values[0].size)


STEP_CHANGE = Metric("step change [1e-3]", 1e3, of_filled(step_change))
