"""What neighboring targets of a pass have in common when they are drawn.

Two gaps of a pass that meet at a pivot are filled at the same time, each knowing nothing of the
other. They are not independent: the speed at the pivot is unknown, and what moves the middle before
it back moves the middle after it forward. For a walk whose speed is a random walk the correlation
of the two is -0.33; drawn alone, they would put a kink into every pivot.

So the noise of a pass is a first-order autoregression along the gaps that meet (a Gaussian copula
of the targets' distributions), with one coefficient for each pass:

    z_j = c z_{j-1} + sqrt(1 - c^2) n_j,    c = the pass's correlation where j meets j - 1, else 0
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from naomi_jax.parallel.inputs.geometry import Geometry, take_entries


def before(wanted: Bool[Array, "M Q E"]) -> Int[Array, "M Q E"]:
    """The wanted entry before each one in its own column; -1 where there is none."""
    index = jnp.arange(wanted.shape[1], dtype=jnp.int32)[:, None]
    last = jax.lax.cummax(jnp.where(wanted, index, -1), axis=1)
    return jnp.concatenate([jnp.full_like(last[:, :1], -1), last[:, :-1]], axis=1)


def meets(place: Geometry, wanted: Bool[Array, "M Q E"]) -> Bool[Array, "M Q E"]:
    """Which wanted entries share a pivot with the wanted entry before them.

    Args:
      place: its targets in the order of time.
      wanted: entries of the targets that the pass fills.
    """
    last = before(wanted)
    pivot = take_entries(place.target_after, last)
    return wanted & (last >= 0) & (pivot == place.target_before)


def along(
    normal: Float[Array, "B Q D"],
    correlation: Float[Array, "*L"],
    meeting: Bool[Array, "M Q E"],
    wanted: Bool[Array, "M Q E"],
) -> Float[Array, "B Q D"]:
    """Standard normal noise of which entries that meet are correlated.

    Args:
      normal: independent.
      correlation: of the pass; anything that broadcasts against (M, Q, E).
      meeting: of `meets`.
      wanted: entries that have noise; others only pass on that of the one before.
    """
    own = jnp.where(meeting, correlation, 0)
    own, wanted = (jnp.broadcast_to(a, normal.shape) for a in (own, wanted))
    keep = jnp.where(wanted, own, 1)
    new = jnp.where(wanted, jnp.sqrt(1 - own * own) * normal, 0)

    def join(first, second):
        return first[0] * second[0], second[0] * first[1] + second[1]

    return jax.lax.associative_scan(join, (keep, new), axis=1)[1]


def log_density(
    z: Float[Array, "B Q D"],
    correlation: Float[Array, "*L"],
    meeting: Bool[Array, "M Q E"],
    wanted: Bool[Array, "M Q E"],
) -> Float[Array, "B Q D"]:
    """Of noise along the gaps, less that of independent noise; by the later entry of each pair.

    Args:
      z: noise of the wanted entries.
      correlation, meeting, wanted: as in `along`.
    """
    first = take_entries(z, before(wanted))
    c = correlation
    rest = 1 - c * c
    pair = -0.5 * jnp.log(rest) - (c * c * (first**2 + z**2) - 2 * c * first * z) / (2 * rest)
    return jnp.where(meeting, pair, 0)
