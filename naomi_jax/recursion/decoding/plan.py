"""What the decode works with, prepared before it begins.

The weights by kind, the ticks of the schedule, and the inputs that are known from the start.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from naomi_jax.recursion import gaps
from naomi_jax.recursion.cells import gru, rows
from naomi_jax.recursion.cells.heads import Head, level_heads
from naomi_jax.recursion.decoding.schedule import Schedule


class Weights(NamedTuple):
    """What the decode uses of the model.

    The encoders' input weights are here without the rows that read the context.
    """

    forward: gru.Layers
    backward: gru.Layers
    heads: tuple[Head, ...]


class Inputs(NamedTuple):
    """Parts of the cells' projected inputs that are known before the decode; None where zero.

    One product for all steps then takes the place of one in every tick.

    Attributes:
      forward: what F reads beside x_t: the context.
      backward: what B reads beside I_t: the context.
      missing: what B reads at a step that is still missing, [0, its known entries]. None where no
        step is known in part.
    """

    forward: Float[Array, "T B 3*H"] | None
    backward: Float[Array, "T B 3*H"] | None
    missing: Float[Array, "T B 3*H"] | None


class Anchors(NamedTuple):
    """Where a residual head's line starts and ends in each tick: known steps on both sides.

    Attributes:
      left, right: (N,) or (N, B) steps, clipped into the sequence.
      left_weight, right_weight: of linear interpolation between them; 0 for one that does not
        exist.
    """

    left: Int[Array, " N *B"]
    right: Int[Array, " N *B"]
    left_weight: Float[Array, " N *B"]
    right_weight: Float[Array, " N *B"]


class Plan(NamedTuple):
    """What has no gradient.

    Attributes:
      schedule: fields (N,), or (N, B): ticks lead, because the scans slice them.
      anchors: of residual heads, else None.
      known: (T, B, D or 1) entries that are observed.
    """

    schedule: Schedule
    anchors: Anchors | None
    known: Bool[Array, "T B _"]


def make_plan(
    params: dict,
    x: Float[Array, "T B D"],
    known: Bool[Array, " T #B #D"],
    schedule: Schedule,
    context: Float[Array, "T B D+2"] | None,
) -> tuple[Weights, Inputs, Plan]:
    """Everything but the states; the arguments are those of `decode.decode`."""
    steps, batch, dim = x.shape
    forward, ahead = _split(params["gru"], dim, context)
    backward, behind = _split(params["back_gru"], 1 + dim, context)
    missing = None
    if known.shape[2] > 1:
        missing = gru.product(jnp.where(known, x, 0), backward[0]["wx"][1:])
    schedule = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 0), schedule)
    anchors = _anchors(schedule, x.dtype) if "skip" in params["heads"] else None
    known = jnp.broadcast_to(known, (steps, batch, known.shape[2]))
    weights = Weights(forward, backward, level_heads(params))
    return weights, Inputs(ahead, behind, missing), Plan(schedule, anchors, known)


def _split(layers, inputs, context):
    """Layers that read the first `inputs` values of a step, and what they read beside them.

    The latter projected, for all steps at once.
    """
    if context is None:
        return layers, None
    wx = layers[0]["wx"]
    first = {**layers[0], "wx": wx[:inputs]}
    return (first, *layers[1:]), gru.product(context, wx[inputs:])


def _anchors(schedule, dtype):
    """Anchors of every tick that has a head.

    The left one is c, the last step consumed. The right one is the next step that is known: c + 2s
    inside a block, where that is decoded already; at a block's own first tick (its pivot is a row
    of the initial backward states) the first observed step from c + 2s on.
    """
    steps = schedule.forward_tick.shape[0]
    stride = jnp.left_shift(1, jnp.maximum(schedule.head - 1, 0))
    left, right = schedule.step - stride, schedule.step + stride
    observed = schedule.head_tick == schedule.head.shape[0]  # or beyond the sequence's length
    inside = schedule.forward_tick < schedule.head.shape[0]
    after = gaps.nearest(observed & inside, steps)[1]
    after = jnp.concatenate([after, jnp.full_like(after[:1], steps)])
    first = (schedule.head > 0) & (schedule.pivot <= steps)
    pivot = jnp.minimum(schedule.pivot, steps)
    right = jnp.where(first, jnp.take_along_axis(after, pivot, axis=0), right)
    weights = gaps.line_weights(left, schedule.step, right, steps, dtype)
    return Anchors(jnp.clip(left, 0, steps - 1), jnp.clip(right, 0, steps - 1), *weights)


def line(anchors: Anchors | None, x: Float[Array, "T B D"], read=rows.read):
    """The straight line between the anchors of one tick, or of many with `read=rows.gather`."""
    if anchors is None:
        return None
    left = rows.scale(anchors.left_weight, read(x, anchors.left))
    return left + rows.scale(anchors.right_weight, read(x, anchors.right))


class Tick(NamedTuple):
    """The fields of a Schedule that one tick reads, () or (B,) each."""

    head: Int[Array, "*B"]
    cell: Int[Array, "*B"]
    step: Int[Array, "*B"]
    row: Int[Array, "*B"]
    source: Int[Array, "*B"]
    forward: Int[Array, "*B"]
    pivot: Int[Array, "*B"]


def of_ticks(plan: Plan) -> tuple[Tick, Anchors | None]:
    """What the scans slice: (Tick, Anchors) of all ticks."""
    return Tick(*(getattr(plan.schedule, name) for name in Tick._fields)), plan.anchors
