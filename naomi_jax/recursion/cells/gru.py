"""Gated recurrent units: parameters, one step, and whole-sequence scans with their own gradients.

The torch / Flax convention, per layer, for input x and state h:

    r, z = sigmoid(x Wx_{r,z} + b_{r,z} + h Wh_{r,z})
    n    = tanh(x Wx_n + b_n + r * (h Wh_n + c))
    h'   = (1 - z) * n + z * h

A layer is {"wx": (I, 3H), "wh": (H, 3H), "b": (3H,), "c": (H,)}, gates in the order r, z, n.
Stacked layers are a tuple of such dicts; layer k reads the new state of layer k - 1. States are
tuples too, one (B, H) array for each layer.

Gradients are written by hand because letting autodiff accumulate weight gradients cell by cell
reads and writes every weight at every step. Here a backward cell returns the gradients of its
pre-activations, and `weight_gradients` forms each dW once from all steps with a single product.

*Gates* are what the backward cell needs, one (..., 4H) array: [m, r, z, n], with m = h Wh_n + c.
Their gradients, those of the pre-activations, have the same layout and take the same place: columns
:3H belong to the recurrent product (its columns in the order n, r, z), columns H: to the projected
input.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from naomi_jax.recursion.cells import adjoint
from naomi_jax.recursion.cells.rows import span

Layer = dict[str, Array]
Layers = tuple[Layer, ...]
State = tuple[Float[Array, "B H"], ...]  # of each layer
Initializer = Callable[..., Array]  # (key, shape, dtype) -> array, as jax.nn.initializers make them


def init(
    key: PRNGKeyArray,
    inputs: int,
    hidden: int,
    layers: int,
    dtype: DTypeLike = jnp.float32,
    recurrent_init: Initializer | None = None,
) -> Layers:
    """Layers with weights and biases uniform in +-1/sqrt(hidden), as torch.nn.GRU starts them.

    With `recurrent_init` the columns n of every wh start from it instead.
    """

    def uniform(key, *shape):
        bound = hidden**-0.5
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    result = []
    for layer_key in jax.random.split(key, layers):
        wx_key, wh_key, b_key, c_key = jax.random.split(layer_key, 4)
        wh = uniform(wh_key, hidden, 3 * hidden)
        if recurrent_init is not None:
            n = recurrent_init(wh_key, (hidden, hidden), dtype)
            wh = wh.at[:, 2 * hidden :].set(n)
        layer = {
            "wx": uniform(wx_key, inputs, 3 * hidden),
            "wh": wh,
            "b": uniform(b_key, 3 * hidden),
            "c": uniform(c_key, hidden),
        }
        result.append(layer)
        inputs = hidden
    return tuple(result)


@functools.cache  # one object for each angle: what was compiled for it is found again
def rotations(largest_angle: float) -> Initializer:
    """An initializer of recurrent weights: pairs of units turn by 0 to `largest_angle` a step.

    Called with (key, (H, H), dtype); angles are in radians. The matrix is orthogonal, and the key
    is not used. A state then starts as a bank of slow oscillators, which keep what they have read
    for long and tell its age by their phases (cf. Arjovsky et al., ICML 2016; Orvieto et al., ICML
    2023). Not in the paper.

    Raises:
      ValueError: the angle is not from 0 to pi.
    """
    if not 0 <= largest_angle <= math.pi:
        raise ValueError(f"largest_angle: {largest_angle!r} is not an angle from 0 to pi")

    def turning(key, shape, dtype=jnp.float32):
        del key
        hidden = shape[0]
        angles = jnp.linspace(0, largest_angle, (hidden + 1) // 2)
        first, second = jnp.arange(hidden) // 2, jnp.arange(hidden) % 2
        angle = angles[first][None]
        pair = first[:, None] == first[None]
        sign = second[None] - second[:, None]
        matrix = jnp.where(sign == 0, jnp.cos(angle), sign * jnp.sin(angle))
        matrix = jnp.where(pair, matrix, 0)
        if hidden % 2:  # a last unit without a partner stays as it is
            matrix = matrix.at[-1, -1].set(1.0)
        return matrix.astype(dtype)

    return turning


def product(a: Float[Array, "*N I"], w: Float[Array, "I J"]) -> Float[Array, "*N J"]:
    """a @ w, multiplied in the precision of w and added up in that of a."""
    if a.dtype == w.dtype:
        return a @ w
    return jnp.matmul(a.astype(w.dtype), w, preferred_element_type=a.dtype)


def _cell(layer, projected, h):
    """One step from the projected input x Wx, (B, 3H); returns (h', gates)."""
    xr, xz, xn = jnp.split(projected + layer["b"][None], 3, axis=-1)
    hr, hz, hn = jnp.split(product(h, layer["wh"]), 3, axis=-1)
    r = jax.nn.sigmoid(xr + hr)
    z = jax.nn.sigmoid(xz + hz)
    m = hn + layer["c"][None]
    n = jnp.tanh(xn + r * m)
    return n + z * (h - n), jnp.concatenate([m, r, z, n], axis=-1)


def _cell_backward(wh_transposed, gates, h, dh):
    """From the gradient of h', those of the pre-activations, like gates, and of h."""
    m, r, z, n = jnp.split(gates, 4, axis=-1)
    dn = dh * (1 - z) * (1 - n * n)
    recurrent = jnp.concatenate([dn * r, dn * m * r * (1 - r), dh * (h - n) * z * (1 - z)], axis=-1)
    return jnp.concatenate([recurrent, dn], axis=-1), dh * z + product(recurrent, wh_transposed)


class Transposed(NamedTuple):
    """A layer's weights as its backward cell multiplies with them.

    Made once, outside the loop over steps: on CPU a product with a transposed view is slower.
    """

    wh: Float[Array, "3*H H"]  # rows n, r, z
    wx: Float[Array, "3*H I"]  # rows r, z, n


def transpose(layers: Layers) -> tuple[Transposed, ...]:
    """What `step_backward` needs of each layer."""
    return tuple(Transposed(_rolled(layer["wh"]).T, layer["wx"].T) for layer in layers)


def _rolled(wh):
    """Columns r, z, n to n, r, z."""
    return jnp.roll(wh, wh.shape[0], axis=1)


def step(
    layers: Layers, projected: Float[Array, "B W"], state: State
) -> tuple[State, tuple[Float[Array, "B G"], ...]]:
    """One step of all layers from the projected input of the first, x Wx without b, W = 3H.

    Returns:
      (new state, gates of each layer; G = 4H).
    """
    new, gates = [], []
    for k, layer in enumerate(layers):
        if k:
            projected = product(new[-1], layer["wx"])
        h, g = _cell(layer, projected, state[k])
        new.append(h)
        gates.append(g)
    return tuple(new), tuple(gates)


def step_backward(
    layers: tuple[Transposed, ...],
    gates: tuple[Float[Array, "B G"], ...],
    state: State,
    d_new: State,
) -> tuple[tuple[Float[Array, "B G"], ...], State, Float[Array, "B W"]]:
    """Transpose of `step`.

    Returns:
      (pre-activation gradients of each layer, gradient of `state`, gradient of `projected`).
    """
    d_gates, d_state, from_above = [], [], 0.0
    for k in reversed(range(len(layers))):
        d, d_h = _cell_backward(layers[k].wh, gates[k], state[k], d_new[k] + from_above)
        d_gates.insert(0, d)
        d_state.insert(0, d_h)
        if k:
            from_above = product(projected_gradient(d), layers[k].wx)
    return tuple(d_gates), tuple(d_state), projected_gradient(d_gates[0])


def projected_gradient(d: Float[Array, "*N G"]) -> Float[Array, "*N W"]:
    """The gradient of the projected input, W = 3H, from those of the pre-activations."""
    return d[..., d.shape[-1] // 4 :]


_ROWS = 1024  # of the blocks below: large enough for the products, small enough for the cache


def weight_gradients(read: Callable, count: int, batch: int, layer: Layer) -> Layer:
    """A layer's gradient from all its evaluations at once, in blocks of steps.

    A block at a time, because the operands of one product over all steps would be as many copies of
    the longest arrays there are.

    Args:
      read: from (first, n) to what n evaluations from number `first` on had: pre-activation
        gradients (n, B, 4H), inputs (n, B, I) and the states that were updated (n, B, H).
      count: evaluations of each sequence.
      batch: B.
      layer: the layer.
    """
    dtype, exact = layer["wx"].dtype, layer["b"].dtype
    size = min(max(_ROWS // batch, 1), count)

    def block(number, total):
        first = jnp.minimum(number * size, count - size)
        d, x, h = read(first, size)
        # The last block starts early enough to be full; what the one before it had is left out.
        fresh = first + jnp.arange(size) >= number * size
        d = jnp.where(fresh[:, None, None], d, 0)
        hidden = h.shape[-1]
        recurrent, projected = d[..., : 3 * hidden], projected_gradient(d)
        here = {
            "wx": _sum_of_products(x, projected, dtype),
            "wh": jnp.roll(_sum_of_products(h, recurrent, dtype), -hidden, axis=1),
            "b": projected.sum((0, 1)),
            "c": recurrent[..., :hidden].sum((0, 1)),
        }
        return jax.tree.map(jnp.add, total, here)

    zeros = jax.tree.map(lambda w: jnp.zeros_like(w, exact), layer)
    total = jax.lax.fori_loop(0, -(-count // size), block, zeros)
    return jax.tree.map(lambda g, w: g.astype(w.dtype), total, layer)


def _sum_of_products(a, b, dtype):
    """The sum over steps and sequences of their outer products.

    B stays an axis of its own, so that devices can share it.
    """
    a, b, exact = a.astype(dtype), b.astype(dtype), a.dtype
    return jnp.einsum("nbi,nbj->ij", a, b, preferred_element_type=exact)


def scan(
    layers: Layers,
    x: Float[Array, "T B I"],
    *,
    reverse: bool = False,
    inside: Bool[Array, "T B"] | None = None,
) -> tuple[Float[Array, "T B H"], ...]:
    """The states after every step, from a zero state.

    Args:
      layers: the stacked layers.
      x: time-major.
      reverse: walk from the last step to the first; states keep the place of their step.
      inside: where False the state is zero (padding of shorter sequences).

    Returns:
      The states of each layer.
    """
    states = []
    for layer in layers:
        x = _scan[reverse](layer, x, inside)
        states.append(x)
    return tuple(states)


def _run(reverse, layer, x, inside, keep):
    """keep(new state, gates) of every step."""

    def body(h, here):
        projected, valid = here
        new, gates = _cell(layer, projected, h)
        if valid is not None:
            new = jnp.where(valid[:, None], new, 0)
        return new, keep(new, gates)

    projected = product(x, layer["wx"])
    h0 = jnp.zeros_like(projected, shape=(projected.shape[1], layer["wh"].shape[0]))
    return _scan_ahead(body, h0, (projected, inside), reverse)


def _scan_saving(reverse, layer, x, inside):
    states, gates = _run(reverse, layer, x, inside, lambda *both: both)
    return states, (layer, x, inside, states, gates)


def _scan_transposed(reverse, residuals, d_states):
    layer, x, inside, states, gates = residuals
    steps, batch, _ = states.shape
    zero = jnp.zeros_like(states[:1])
    before = jnp.concatenate([states, zero] if reverse else [zero, states])
    offset = int(reverse)  # of the state before each step
    (transposed,) = transpose((layer,))

    def body(dh, here):
        d_state, g, h, valid = here
        dh = dh + d_state
        if valid is not None:
            dh = jnp.where(valid[:, None], dh, 0)
        d, dh = _cell_backward(transposed.wh, g, h, dh)
        return dh, d

    xs = d_states, gates, before[offset : steps + offset], inside
    d = _scan_ahead(body, zero[0], xs, not reverse)

    def read(first, count):
        return span(d, first, count), span(x, first, count), span(before, first + offset, count)

    d_x = product(projected_gradient(d), transposed.wx)
    return weight_gradients(read, steps, batch, layer), d_x


def _either_way(reverse):
    return adjoint.with_gradient(
        lambda *arguments: _run(reverse, *arguments, keep=lambda new, gates: new),
        functools.partial(_scan_saving, reverse),
        functools.partial(_scan_transposed, reverse),
        2,
    )


# The states of one layer, by its weights, x and which steps are inside; a constant.
_scan = {reverse: _either_way(reverse) for reverse in (False, True)}


def _scan_ahead(body, init, xs, reverse):
    """What jax.lax.scan stacks, with the slices of xs read a step ahead and carried.

    XLA on CPU fuses a slice into every operation that uses it, and does not vectorize a loop that
    computes the slice's place more than once: a recurrent cell is then three times as slow.
    """
    count = len(jax.tree.leaves(xs)[0])

    def at(index):
        return jax.tree.map(lambda a: jax.lax.dynamic_index_in_dim(a, index, 0, keepdims=False), xs)

    def step(carry, index):
        state, here = carry
        state, out = body(state, here)
        following = jnp.clip(index - 1 if reverse else index + 1, 0, count - 1)
        return (state, at(following)), out

    first = count - 1 if reverse else 0
    return jax.lax.scan(step, (init, at(first)), jnp.arange(count), reverse=reverse)[1]
