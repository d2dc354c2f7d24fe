"""Gated recurrent units: parameters, one step, and whole-sequence scans with their own gradients.

The torch / Flax convention, per layer, for input x and state h:

    r, z = sigmoid(x Wx_{r,z} + b_{r,z} + h Wh_{r,z})
    n    = tanh(x Wx_n + b_n + r * (h Wh_n + c))
    h'   = (1 - z) * n + z * h

A layer is {"wx": (I, 3H), "wh": (H, 3H), "b": (3H,), "c": (H,)}, gates in the order r, z, n. Stacked
layers are a tuple of such dicts; layer k reads the new state of layer k - 1. States are tuples too,
one (B, H) array for each layer.

Gradients are written by hand because letting autodiff accumulate weight gradients cell by cell reads
and writes every weight at every step. Here a backward cell returns the gradients of its
pre-activations, and `weight_gradients` forms each dW once from all steps with a single product.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

Layer = dict[str, chex.Array]
Layers = tuple[Layer, ...]


class Gates(NamedTuple):
    """What the backward cell needs: activations r, z, n and the recurrent term of n; (..., H) each.

    The backward pass reuses the same four fields for the gradients of the pre-activations.
    """

    r: chex.Array
    z: chex.Array
    n: chex.Array
    m: chex.Array


def init(key: chex.PRNGKey, inputs: int, hidden: int, layers: int, dtype=jnp.float32) -> Layers:
    """Layers with weights and biases uniform in +-1/sqrt(hidden), as torch.nn.GRU starts them."""

    def uniform(key, *shape):
        bound = hidden**-0.5
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    result = []
    for key in jax.random.split(key, layers):
        wx, wh, b, c = jax.random.split(key, 4)
        result.append(
            {
                "wx": uniform(wx, inputs, 3 * hidden),
                "wh": uniform(wh, hidden, 3 * hidden),
                "b": uniform(b, 3 * hidden),
                "c": uniform(c, hidden),
            }
        )
        inputs = hidden
    return tuple(result)


def _cell(wh, c, projected, h):
    """One step from the projected input x Wx + b, (B, 3H); returns (h', Gates)."""
    recurrent = h @ wh
    xr, xz, xn = jnp.split(projected, 3, axis=-1)
    hr, hz, hn = jnp.split(recurrent, 3, axis=-1)
    r = jax.nn.sigmoid(xr + hr)
    z = jax.nn.sigmoid(xz + hz)
    m = hn + c
    n = jnp.tanh(xn + r * m)
    return n + z * (h - n), Gates(r, z, n, m)


def _cell_backward(wh, gates, h, dh):
    """From the gradient of h', those of the pre-activations (a Gates) and of h."""
    r, z, n, m = gates
    dn = dh * (1 - z) * (1 - n * n)
    d = Gates(
        r=dn * m * r * (1 - r),
        z=dh * (h - n) * z * (1 - z),
        n=dn,
        m=dn * r,
    )
    return d, dh * z + _recurrent(d) @ wh.T


def _recurrent(d):
    return jnp.concatenate([d.r, d.z, d.m], axis=-1)


def _projected(d):
    return jnp.concatenate([d.r, d.z, d.n], axis=-1)


def step(layers: Layers, projected: chex.Array, state: tuple) -> tuple[tuple, tuple]:
    """One step of all layers from the projected input of the first, (B, 3H).

    Returns:
      (new state, Gates of each layer).
    """
    new, gates = [], []
    for k, layer in enumerate(layers):
        if k:
            projected = new[-1] @ layer["wx"] + layer["b"]
        h, g = _cell(layer["wh"], layer["c"], projected, state[k])
        new.append(h)
        gates.append(g)
    return tuple(new), tuple(gates)


def step_backward(layers: Layers, gates: tuple, state: tuple, d_new: tuple):
    """Transpose of `step`.

    Returns:
      (pre-activation gradients of each layer, gradient of `state`, gradient of `projected`).
    """
    d_gates, d_state = [None] * len(layers), [None] * len(layers)
    from_above = 0.0
    for k in reversed(range(len(layers))):
        d, d_state[k] = _cell_backward(layers[k]["wh"], gates[k], state[k], d_new[k] + from_above)
        d_gates[k] = d
        d_projected = _projected(d)
        if k:
            from_above = d_projected @ layers[k]["wx"].T
    return tuple(d_gates), tuple(d_state), d_projected


def weight_gradients(d: Gates, x: chex.Array, h: chex.Array) -> Layer:
    """A layer's gradient from all its evaluations at once.

    Args:
      d: pre-activation gradients, (..., H) each.
      x: (..., I) what the layer read.
      h: (..., H) the states that it updated.
    """
    axes = list(range(d.r.ndim - 1))
    d_projected = _projected(d)

    def outer(a, b):
        return jnp.tensordot(a, b, axes=(axes, axes))

    return {
        "wx": outer(x, d_projected),
        "wh": outer(h, _recurrent(d)),
        "b": d_projected.sum(axes),
        "c": d.m.sum(axes),
    }


def scan(
    layers: Layers, x: chex.Array, *, reverse: bool = False, inside: chex.Array | None = None
) -> tuple[chex.Array, ...]:
    """The states after every step, from a zero state.

    Args:
      layers: the stacked layers.
      x: (T, B, I), time-major.
      reverse: walk from the last step to the first; states keep the place of their step.
      inside: (T, B) bool or None; where False the state is zero (padding of shorter sequences).

    Returns:
      (T, B, H) for each layer.
    """
    chex.assert_rank(x, 3)
    states = []
    for layer in layers:
        x = _scan(reverse, layer["wh"], layer["c"], x @ layer["wx"] + layer["b"], inside)
        states.append(x)
    return tuple(states)


@jax.custom_vjp
def _scan_forward_in_time(wh, c, projected, inside):
    return _run(wh, c, projected, inside, reverse=False)[0]


@jax.custom_vjp
def _scan_backward_in_time(wh, c, projected, inside):
    return _run(wh, c, projected, inside, reverse=True)[0]


def _scan(reverse, *args):
    return (_scan_backward_in_time if reverse else _scan_forward_in_time)(*args)


def _run(wh, c, projected, inside, reverse):
    def body(h, xs):
        here, valid = xs
        new, gates = _cell(wh, c, here, h)
        if valid is not None:
            new = jnp.where(valid[:, None], new, 0)
        return new, (new, gates)

    h0 = jnp.zeros_like(projected, shape=(projected.shape[1], wh.shape[0]))
    _, outputs = jax.lax.scan(body, h0, (projected, inside), reverse=reverse)
    return outputs


def _run_saving(wh, c, projected, inside, reverse):
    states, gates = _run(wh, c, projected, inside, reverse)
    return states, (wh, c, inside, states, gates)


def _run_transposed(reverse, residuals, d_states):
    wh, c, inside, states, gates = residuals
    zero = jnp.zeros_like(states[:1])
    before = (
        jnp.concatenate([states[1:], zero]) if reverse else jnp.concatenate([zero, states[:-1]])
    )

    def body(dh, xs):
        d_state, g, h, valid = xs
        dh = dh + d_state
        if valid is not None:
            dh = jnp.where(valid[:, None], dh, 0)
        d, dh = _cell_backward(wh, g, h, dh)
        return dh, d

    xs = (d_states, gates, before, inside)
    _, d = jax.lax.scan(body, zero[0], xs, reverse=not reverse)
    axes = ([0, 1], [0, 1])
    return jnp.tensordot(before, _recurrent(d), axes), d.m.sum((0, 1)), _projected(d), None


for _function, _reverse in ((_scan_forward_in_time, False), (_scan_backward_in_time, True)):
    _function.defvjp(
        lambda *args, reverse=_reverse: _run_saving(*args, reverse),
        lambda *args, reverse=_reverse: _run_transposed(reverse, *args),
    )
