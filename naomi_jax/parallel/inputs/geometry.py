"""What mask and time stamps say of one pass: events, targets, and who is whose neighbor.

Everything here is indices and times; no value of x. Arrays are batch-major. An axis that is the
same for all sequences (a shared mask, shared times) or all columns (whole steps missing) has size 1
and is broadcast, so that a shared mask is worked out once.

    M = 1 or B      a mask for all or one each
    P = 1 or B      times for all or for each (at least M)
    E = 1 or D      whole steps or single entries
    K, Q            static bounds on the number of events and of target steps
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


class Geometry(NamedTuple):
    """One pass; see `geometry`."""

    events: Int[Array, "M K"]  # steps with a known entry, in order; T - 1 where there are no more
    known: Bool[Array, "M K E"]  # which entries of an event are known; none of the padding's
    time: Float[Array, "P K"]  # of each event
    gap: Float[Array, "P K"]  # since the event before; 0 for the first and for padding
    before: Int[Array, "M K E"]  # the column's known event before this one, or -1
    after: Int[Array, "M K E"]  # the one after, or K
    targets: Int[Array, "M Q"]  # steps, T - 1 where there are no more
    present: Bool[Array, "M Q"]  # False in padding
    target_time: Float[Array, "P Q"]
    left: Int[Array, "M Q"]  # the last event up to the target, or -1
    right: Int[Array, "M Q"]  # the first from it on, or K
    target_before: Int[Array, "M Q E"]  # the column's last known event up to the target, or -1
    target_after: Int[Array, "M Q E"]  # the first from it on, or K


def geometry(
    known: Bool[Array, "M T E"],
    targets: Int[Array, "M Q"],
    present: Bool[Array, "M Q"],
    times: Float[Array, "P T"],
    events: int,
) -> Geometry:
    """The geometry of the pass that reads `known` and predicts the steps `targets`.

    Args:
      known: entries that are known in this pass.
      targets: steps to predict; any order.
      present: which of them are meant.
      times: increasing.
      events: K; events beyond it are not read.
    """
    steps = known.shape[1]
    some = known.any(-1)
    rank = jnp.cumsum(some, axis=1, dtype=jnp.int32)
    at = _positions(some, rank, events)
    valid = at < steps
    at = jnp.minimum(at, steps - 1)
    entries = take_rows(known, at) & valid[..., None]
    time = take_rows(times, at)
    gap = jnp.diff(time, axis=1, prepend=time[:, :1])
    index = jnp.arange(events, dtype=jnp.int32)[:, None]
    upto = jax.lax.cummax(jnp.where(entries, index, -1), axis=1)
    onward = jax.lax.cummin(jnp.where(entries, index, events), axis=1, reverse=True)
    edge = jnp.ones_like(upto[:, :1])
    right = take_rows(rank - some, targets)
    count = rank[:, -1:]
    right = jnp.where(right < count, right, events)
    left = take_rows(rank, targets) - 1
    return Geometry(
        events=at,
        known=entries,
        time=time,
        gap=jnp.where(valid, gap, 0),
        before=jnp.concatenate([-edge, upto[:, :-1]], axis=1),
        after=jnp.concatenate([onward[:, 1:], events * edge], axis=1),
        targets=targets,
        present=present,
        target_time=take_rows(times, targets),
        left=left,
        right=right,
        target_before=jnp.where((left >= 0)[..., None], take_rows(upto, left), -1),
        target_after=jnp.where((right < events)[..., None], take_rows(onward, right), events),
    )


def positions(flags: Bool[Array, "M T"], size: int) -> Int[Array, "M size"]:
    """The first `size` steps where `flags` hold, in order; T where there are no more."""
    return _positions(flags, jnp.cumsum(flags, axis=1, dtype=jnp.int32), size)


def _positions(flags, rank, size):
    # Not a sort: on CPU that takes longer than the rest of the geometry.
    batch, steps = flags.shape
    place = jnp.where(flags, rank - 1, size)
    empty = jnp.full((batch, size), steps, jnp.int32)
    step = jnp.broadcast_to(jnp.arange(steps, dtype=jnp.int32), flags.shape)
    return jax.vmap(lambda row, at, to: row.at[at].set(to, mode="drop"))(empty, place, step)


def take_rows(array: Array, index: Int[Array, "I Q"]) -> Array:
    """array[b, index[b, q]] for array (A, S, ...); A, I = B or 1; indices are clipped."""
    if index.shape[0] == 1:
        return jnp.take(array, index[0], axis=1, mode="clip")
    if array.shape[0] == 1:
        return jnp.take(array[0], index, axis=0, mode="clip")
    index = index.reshape(*index.shape, *[1] * (array.ndim - 2))
    return jnp.take_along_axis(array, index, axis=1, mode="clip")


def take_entries(array: Array, index: Int[Array, "I Q E"]) -> Array:
    """array[b, index[b, q, d], d] for array (A, S, D) or (A, S, 1)."""
    if index.shape[-1] == 1:
        return take_rows(array, index[..., 0])
    batch, columns = max(array.shape[0], index.shape[0]), index.shape[-1]
    array = jnp.broadcast_to(array, (batch, array.shape[1], columns))
    index = jnp.broadcast_to(index, (batch, *index.shape[1:]))
    return jnp.take_along_axis(array, index, axis=1, mode="clip")
