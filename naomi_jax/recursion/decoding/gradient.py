"""The gradient of the decode, written by hand: a second scan over the same ticks in reverse.

Why by hand. Autodiff of the scan is right, and slow twice over: the transpose of a row read from a
carried buffer adds a whole buffer of zeros but for that row, at every tick, so that the time grows
with T^2; and every weight's gradient is read and written at every tick. Measured (a gradient of the
free-running loss, the same program, on a CPU):

    T                     100        400     1600
    plain autodiff     12 - 23 ms   97 ms   852 ms
    this file             6.4 ms    16 ms    73 ms

Here the scan carries the gradients of the states and of x and adds row by row, and the weights'
gradients are left to the end: one product for each weight over all ticks (gru.weight_gradients).
Memory: two states and four gates of every tick, O(ticks * B * H).

A name d_y is the gradient of y. Pulls are linear in it, so a sequence that did not take a branch in
the lockstep may leave out that branch's result, as well as put zero into it.
"""

import jax
import jax.numpy as jnp

from naomi_jax.recursion.cells import gru, rows
from naomi_jax.recursion.cells.heads import sample
from naomi_jax.recursion.decoding.plan import Inputs, Weights, line, of_ticks
from naomi_jax.recursion.decoding.schedule import BACKWARD, CHAIN


def transposed(residuals, d_x):
    """The backward pass of decode.fill: gradients of all its arguments but noise and plan."""
    weights, x, states, gates, inputs, noise, plan = residuals
    first = x.shape[0] + 1
    layers = gru.transpose(weights.forward), gru.transpose(weights.backward)

    def tick(carry, here):
        # XLA updates the carried buffers in place only if every read comes before every write. So
        # the reads are done inside the branches, which hand back whole new rows, and the writes
        # follow in an order that depends on both branches.
        d_states, d_x, gates = carry
        op, anchors = here
        d_gates, d_source, d_value = _pull_cell(layers, op, gates, states, d_states, d_x)
        d_decoded = jnp.where(rows.read(plan.known, op.step), 0, d_value)
        pull = _pull_head(weights.heads, op, anchors, x, states[-1], noise)
        d_left, d_right, d_anchors = pull(d_decoded, d_states[-1], d_source[-1], d_x)
        top = rows.write(d_states[-1], op.pivot, d_right)
        d_states = tuple(
            rows.write(d, op.source, h) for d, h in zip((*d_states[:-1], top), d_source)
        )
        top = rows.write(d_states[-1], op.forward, d_left)
        if anchors is not None:
            # Before the step itself: an anchor that does not exist may stand for it.
            d_x = rows.write(d_x, anchors.left, d_anchors[0])
            d_x = rows.write(d_x, anchors.right, d_anchors[1])
        # A tick's gates make room for their gradients.
        gates = tuple(rows.write(g, op.row - first, d) for g, d in zip(gates, d_gates))
        return ((*d_states[:-1], top), rows.write(d_x, op.step, d_value), gates), None

    d_states = jax.tree.map(jnp.zeros_like, states)
    (d_states, d_x, d_gates), _ = jax.lax.scan(
        tick, (d_states, d_x, gates), of_ticks(plan), reverse=True
    )
    d_weights = Weights(
        _forward_gradients(weights.forward, x, states, d_gates),
        _backward_gradients(weights.backward, x, states, d_gates, plan.schedule),
        _head_gradients(weights.heads, x, states[-1], d_x, noise, plan),
    )
    d_backward = tuple(d[:first] for d in d_states)
    d_inputs = _input_gradients(inputs, x, d_gates[0], plan.schedule)
    return d_weights, jnp.where(plan.known, d_x, 0), d_backward, d_inputs


def _pull_cell(layers, op, gates, states, d_states, d_x):
    """Through the cell of a tick.

    Returns:
      (gradients of the pre-activations of each layer, like gates; new rows op.source of d_states, a
      tuple; new row op.step of d_x).
    """
    forward_layers, backward_layers = layers
    source = tuple(rows.read(s, op.source) for s in states)
    here = tuple(rows.read(g, op.row - d_x.shape[0] - 1) for g in gates)
    d_new = tuple(rows.read(d, op.row) for d in d_states)

    def old():
        return tuple(rows.read(d, op.source) for d in d_states), rows.read(d_x, op.step)

    def pull(layers, project):
        d_gates, d_source, d_projected = gru.step_backward(layers, here, source, d_new)
        return d_gates, *jax.tree.map(jnp.add, old(), (d_source, project(d_projected)))

    def idle():
        return here, *old()

    def forward():
        return pull(forward_layers, lambda d: gru.product(d, forward_layers[0].wx))

    def backward():
        wx = backward_layers[0].wx[:, 1:]
        nothing = jnp.zeros_like(d_x[0])

        def of_value(d):  # a step that is still missing is read from Inputs.missing, not from x
            through = [lambda: gru.product(d, wx), lambda: nothing]
            return rows.choose(op.cell == CHAIN, through, cheap=True)

        return pull(backward_layers, of_value)

    return rows.choose(jnp.minimum(op.cell, BACKWARD), [idle, forward, backward])


def _pull_head(heads, op, anchors, x, top, noise):
    """Through the head of a tick, a function of (d_decoded, d_top, d_source, d_x).

    It returns the new rows op.forward and op.pivot of d_top, the gradients of the last layer's
    states, and the new rows anchors.left and anchors.right of d_x, None without anchors. d_source
    is the new row op.source of d_top, which is the row op.forward in many ticks.
    """
    left, right = rows.read(top, op.forward), rows.read(top, op.pivot)
    between = line(anchors, x)
    eps = None if noise is None else rows.read(noise, op.step)

    def pull(d_decoded, d_top, d_source, d_x):
        def old():
            same = op.source == op.forward
            d_left = rows.where(same, d_source, rows.read(d_top, op.forward))
            d_anchors = None
            if anchors is not None:
                d_anchors = rows.read(d_x, anchors.left), rows.read(d_x, anchors.right)
            return d_left, rows.read(d_top, op.pivot), d_anchors

        def through(head):
            _, vjp = jax.vjp(lambda a, b, c: sample(head, a, b, c, eps), left, right, between)
            d_left, d_right, d_line = vjp(d_decoded)
            d_anchors = None
            if anchors is not None:
                both = anchors.left_weight, anchors.right_weight
                d_anchors = tuple(rows.scale(weight, d_line) for weight in both)
            return jax.tree.map(jnp.add, old(), (d_left, d_right, d_anchors))

        return rows.choose(op.head, [old, *(lambda head=head: through(head) for head in heads)])

    return pull


def _head_gradients(heads, x, top, d_x, noise, plan):
    """Gradients of every level's weights, from all decoded entries at once.

    Each row (step, sequence) belongs to one level. The rows are grouped by level, in blocks of
    _ROWS that hold one level only, so that every row is multiplied once and not once a level.
    """
    schedule, anchors, known = plan
    steps, batch, _ = x.shape
    level = rows.gather(schedule.head, schedule.head_tick)  # 0: not decoded
    level = jnp.broadcast_to(level if level.ndim == 2 else level[:, None], (steps, batch)).ravel()
    operands = (
        rows.gather(top, rows.gather(schedule.forward, schedule.head_tick)),
        rows.gather(top, rows.gather(schedule.pivot, schedule.head_tick)),
        line(jax.tree.map(lambda a: rows.gather(a, schedule.head_tick), anchors), x, rows.gather),
        noise,
        jnp.where(known, 0, d_x),
    )
    operands = jax.tree.map(lambda a: a.reshape(steps * batch, -1), operands)
    index, block_level = _group_by_level(level, len(heads))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *heads)
    zeros = jax.tree.map(lambda leaf: jnp.zeros_like(leaf, x.dtype), stacked)

    def add_block(total, block):
        index, level = block
        *arguments, d = jax.tree.map(lambda a: a.at[index].get(mode="fill", fill_value=0), operands)
        head = jax.tree.map(lambda a: a[level], stacked)
        (d_head,) = jax.vjp(lambda head: sample(head, *arguments), head)[1](d)
        return jax.tree.map(lambda t, g: t.at[level].add(g), total, d_head), None

    total, _ = jax.lax.scan(add_block, zeros, (index, block_level))
    total = jax.tree.map(lambda g, w: g.astype(w.dtype), total, stacked)
    return tuple(
        jax.tree.map(lambda a, level=level: a[level], total) for level in range(len(heads))
    )


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
    one_hot = level[:, None] == jnp.arange(1, levels + 1)[None]
    blocks_of = -(-one_hot.sum(0) // _ROWS)
    end = jnp.cumsum(blocks_of)
    rank = jnp.where(one_hot, jnp.cumsum(one_hot, axis=0) - 1, 0).sum(1)
    slot = (end - blocks_of)[level - 1] * _ROWS + rank
    slot = jnp.where(level > 0, slot, blocks * _ROWS)
    index = jnp.full(blocks * _ROWS, count).at[slot].set(jnp.arange(count), mode="drop")
    block_level = jnp.minimum(jnp.searchsorted(end, jnp.arange(blocks), side="right"), levels - 1)
    return index.reshape(blocks, _ROWS), block_level


def _forward_gradients(layers, x, states, d_gates):
    """Weight gradients of the forward layers. Rows T + 1 + t and T + t are hf_t and hf_{t-1}."""
    steps, batch, _ = x.shape
    gradients = []
    for k, (state, d) in enumerate(zip(states, d_gates)):

        def read(first, count, k=k, state=state, d=d):
            below = (x, first) if k == 0 else (states[k - 1], first + steps + 1)
            return (
                rows.span(d, first, count),
                rows.span(*below, count),
                rows.span(state, first + steps, count),
            )

        gradients.append(gru.weight_gradients(read, steps, batch, layers[k]))
    return tuple(gradients)


def _backward_gradients(layers, x, states, d_gates, schedule):
    """Weight gradients of the backward layers, over BACKWARD (input [1, x_t]) and CHAIN.

    A CHAIN cell's input counts as 0: Inputs.missing, where there is one, has its own way to the
    weights.
    """
    steps, batch, _ = x.shape
    ticks = schedule.backward_tick
    if not ticks.shape[0]:
        return jax.tree.map(jnp.zeros_like, layers)
    gradients = []

    def inputs(tick):
        value = rows.gather(x, rows.gather(schedule.step, tick))
        reads = rows.gather(schedule.cell, tick) == BACKWARD
        ones = jnp.ones_like(value, shape=(*value.shape[:2], 1))
        return rows.scale(reads, jnp.concatenate([ones, value], axis=-1))

    for k, (state, d) in enumerate(zip(states, d_gates)):

        def read(first, count, k=k, state=state, d=d):
            tick = rows.span(ticks, first, count)
            below = rows.span(states[k - 1], first + 2 * steps + 1, count) if k else inputs(tick)
            source = rows.gather(state, rows.gather(schedule.source, tick))
            return rows.span(d, first + steps, count), below, source

        gradients.append(gru.weight_gradients(read, ticks.shape[0], batch, layers[k]))
    return tuple(gradients)


def _input_gradients(inputs, x, d_gates, schedule):
    """Gradients of Inputs, from those of the first layer's pre-activations."""
    steps = x.shape[0]
    ticks = schedule.backward_tick
    # What is past a sequence's last backward update is zero. A step is passed by several updates.
    d = rows.span(gru.projected_gradient(d_gates), steps, ticks.shape[0])
    step, is_chain = rows.gather(schedule.step, ticks), rows.gather(schedule.cell, ticks) == CHAIN
    return Inputs(
        None if inputs.forward is None else gru.projected_gradient(d_gates[:steps]),
        None if inputs.backward is None else rows.sum_by_row(d, step, steps),
        None if inputs.missing is None else rows.sum_by_row(rows.scale(is_chain, d), step, steps),
    )
