"""The decode: NAOMI's recursion as one scan over the ticks of a Schedule.

Time-major inside: x (T, B, D). With one mask for the batch the Schedule's fields are (N,), and each
tick takes one real branch. With one mask per sequence they are (B, N): all sequences walk their own
ticks in lockstep, a tick computes both cells and all heads, and each sequence keeps what it asked for.
Everything else is the same code.

The gradient is a second scan over the same ticks in reverse. It carries the gradients of the states
and of x, and leaves weight gradients to the end: one product per weight over all ticks (gru.py says
why). Memory: two states and four gates of every tick, O(ticks * B * H).
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from naomi_jax.recursion import gaps, gru, model
from naomi_jax.recursion.schedule import BACKWARD, FORWARD, Schedule


class _Anchors(NamedTuple):
    """What a residual head starts from in each tick: known values on both sides of the decoded step.

    Attributes:
      left, right: (N,) or (N, B) steps, clipped into the sequence.
      left_weight, right_weight: of linear interpolation between them; 0 for one that does not exist.
    """

    left: chex.Array
    right: chex.Array
    left_weight: chex.Array
    right_weight: chex.Array


class _Weights(NamedTuple):
    """What the decode uses of the model; the encoders' input weights without the context's rows."""

    forward: gru.Layers
    backward: gru.Layers
    heads: tuple  # one dict a level


class _Context(NamedTuple):
    """The context's part of every step's projected input, (T, B, 3H) each."""

    forward: chex.Array
    backward: chex.Array


def decode(
    params: model.Params,
    x: chex.Array,
    known: chex.Array,
    backward: tuple,
    schedule: Schedule,
    noise: chex.Array | None = None,
    context: chex.Array | None = None,
) -> chex.Array:
    """Fill the missing entries of a batch.

    Args:
      params: the model.
      x: (T, B, D) finite everywhere; values at missing entries do not matter.
      known: (T, B or 1, D or 1) bool, entries that are kept. A step's entries may be known in part:
        the head's value is then overwritten with them before any state sees it.
      backward: the initial backward states, (T + 1, B, H) for each layer.
      schedule: of the steps that are known entirely; (N,) fields, or (B, N).
      noise: (T, B, D) standard normal, for a stochastic model; a constant to the gradient.
      context: (T, B, D + 2), model.gap_context of a model that reads it.

    Returns:
      (T, B, D), known entries unchanged.
    """
    chex.assert_rank([x, known], 3)
    forward, ahead = _split(params["gru"], x.shape[2], context)
    back, behind = _split(params["back_gru"], x.shape[2] + 1, context)
    context = None if context is None else _Context(ahead, behind)
    weights = _Weights(forward, back, model.level_heads(params))
    # Ticks lead, (N,) or (N, B), because the scans slice them.
    schedule = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 0), schedule)
    anchors = _anchors(schedule, x.dtype) if "skip" in params["heads"] else None
    known = jnp.broadcast_to(known, x.shape)
    x = jnp.where(known, x, 0)
    return _decode(weights, x, backward, context, noise, known, (schedule, anchors))


def _split(layers, inputs, context):
    """Layers that read the first `inputs` values of a step, and the projection of what is beside them.

    The context is known before the decode begins: one product for all steps instead of one a tick.
    """
    if context is None:
        return layers, None
    wx = layers[0]["wx"]
    first = {**layers[0], "wx": wx[:inputs]}
    return (first, *layers[1:]), gru.product(context, wx[inputs:])


def _anchors(schedule, dtype):
    """_Anchors of every tick that has a head.

    The left one is c, the last step consumed. The right one is the next step that is known: c + 2s
    inside a block, where that is decoded already; at a block's own first tick (its pivot is a row of
    the initial backward states) the first observed step from c + 2s on.
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
    weights = model.line_weights(left, schedule.step, right, steps, dtype)
    return _Anchors(jnp.clip(left, 0, steps - 1), jnp.clip(right, 0, steps - 1), *weights)


def _between(anchors, x, read):
    """Linear interpolation between the anchors, read from x (T, B, D) by `read`; None without them."""
    if anchors is None:
        return None
    left = _times(anchors.left_weight, read(x, anchors.left))
    return left + _times(anchors.right_weight, read(x, anchors.right))


def _times(weight, rows):
    return weight.reshape(weight.shape + (1,) * (rows.ndim - weight.ndim)) * rows


@jax.custom_vjp
def _decode(weights, x, backward, context, noise, known, plan):
    return _run(weights, x, backward, context, noise, known, plan, save=False)[0]


def _decode_saving(weights, x, backward, context, noise, known, plan):
    x, states, gates = _run(weights, x, backward, context, noise, known, plan, save=True)
    # Only whether there is context is needed: None, or a tree without leaves.
    there = None if context is None else ()
    return x, (weights, x, states, gates, there, noise, known, plan)


def _run(weights, x, backward, context, noise, known, plan, save):
    """Returns (x filled, states of all rows, gates of all rows from T + 1 on or None)."""
    first, ticks = x.shape[0] + 1, plan[0].head.shape[0]

    def tick(carry, xs):
        states, x, gates = carry
        op, anchors = xs
        value = _read(x, op.step)
        decoded = _apply_heads(weights.heads, op, anchors, value, x, states[-1], noise)
        value = jnp.where(_read(known, op.step), value, decoded)
        x = _write(x, op.step, value)
        source = tuple(_read(s, op.source) for s in states)
        new, new_gates = _apply_cells(weights, op, value, source, context)
        states = tuple(_write(s, op.row, h) for s, h in zip(states, new))
        if save:
            gates = tuple(_write(g, op.row - first, new) for g, new in zip(gates, new_gates))
        return (states, x, gates), None

    states = tuple(jnp.pad(s, ((0, ticks + 1), (0, 0), (0, 0))) for s in backward)
    gates = None
    if save:
        gates = tuple(
            jnp.zeros_like(s, shape=(ticks + 1, s.shape[1], 4 * s.shape[2])) for s in states
        )
    (states, x, gates), _ = jax.lax.scan(tick, (states, x, gates), _operations(plan))
    return x, states, gates


def _decode_transposed(residuals, d_x):
    weights, x, states, gates, context, noise, known, plan = residuals
    schedule, anchors = plan
    first = x.shape[0] + 1
    transposed = weights._replace(
        forward=gru.transpose(weights.forward), backward=gru.transpose(weights.backward)
    )

    def tick(carry, xs):
        # XLA updates the carried buffers in place only if every read comes before every write. So
        # the reads are done inside the branches, which hand back whole new rows, and the writes
        # follow in an order that depends on both branches.
        d_states, d_x, gates = carry
        op, here = xs
        d_gates, d_source, d_value = _transpose_cells(transposed, op, gates, states, d_states, d_x)
        d_decoded = jnp.where(_read(known, op.step), 0, d_value)
        d_left, d_right, d_anchors = _transpose_heads(
            weights.heads,
            op,
            here,
            d_decoded,
            x,
            d_x,
            states[-1],
            d_states[-1],
            d_source[-1],
            noise,
        )
        top = _write(d_states[-1], op.pivot, d_right)
        d_states = tuple(_write(d, op.source, h) for d, h in zip((*d_states[:-1], top), d_source))
        top = _write(d_states[-1], op.forward, d_left)
        if here is not None:
            # Before the step itself: an anchor that does not exist may stand for it.
            d_x = _write(_write(d_x, here.left, d_anchors[0]), here.right, d_anchors[1])
        # A tick's gates make room for their gradients.
        gates = tuple(_write(g, op.row - first, d) for g, d in zip(gates, d_gates))
        return ((*d_states[:-1], top), _write(d_x, op.step, d_value), gates), None

    d_states = jax.tree.map(jnp.zeros_like, states)
    (d_states, d_x, d_gates), _ = jax.lax.scan(
        tick, (d_states, d_x, gates), _operations(plan), reverse=True
    )
    d_backward = tuple(d[:first] for d in d_states)
    d_decoded = jnp.where(known, 0, d_x)
    d_heads = _head_gradients(weights.heads, x, states[-1], d_decoded, noise, schedule, anchors)
    d_weights = _Weights(
        _forward_gradients(weights.forward, x, states, d_gates),
        _backward_gradients(weights.backward, x, states, d_gates, schedule),
        d_heads,
    )
    d_context = None if context is None else _context_gradients(x, d_gates[0], schedule)
    return d_weights, jnp.where(known, d_x, 0), d_backward, d_context, None, None, None


_decode.defvjp(_decode_saving, _decode_transposed)


def _operations(plan):
    """The fields that a tick reads; the inverse indices stay out of the scan."""
    schedule, anchors = plan
    return schedule.replace(forward_tick=None, head_tick=None, backward_tick=None), anchors


# Buffers: (rows, B, ...), indexed by one row for the batch or by one row per sequence. The latter with
# the batch as a batching dimension of the gather: several devices then have nothing to exchange.


def _read(buffer, row):
    if row.ndim == 0:
        return jax.lax.dynamic_index_in_dim(buffer, row, 0, keepdims=False)
    return _rows_of_each(buffer, row, jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS)


def _write(buffer, row, value):
    if row.ndim == 0:
        return jax.lax.dynamic_update_index_in_dim(buffer, value, row, 0)
    numbers = jax.lax.ScatterDimensionNumbers(
        update_window_dims=tuple(range(1, value.ndim)),
        inserted_window_dims=(0,),
        scatter_dims_to_operand_dims=(0,),
        operand_batching_dims=(1,),
        scatter_indices_batching_dims=(0,),
    )
    return jax.lax.scatter(
        buffer,
        row[:, None],
        value,
        numbers,
        unique_indices=True,
        mode=jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS,
    )


def _gather(array, index):
    """Rows `index`, (n,) or (n, B), of an array (rows, B, ...) or (rows,); 0 where out of range."""
    if index.ndim == 1:
        return array.at[index].get(mode="fill", fill_value=0)
    return _rows_of_each(array, index, jax.lax.GatherScatterMode.FILL_OR_DROP)


def _rows_of_each(array, index, mode):
    """Rows `index`, (..., B), of an array (rows, B, ...)."""
    numbers = jax.lax.GatherDimensionNumbers(
        offset_dims=tuple(range(index.ndim, index.ndim + array.ndim - 2)),
        collapsed_slice_dims=(0,),
        start_index_map=(0,),
        operand_batching_dims=(1,),
        start_indices_batching_dims=(index.ndim - 1,),
    )
    sizes = (1, 1, *array.shape[2:])
    return jax.lax.gather(array, index[..., None], numbers, sizes, mode=mode, fill_value=0)


def _per_sequence(flag, array):
    """A flag, scalar or (B,), shaped to select from an array (B, ...)."""
    return flag.reshape(flag.shape + (1,) * (array.ndim - 1)) if flag.ndim else flag


def _where(flag, then, otherwise):
    return jax.tree.map(lambda a, b: jnp.where(_per_sequence(flag, a), a, b), then, otherwise)


# Heads.


def _sample(head, left, right, noise, base):
    mean, std = model.apply_head(head, left, right)
    value = mean if base is None else mean + head["skip"] * base
    return value if std is None else value + std * noise


def _head_operands(op, anchors, x, top, noise):
    eps = None if noise is None else _read(noise, op.step)
    return _read(top, op.forward), _read(top, op.pivot), eps, _between(anchors, x, _read)


def _apply_heads(heads, op, anchors, value, x, top, noise):
    """The value decoded in this tick, (B, D); `value` itself where no head is asked for."""
    operands = _head_operands(op, anchors, x, top, noise)
    if op.head.ndim == 0:
        branches = [lambda head=head: _sample(head, *operands) for head in heads]
        return jax.lax.switch(op.head, [lambda: value, *branches])
    for level, head in enumerate(heads):
        value = _where(op.head == level + 1, _sample(head, *operands), value)
    return value


def _transpose_heads(heads, op, anchors, d_decoded, x, d_x, top, d_top, d_source, noise):
    """New rows op.forward and op.pivot of the last layer's state gradients, (B, H) each.

    d_source is the new row op.source, which is the same as op.forward in many ticks. The third
    result is a pair, the rows anchors.left and anchors.right of d_x, or None without anchors.
    """
    left, right, eps, base = _head_operands(op, anchors, x, top, noise)

    def none():
        same = op.source == op.forward
        d_left = _where(same, d_source, _read(d_top, op.forward))
        d_anchors = None
        if anchors is not None:
            d_anchors = _read(d_x, anchors.left), _read(d_x, anchors.right)
        return d_left, _read(d_top, op.pivot), d_anchors

    def pull(head, d):
        _, transpose = jax.vjp(
            lambda *args: _sample(head, *args[:2], eps, args[2]), left, right, base
        )
        d_left, d_right, d_base = transpose(d)
        d_anchors = None
        if anchors is not None:
            weights = anchors.left_weight, anchors.right_weight
            d_anchors = tuple(_times(weight, d_base) for weight in weights)
        return d_left, d_right, d_anchors

    def plus(head):
        return jax.tree.map(jnp.add, none(), pull(head, d_decoded))

    def every():
        total = none()
        for level, head in enumerate(heads):
            d = _where(op.head == level + 1, d_decoded, jnp.zeros_like(d_decoded))
            total = jax.tree.map(jnp.add, total, pull(head, d))
        return total

    if op.head.ndim == 0:
        return jax.lax.switch(op.head, [none, *(lambda head=head: plus(head) for head in heads)])
    return jax.lax.cond(jnp.any(op.head != 0), every, none)


def _head_gradients(heads, x, top, d_decoded, noise, schedule, anchors):
    """Gradients of every level's weights, from all decoded entries at once.

    Each row (step, sequence) belongs to one level. The rows are grouped by level, in blocks of
    _ROWS that hold one level only, so that every row is multiplied once and not once a level.
    """
    level = _gather(schedule.head, schedule.head_tick)  # 0: not decoded
    steps, batch, _ = d_decoded.shape
    level = jnp.broadcast_to(level if level.ndim == 2 else level[:, None], (steps, batch)).ravel()
    rows = (
        _gather(top, _gather(schedule.forward, schedule.head_tick)),
        _gather(top, _gather(schedule.pivot, schedule.head_tick)),
        noise,
        _between(jax.tree.map(lambda a: _gather(a, schedule.head_tick), anchors), x, _gather),
        d_decoded,
    )
    rows = jax.tree.map(lambda a: a.reshape(steps * batch, -1), rows)
    index, block_level = _group_by_level(level, len(heads))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *heads)
    zeros = jax.tree.map(lambda leaf: jnp.zeros_like(leaf, x.dtype), stacked)

    def add_block(total, block):
        index, l = block
        left, right, eps, base, d = jax.tree.map(
            lambda a: a.at[index].get(mode="fill", fill_value=0), rows
        )
        head = jax.tree.map(lambda a: a[l], stacked)
        (d_head,) = jax.vjp(lambda head: _sample(head, left, right, eps, base), head)[1](d)
        return jax.tree.map(lambda t, g: t.at[l].add(g), total, d_head), None

    total, _ = jax.lax.scan(add_block, zeros, (index, block_level))
    total = jax.tree.map(lambda g, w: g.astype(w.dtype), total, stacked)
    return tuple(jax.tree.map(lambda a, l=l: a[l], total) for l in range(len(heads)))


_ROWS = 256


def _group_by_level(level, levels):
    """Blocks of rows of one level each.

    Args:
      level: (rows,) 0 = leave out, or l + 1.
      levels: R.

    Returns:
      (blocks, _ROWS) row numbers, `rows` where a block is not full; (blocks,) the level of each.
    """
    count = level.shape[0]
    blocks = -(-count // _ROWS) + levels
    one_hot = level[:, None] == jnp.arange(1, levels + 1)
    blocks_of = -(-one_hot.sum(0) // _ROWS)
    end = jnp.cumsum(blocks_of)
    rank = jnp.where(one_hot, jnp.cumsum(one_hot, axis=0) - 1, 0).sum(1)
    slot = (end - blocks_of)[level - 1] * _ROWS + rank
    slot = jnp.where(level > 0, slot, blocks * _ROWS)
    index = jnp.full(blocks * _ROWS, count).at[slot].set(jnp.arange(count), mode="drop")
    block_level = jnp.minimum(jnp.searchsorted(end, jnp.arange(blocks), side="right"), levels - 1)
    return index.reshape(blocks, _ROWS), block_level


# Cells.


def _project(layer, value):
    """Projected input of the backward cell at a decoded step: it reads [1, value]."""
    return gru.product(value, layer["wx"][1:]) + layer["wx"][0]


def _project_nothing(layer, value):
    """Projected input of the backward cell at a step that is still missing: [0, 0]."""
    return jnp.zeros_like(value, shape=(value.shape[0], layer["wx"].shape[1]))


def _apply_cells(weights, op, value, source, context):
    """New state and gates of the cell asked for; of anything where the tick is idle."""
    ahead, back = weights.forward, weights.backward

    def with_context(projected, name):
        if context is None:
            return projected
        return projected + _read(getattr(context, name), op.step)

    def idle():
        return source, tuple(jnp.concatenate([s] * 4, axis=-1) for s in source)

    def forward():
        projected = with_context(gru.product(value, ahead[0]["wx"]), "forward")
        return gru.step(ahead, projected, source)

    def backward():
        return gru.step(back, with_context(_project(back[0], value), "backward"), source)

    def chain():
        return gru.step(back, with_context(_project_nothing(back[0], value), "backward"), source)

    def both():
        projected = _where(
            op.cell == BACKWARD, _project(back[0], value), _project_nothing(back[0], value)
        )
        behind = gru.step(back, with_context(projected, "backward"), source)
        return _where(op.cell == FORWARD, forward(), behind)

    if op.cell.ndim == 0:
        return jax.lax.switch(op.cell, [idle, forward, backward, chain])
    return jax.lax.cond(jnp.any(op.cell != 0), both, idle)


def _transpose_cells(transposed, op, gates, states, d_states, d_x):
    """Gradients of the pre-activations, and new rows of d_states and d_x.

    Returns:
      (those of each layer, like gates; rows op.source of d_states, a tuple; row op.step of d_x).
    """
    ahead, back = transposed.forward, transposed.backward
    source = tuple(_read(s, op.source) for s in states)
    here = tuple(_read(g, op.row - d_x.shape[0] - 1) for g in gates)
    d_new = tuple(_read(d, op.row) for d in d_states)

    def old():
        return tuple(_read(d, op.source) for d in d_states), _read(d_x, op.step)

    def idle():
        return here, *old()

    def step(layers, wx):
        d_gates, d_source, d_projected = gru.step_backward(layers, here, source, d_new)
        d_source, d_value = jax.tree.map(jnp.add, old(), (d_source, gru.product(d_projected, wx)))
        return d_gates, d_source, d_value

    def forward():
        return step(ahead, ahead[0].wx)

    def backward():
        return step(back, back[0].wx[:, 1:])

    def chain():
        d_gates, d_source, _ = gru.step_backward(back, here, source, d_new)
        d_rows, d_value = old()
        return d_gates, jax.tree.map(jnp.add, d_rows, d_source), d_value

    def both():
        zero = jax.tree.map(jnp.zeros_like, d_new)
        is_forward, reads = op.cell == FORWARD, op.cell == BACKWARD
        d1, h1, p1 = gru.step_backward(ahead, here, source, _where(is_forward, d_new, zero))
        d2, h2, p2 = gru.step_backward(back, here, source, _where(is_forward, zero, d_new))
        p2 = _where(reads, p2, jnp.zeros_like(p2))
        d_value = gru.product(p1, ahead[0].wx) + gru.product(p2, back[0].wx[:, 1:])
        d_gates, d_source = jax.tree.map(jnp.add, (d1, h1), (d2, h2))
        return d_gates, *jax.tree.map(jnp.add, old(), (d_source, d_value))

    if op.cell.ndim == 0:
        return jax.lax.switch(op.cell, [idle, forward, backward, chain])
    return jax.lax.cond(jnp.any(op.cell != 0), both, idle)


def _forward_gradients(layers, x, states, d_gates):
    """Weight gradients of the forward layers. Rows T + 1 + t and T + t are hf_t and hf_{t-1}."""
    steps, batch, _ = x.shape
    gradients = []
    for k, (state, d) in enumerate(zip(states, d_gates)):

        def read(first, count, k=k, state=state, d=d):
            below = (x, first) if k == 0 else (states[k - 1], first + steps + 1)
            return (
                gru.rows(d, first, count),
                gru.rows(*below, count),
                gru.rows(state, first + steps, count),
            )

        gradients.append(gru.weight_gradients(read, steps, batch, layers[k]))
    return tuple(gradients)


def _backward_gradients(layers, x, states, d_gates, schedule):
    """Weight gradients of the backward layers, over BACKWARD (input [1, x]) and CHAIN ([0, 0])."""
    steps, batch, _ = x.shape
    ticks = schedule.backward_tick
    if not ticks.shape[0]:
        return jax.tree.map(jnp.zeros_like, layers)
    gradients = []

    def inputs(tick):
        value = _gather(x, _gather(schedule.step, tick))
        reads = _gather(schedule.cell, tick) == BACKWARD
        reads = reads.reshape(reads.shape + (1,) * (3 - reads.ndim))
        ones = jnp.ones_like(value, shape=(*value.shape[:2], 1))
        return jnp.where(reads, jnp.concatenate([ones, value], axis=-1), 0)

    for k, (state, d) in enumerate(zip(states, d_gates)):

        def read(first, count, k=k, state=state, d=d):
            tick = gru.rows(ticks, first, count)
            below = gru.rows(states[k - 1], first + 2 * steps + 1, count) if k else inputs(tick)
            source = _gather(state, _gather(schedule.source, tick))
            return gru.rows(d, first + steps, count), below, source

        gradients.append(gru.weight_gradients(read, ticks.shape[0], batch, layers[k]))
    return tuple(gradients)


def _context_gradients(x, d_gates, schedule):
    """Gradients of the context's projections, from those of the first layer's pre-activations."""
    steps = x.shape[0]
    d = gru.projected_gradient(d_gates)
    ticks = schedule.backward_tick
    # A step is passed by several backward updates; what is past the last of them is zero.
    step, d_backward = _gather(schedule.step, ticks), gru.rows(d, steps, ticks.shape[0])

    def add_up(step, d):
        return jnp.zeros_like(d, shape=(steps, *d.shape[1:])).at[step].add(d)

    add_up = add_up if step.ndim == 1 else jax.vmap(add_up, in_axes=1, out_axes=1)
    return _Context(d[:steps], add_up(step, d_backward))
