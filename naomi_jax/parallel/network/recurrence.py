"""A diagonal complex linear recurrence in continuous time.

    h_k = a_k h_{k-1} + v_k,    a_k = exp((-alpha + i omega) dt_k),    h_{-1} = 0

Between two events a state decays at the rate alpha and turns at the rate omega, however long that
takes (LRU: Orvieto et al. 2023, https://arxiv.org/abs/2303.06349; S5: Smith et al. 2023,
https://arxiv.org/abs/2208.04933).

Two forms give the same numbers up to rounding. The sequential one is a `lax.scan`, K steps one
after the other and the fewest operations. The associative one joins neighbors in a tree of depth
log2 K: an event is the affine map h -> a h + v, and one map after another is again such a map,

    (a_1, v_1) then (a_2, v_2)  =  (a_2 a_1,  a_2 v_1 + v_2),

which is associative, so `lax.associative_scan` may bracket it as it likes.

Real and imaginary parts are separate arrays: XLA's complex arithmetic on CPU took twice the time.
"""

import functools
from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from naomi_jax.recursion.axes import leading
from naomi_jax.recursion.cells import adjoint

Form = Literal["auto", "sequential", "associative"]
Complex = tuple[Array, Array]

# A state that has decayed to exp(-30) = 1e-13 is gone: its angle does not matter any more.
_DEAD = 30.0


def transition(
    alpha: Float[Array, " N"], omega: Float[Array, " N"], elapsed: Float[Array, "*S"]
) -> tuple[Float[Array, "*S N"], Float[Array, "*S N"]]:
    """exp((-alpha + i omega) elapsed), real and imaginary part.

    The angle of a long time is a large number and float32 keeps 7 digits of it, so the time is cut
    where the state is dead anyway: the error of the angle stays below 30 (omega / alpha) 1e-7,
    whatever the time.

    Args:
      alpha: decay, positive, per unit of time.
      omega: angular frequency, radians per unit of time.
      elapsed: time, not negative; 1e-2 or 1e5 units alike.
    """
    elapsed = elapsed[..., None]
    alpha, omega = (leading(rate, elapsed.ndim) for rate in (alpha, omega))
    alive = jnp.minimum(elapsed, jax.lax.stop_gradient(_DEAD / alpha))
    size = jnp.exp(-alpha * alive)
    # Zero, not 1e-13: a dead state adds nothing, and its gradient is exactly zero too.
    size = jnp.where(elapsed > alive, 0, size)
    sine, cosine = _sine_cosine(omega * alive)
    return size * cosine, size * sine


def _sine_cosine(angle):
    """(sin, cos): XLA's own on CPU are not vectorized and take ten times as long.

    The angle less the nearest multiple of pi / 2, in three parts (Cody and Waite), then Taylor
    series, whose error on [-pi / 4, pi / 4] is below 3e-7; angles up to about 1e4. Float64 goes to
    XLA.
    """
    if angle.dtype != jnp.float32:
        return jnp.sin(angle), jnp.cos(angle)
    quarter = jnp.round(jax.lax.stop_gradient(angle) * 0.6366197723675814)
    rest = angle - quarter * 1.5703125 - quarter * 4.837512969970703e-4
    rest = rest - quarter * 7.549789954891882e-8
    square = rest * rest
    sine = rest * (1 + square * (-1 / 6 + square * (1 / 120 - square * (1 / 5040))))
    cosine = square * (1 / 24 + square * (-1 / 720 + square * (1 / 40320)))
    cosine = 1 + square * (-1 / 2 + cosine)
    turn = quarter.astype(jnp.int32) & 3
    odd = (turn & 1) == 1
    first, second = jnp.where(odd, cosine, sine), jnp.where(odd, sine, cosine)
    return (
        jnp.where(turn >= 2, -first, first),
        jnp.where((turn == 1) | (turn == 2), -second, second),
    )


def multiply(a: Complex, b: Complex) -> Complex:
    """The complex product of two (real, imaginary) pairs, which broadcast."""
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def recurrence(
    a: Complex, v: Complex, *, reverse: bool = False, form: Form = "auto"
) -> tuple[Array, Array]:
    """All states h_0 .. h_{K-1} of h_k = a_k h_{k-1} + v_k; time leads.

    Args:
      a: (real, imaginary), each (K, ...) and broadcasting to v; a_0 has no effect. With `reverse`,
        a_k leads from state k + 1 to state k, and a_{K-1} has no effect.
      v: (real, imaginary), each (K, ...).
      reverse: run from the last event to the first.
      form: "sequential", "associative", or "auto": sequential on CPU, associative elsewhere.

    Returns:
      (real, imaginary), each of v's shape.

    Raises:
      ValueError: an unknown form.
    """
    if form not in ("auto", "sequential", "associative"):
        raise ValueError(f"form: {form!r}; auto, sequential or associative is needed")
    if form == "auto":
        form = "sequential" if jax.default_backend() == "cpu" else "associative"
    a = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, _joint_shape(leaf, v[0])), a)
    return _recurrences[reverse, form](a, v)


def _joint_shape(leaf, v):
    """a keeps its axes of size 1: it is the same for a whole batch that shares its mask."""
    return (v.shape[0], *leaf.shape[1:])


def _forward(reverse, form, a, v):
    h = _recurrences[reverse, form](a, v)
    return h, (a, h)


def _backward(reverse, form, saved, cotangent):
    """The adjoint is the same recurrence in the other direction, with the conjugate factors.

    lambda_k = g_k + conj(a_{k+1}) lambda_{k+1}; then v_k's gradient is lambda_k and a_k's is
    lambda_k conj(h_{k-1}). (JAX writes the gradient of a complex number as that of two real ones.)
    """
    a, h = saved
    step = -1 if reverse else 1  # the state before k is the one at k - step

    def shift(leaf, by):
        pad = jnp.zeros_like(leaf[:1])
        parts = [leaf[1:], pad] if by > 0 else [pad, leaf[:-1]]
        return jnp.concatenate(parts)

    following = shift(a[0], step), -shift(a[1], step)
    back: Complex = _recurrences[not reverse, form](following, cotangent)
    before = shift(h[0], -step), -shift(h[1], -step)
    of_a = multiply(back, before)
    summed = tuple(_sum_to(leaf, factor.shape) for leaf, factor in zip(of_a, a))
    return summed, back


def _sum_to(leaf, shape):
    axes = tuple(i for i, (n, m) in enumerate(zip(leaf.shape, shape)) if n != m)
    return leaf.sum(axes, keepdims=True) if axes else leaf


def _sequential(a, v, reverse):
    def advance(h, inputs):
        a, v = inputs
        turned = multiply(a, h)
        h = turned[0] + v[0], turned[1] + v[1]
        return h, h

    start = jnp.zeros_like(v[0][0]), jnp.zeros_like(v[1][0])
    # One step alone is too little work for one turn of a loop.
    return jax.lax.scan(advance, start, (a, v), reverse=reverse, unroll=min(len(v[0]), 8))[1]


def _associative(a, v, reverse):
    def then(first, second):
        (a1, v1), (a2, v2) = first, second
        moved = multiply(a2, v1)
        return multiply(a2, a1), (moved[0] + v2[0], moved[1] + v2[1])

    return jax.lax.associative_scan(then, (a, v), reverse=reverse)[1]


def _either_way(reverse, form):
    run = _sequential if form == "sequential" else _associative
    return adjoint.with_gradient(
        functools.partial(run, reverse=reverse),
        functools.partial(_forward, reverse, form),
        functools.partial(_backward, reverse, form),
        2,
    )


_recurrences = {
    (reverse, form): _either_way(reverse, form)
    for reverse in (False, True)
    for form in ("sequential", "associative")
}
