"""The teacher-forced loss against the literal one, and likelihoods at their limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naomi_jax
from naomi_jax.methods.shared import losses
from tests.recursion import oracle


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("every_addition", [False, True])
def test_teacher_forced_equals_the_literal_sum(every_addition):
    config = naomi_jax.ModelConfig(2, 3, 2, 3, 4, *[every_addition] * 3)
    rng = np.random.default_rng(0)
    params = naomi_jax.init(jax.random.key(0), config, "float64")
    params = jax.tree.map(lambda p: rng.standard_normal(p.shape) * 0.6, params)
    direction = jax.tree.map(lambda p: rng.standard_normal(p.shape), params)
    x = rng.standard_normal((2, 11, 2))
    masks = (rng.random((2, 11)) < 0.4).astype(float)
    function = jax.jit(jax.value_and_grad(losses.teacher_forced))
    for mask in (masks, masks[0]):
        value, gradient = function(params, x, mask)
        moved = jax.tree.map(lambda p, d: p + 1e-30j * d, params, direction)
        rows = np.broadcast_to(mask, (2, 11))
        expected = np.mean([oracle.teacher_forced(moved, a, m) for a, m in zip(x, rows)])
        assert value == pytest.approx(expected.real, rel=1e-10)
        slope = jax.tree.map(lambda g, d: (g * d).sum(), gradient, direction)
        slope = sum(jax.tree.leaves(slope))
        assert slope == pytest.approx(expected.imag / 1e-30, rel=1e-9)


def test_likelihood_stays_finite_at_any_std():
    std = jax.nn.softplus(jnp.array([-1e4, -200.0, -20.0, 0.0, 50.0]))

    def loss(std):
        return losses.gaussian_nll(jnp.array(1.0), jnp.array(1.0), std).sum()

    value, gradient = jax.value_and_grad(loss)(std)
    assert np.isfinite(value) and np.isfinite(gradient).all()


def test_missing_error_counts_missing_entries_only():
    x = jnp.zeros((2, 3, 2))
    filled = x.at[0, 1].set(2.0).at[1, 2].set(100.0)
    mask = jnp.array([[1, 0, 0], [1, 0, 1]])
    assert losses.missing_error(x, filled, mask) == pytest.approx(2 * 4 / 6)
    assert losses.missing_error(x, filled, jnp.ones(3)) == 0


def test_root_error_counts_each_sequence_by_its_distance():
    x = jnp.zeros((3, 3, 2))
    filled = x.at[0, 1].set(2.0).at[1, 1:].set(3.0).at[1, 0].set(100.0)
    mask = jnp.array([[1, 0, 0], [1, 0, 0], [1, 1, 1]])
    expected = (2 / np.sqrt(2) + 3) / 3  # the third has nothing missing
    assert losses.missing_root_error(x, filled, mask) == pytest.approx(expected, rel=0.01)
    gradient = jax.grad(lambda f: losses.missing_root_error(x, f, mask))(x)
    assert not np.asarray(gradient).any(), "finite, and zero, where there is no error"
