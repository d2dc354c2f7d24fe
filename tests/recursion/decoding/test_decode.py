"""The compiled decode against the literal recursion of tests/oracle.py."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naomi_jax
from tests.recursion import oracle


def random_mask(rng, steps):
    """Every kind that matters: random, blocks, tail, x_0 missing, all or nothing observed."""
    kind = rng.integers(7)
    mask = (rng.random(steps) < rng.random()).astype(int)
    if kind == 0:
        mask[:] = 0
    elif kind == 1:
        mask[:] = 1
    elif kind == 2:
        mask[rng.integers(steps) :] = 0
    elif kind == 3:
        mask[:] = 1
        mask[slice(*sorted(rng.integers(0, steps + 1, 2)))] = 0
    elif kind == 4:
        mask[:] = 0
        mask[rng.integers(steps)] = 1
    return mask


# Few shapes with many cases each, so that they compile few programs; as many again are slow.
CASES = [
    pytest.param(
        levels,
        steps,
        1 + stochastic,
        stochastic,
        levels > 2,
        levels % 3 == 0,
        marks=[pytest.mark.slow] * slow,
    )
    for levels, steps in [(1, 1), (2, 5), (3, 17), (4, 30), (5, 33), (6, 64)]
    for stochastic in (False, True)
    for slow in [levels % 2 == stochastic or levels == 6]
]


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("levels,steps,layers,stochastic,residual,context", CASES)
def test_values_and_gradients_equal_the_recursion(
    levels, steps, layers, stochastic, residual, context
):
    config = naomi_jax.ModelConfig(2, 4, layers, levels, 3, stochastic, residual, context)
    rng = np.random.default_rng(levels)
    cotangent = rng.standard_normal((2, steps, 2))
    h = 1e-30
    key = jax.random.key(5)
    noise = np.asarray(jax.random.normal(key, (1, steps, 2, 2), jnp.float64))[0].swapaxes(0, 1)
    noise = noise if stochastic else [None, None]

    @jax.jit
    def value_and_gradient(params, x, mask):
        def scalar(params, x):
            filled = naomi_jax.impute(params, x, mask, key)
            return (filled * cotangent).sum(), filled

        return jax.value_and_grad(scalar, argnums=(0, 1), has_aux=True)(params, x)

    for _ in range(20 if steps < 50 else 6):  # the oracle takes T^2 steps
        params = naomi_jax.init(jax.random.key(0), config, jnp.float64)
        params = jax.tree.map(lambda p: rng.standard_normal(p.shape) * 0.6, params)
        direction = jax.tree.map(lambda p: rng.standard_normal(p.shape), params)
        x, dx = rng.standard_normal((2, 2, steps, 2))
        masks = np.stack([random_mask(rng, steps) for _ in range(2)])
        for mask in (masks, masks[0]):
            (_, filled), (d_params, d_x) = value_and_gradient(params, x, mask)
            mask = np.broadcast_to(mask, (2, steps))
            moved = jax.tree.map(lambda p, d: p + 1j * h * d, params, direction)
            expected = np.stack(
                [
                    oracle.impute(moved, a + 1j * h * b, m, n)[0]
                    for a, b, m, n in zip(x, dx, mask, noise)
                ]
            )
            np.testing.assert_allclose(filled, expected.real, atol=1e-10, rtol=0)
            slope = sum(
                jax.tree.leaves(jax.tree.map(lambda g, d: (g * d).sum(), d_params, direction))
            )
            slope += (d_x * dx).sum()
            reference = (expected.imag / h * cotangent).sum()
            assert abs(slope - reference) <= 1e-10 * max(1, abs(reference))
