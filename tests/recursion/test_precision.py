"""Matrices in bfloat16: close to float32, which stays the precision of everything else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naomi_jax
from naomi_jax.errors import InputError
from naomi_jax.methods.naomi import NAOMI
from naomi_jax.methods.shared import losses
from naomi_jax.methods.shared.precision import in_bfloat16
from naomi_jax.recursion.cells import gru
from tests.settings import small_run


@pytest.fixture(scope="module")
def params():
    config = naomi_jax.ModelConfig(2, 16, 2, 3, 12, stochastic=True, residual=True, context=True)
    return naomi_jax.init(jax.random.key(0), config)


@pytest.fixture(scope="module")
def data():
    mask = np.zeros((4, 20), np.float32)
    mask[:, ::9] = 1
    mask[1, 3] = 1
    return jax.random.normal(jax.random.key(1), (4, 20, 2)), mask


def test_products_round_their_factors_and_nothing_else():
    a, w = jax.random.normal(jax.random.key(0), (2, 64, 64))
    low = w.astype(jnp.bfloat16)
    expected = np.asarray(a.astype(jnp.bfloat16), np.float64) @ np.asarray(low, np.float64)
    assert gru.product(a, low).dtype == jnp.float32
    np.testing.assert_allclose(gru.product(a, low), expected, atol=1e-5)
    np.testing.assert_allclose(gru.product(a, w), a @ w, rtol=0, atol=0)


def test_only_matrices_are_cast(params):
    cast = jax.tree_util.tree_leaves_with_path(naomi_jax.to_bfloat16(params))
    for path, leaf in cast:
        is_matrix = path[-1].key in ("wx", "wh", "kernel")
        assert (leaf.dtype == jnp.bfloat16) == is_matrix, path


@pytest.mark.parametrize("per_sequence", [False, True])
def test_values_and_gradients_are_close(per_sequence, params, data):
    x, mask = data
    mask = mask if per_sequence else mask[0]
    key = jax.random.key(2)

    @jax.jit
    def value_and_gradient(params):
        return [
            jax.value_and_grad(loss)(params)
            for method in (NAOMI, in_bfloat16(NAOMI))
            for loss in (
                lambda p: method.losses["teacher_forced"](p, x, mask, key, None),
                lambda p: losses.missing_error(x, method.impute(p, x, mask, key), mask),
            )
        ]

    results = value_and_gradient(params)
    for (exact, d_exact), (rounded, d_rounded) in zip(results[:2], results[2:]):
        assert rounded.dtype == jnp.float32 and 0 < abs(rounded - exact) < 5e-3 * abs(exact)
        leaves = zip(jax.tree.leaves(d_exact), jax.tree.leaves(d_rounded))
        total = error = 0.0
        for a, b in leaves:
            assert b.dtype == jnp.float32
            total, error = total + jnp.vdot(a, a), error + jnp.vdot(a - b, a - b)
        assert 0 < error < 0.03**2 * total
    assert in_bfloat16(NAOMI) is in_bfloat16(NAOMI), "or every run in a process compiles again"


def test_the_setting_is_one_of_two():
    assert small_run(precision="bfloat16").kind is in_bfloat16(NAOMI)
    assert small_run().kind is NAOMI
    with pytest.raises(InputError, match="precision: 'half'; one of float32, bfloat16 is needed"):
        small_run(precision="half")
