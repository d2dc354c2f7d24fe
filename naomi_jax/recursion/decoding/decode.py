"""The decode: Algorithm 1 as one scan over the ticks of a Schedule.

A tick fills at most one step and computes at most one state (schedule.py has the algorithm and its
ticks side by side). All states stay in one buffer a layer, and a tick names what it reads by row.
Time-major inside: x (T, B, D). With one mask for the batch a row is a number and a tick takes real
branches; with one mask for each sequence it is (B,), all sequences walk their own ticks in
lockstep, and a tick computes both cells and all heads (cells/rows.py).

The gradient is written by hand: gradient.py.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from naomi_jax.recursion.cells import adjoint, gru, rows
from naomi_jax.recursion.cells.heads import sample
from naomi_jax.recursion.decoding import gradient as decode_gradient
from naomi_jax.recursion.decoding.plan import Inputs, Plan, Weights, line, make_plan, of_ticks
from naomi_jax.recursion.decoding.schedule import BACKWARD, CHAIN, Schedule


def decode(
    params: dict,
    x: Float[Array, "T B D"],
    known: Bool[Array, " T #B #D"],
    backward: tuple[Float[Array, "T+1 B H"], ...],
    schedule: Schedule,
    noise: Float[Array, "T B D"] | None = None,
    context: Float[Array, "T B D+2"] | None = None,
) -> Float[Array, "T B D"]:
    """Fill the missing entries of a batch.

    Args:
      params: the model.
      x: finite everywhere; values at missing entries do not matter.
      known: entries that are kept; (T, B or 1, 1) where a step is observed entirely or not at all.
        Those of a step observed in part take their place in what the head decodes before any state
        sees it, and backward updates that pass the missing step read them.
      backward: the initial backward states, for each layer.
      schedule: of the steps that are known entirely; (N,) fields, or (B, N).
      noise: standard normal, for a stochastic model; a constant to the gradient.
      context: encoders.gap_context of a model that reads it.

    Returns:
      x filled, known entries unchanged.
    """
    weights, inputs, plan = make_plan(params, x, known, schedule, context)
    return fill(weights, jnp.where(known, x, 0), backward, inputs, noise, plan)


def run(
    weights: Weights,
    x: Float[Array, "T B D"],
    backward: tuple[Float[Array, "T+1 B H"], ...],
    inputs: Inputs,
    noise: Float[Array, "T B D"] | None,
    plan: Plan,
    save: bool = False,
) -> tuple[Float[Array, "T B D"], tuple, tuple | None]:
    """(x filled, the states of all rows, with `save` the gates of all rows from T + 1 on)."""
    ticks = plan.schedule.head.shape[0]
    first = x.shape[0] + 1  # row of the first state that a tick computes

    def tick(carry, here):
        states, x, gates = carry
        op, anchors = here
        value = _fill_step(weights.heads, op, anchors, x, plan.known, states[-1], noise)
        x = rows.write(x, op.step, value)
        source = tuple(rows.read(s, op.source) for s in states)
        new, new_gates = _new_state(weights, inputs, op, value, source)
        states = tuple(rows.write(s, op.row, h) for s, h in zip(states, new))
        if save:
            gates = tuple(rows.write(g, op.row - first, new) for g, new in zip(gates, new_gates))
        return (states, x, gates), None

    states = tuple(jnp.pad(s, ((0, ticks + 1), (0, 0), (0, 0))) for s in backward)
    gates = None
    if save:
        gates = tuple(
            jnp.zeros_like(s, shape=(ticks + 1, s.shape[1], 4 * s.shape[2])) for s in states
        )
    (states, x, gates), _ = jax.lax.scan(tick, (states, x, gates), of_ticks(plan))
    return x, states, gates


def _fill_step(heads, op, anchors, x, known, top, noise):
    """x_{c+s} = g_l(hf_c, hb_{c+2s}) but for its known entries; x_t as it is without a head."""
    value = rows.read(x, op.step)
    left, right = rows.read(top, op.forward), rows.read(top, op.pivot)
    between = line(anchors, x)
    eps = None if noise is None else rows.read(noise, op.step)
    g = [lambda head=head: sample(head, left, right, between, eps) for head in heads]
    decoded = rows.choose(op.head, [lambda: value, *g], cheap=True)
    return jnp.where(rows.read(known, op.step), value, decoded)


def _new_state(weights, inputs, op, value, source):
    """hf_t = F(hf_{t-1}, x_t) or hb_t = B(hb_{t+1}, I_t), and its gates; of anything if idle."""
    F, B = weights.forward, weights.backward

    def beside(projected, known):
        return projected if known is None else projected + rows.read(known, op.step)

    def decoded():  # I_t = [1, x_t]
        return gru.product(value, B[0]["wx"][1:]) + B[0]["wx"][:1]

    def missing():  # I_t = [0, known entries of x_t]
        nothing = jnp.zeros_like(value, shape=(value.shape[0], B[0]["wx"].shape[1]))
        return beside(nothing, inputs.missing)

    def idle():
        return source, tuple(jnp.concatenate([s] * 4, axis=-1) for s in source)

    def forward():
        projected = gru.product(value, F[0]["wx"])
        return gru.step(F, beside(projected, inputs.forward), source)

    def backward():
        projected = rows.choose(op.cell == CHAIN, [decoded, missing], cheap=True)
        return gru.step(B, beside(projected, inputs.backward), source)

    return rows.choose(jnp.minimum(op.cell, BACKWARD), [idle, forward, backward])


def _fill_and_save(weights, x, backward, inputs, noise, plan):
    x, states, gates = run(weights, x, backward, inputs, noise, plan, save=True)
    there = jax.tree.map(
        lambda _: (), inputs
    )  # which inputs there are; their values are not needed
    return x, (weights, x, states, gates, there, noise, plan)


# x filled. The gradient, by weights, x, backward and inputs, equals that of `run`.
fill = adjoint.with_gradient(
    lambda *arguments: run(*arguments)[0], _fill_and_save, decode_gradient.transposed, 4
)
