"""The hand-written gradient against plain autodiff of the same program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naomi_jax
from naomi_jax.recursion import encoders
from naomi_jax.recursion.cells import gru
from naomi_jax.recursion.decoding import decode
from naomi_jax.recursion.decoding import gradient as decode_gradient

STEPS, BATCH, DIM = 40, 6, 2


def problem(levels, every_addition, mask, entries):
    """Arguments of decode.decode, and a cotangent, all random."""
    layers = 2 if every_addition else 1
    config = naomi_jax.ModelConfig(DIM, 5, layers, levels, 4, *[every_addition] * 3)
    rng = np.random.default_rng(levels)
    params = naomi_jax.init(jax.random.key(0), config, "float64")
    params = jax.tree.map(lambda p: jnp.asarray(rng.standard_normal(p.shape) * 0.5), params)
    x, noise, cotangent = rng.standard_normal((3, STEPS, BATCH, DIM))
    known = np.swapaxes(entries, 0, 1) if entries is not None else np.atleast_2d(mask).T[..., None]
    known = jnp.asarray(known)
    context = encoders.gap_context(x, known, STEPS) if config.context else None
    backward = encoders.encode_backward(params, jnp.asarray(x), known, None, context)
    make = lambda m: naomi_jax.make_schedule(m, levels)  # noqa: E731
    schedule = (jax.vmap(make) if mask.ndim == 2 else make)(mask)
    arrays = params, jnp.asarray(x), backward, context
    return arrays, known, schedule, jnp.asarray(noise) if every_addition else None, cotangent


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("every_addition", [False, True])
@pytest.mark.parametrize("kind", ["shared", "one per sequence", "one per entry"])
def test_the_gradient_is_that_of_autodiff(monkeypatch, kind, every_addition):
    # Blocks smaller than what is summed, and not a divisor of it: several blocks, the last not
    # full.
    monkeypatch.setattr(decode_gradient, "_ROWS", 16)
    monkeypatch.setattr(gru, "_ROWS", 7 * BATCH)
    rng = np.random.default_rng(1)
    entries = rng.random((BATCH, STEPS, DIM)) < 0.4
    mask = rng.random((BATCH, STEPS)) < 0.15
    mask = {"shared": mask[0], "one per sequence": mask, "one per entry": entries.all(-1)}[kind]
    entries = entries if kind == "one per entry" else None
    arrays, known, schedule, noise, cotangent = problem(4, every_addition, mask, entries)
    decoded = np.broadcast_to(~mask, (BATCH, STEPS)).sum()
    assert decoded > 8 * decode_gradient._ROWS and STEPS * BATCH > 5 * gru._ROWS

    def scalar(arrays):
        params, x, backward, context = arrays
        filled = decode.decode(params, x, known, backward, schedule, noise, context)
        return (filled * cotangent).sum()

    value, by_hand = jax.jit(jax.value_and_grad(scalar))(arrays)
    monkeypatch.setattr(decode, "fill", lambda *args: decode.run(*args)[0])
    same, plain = jax.jit(jax.value_and_grad(lambda arrays: scalar(arrays)))(arrays)
    assert value == pytest.approx(float(same), rel=1e-12)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9), by_hand, plain
    )
    for leaf in jax.tree.leaves(by_hand[0]):
        assert np.abs(leaf).max() > 1e-6, "each parameter has a gradient to compare"


def test_blocks_as_large_as_they_ship():
    """More decoded rows than a block of decode_gradient and more rows than a block of gru have."""
    batch, steps = 300, 8
    assert batch * (steps - 1) > 4 * decode_gradient._ROWS and batch * steps > 2 * gru._ROWS
    params = naomi_jax.init(jax.random.key(0), naomi_jax.ModelConfig(1, 3, 1, 2, 2))
    x = jax.random.normal(jax.random.key(1), (batch, steps, 1))
    mask = np.arange(steps) == 0

    def gradient(x):
        return jax.grad(lambda p: naomi_jax.impute(p, x, mask).sum())(params)

    at_once = jax.jit(gradient)(x)
    parts = jax.lax.map(gradient, x.reshape(30, 10, steps, 1))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b.sum(0), rtol=1e-3, atol=1e-2), at_once, parts
    )
