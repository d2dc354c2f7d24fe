"""The discriminator and both players' losses against numpy, one step at a time."""

import jax
import numpy as np
import pytest

from naomi_jax.methods.networks import discriminator
from naomi_jax.methods.shared import losses
from tests.recursion import oracle


def probability(logit):
    return 1 / (1 + np.exp(-logit))


def judge(params, features):
    hidden = oracle.relu(features @ params["dec"]["kernel"] + params["dec"]["bias"])
    return (hidden @ params["out"]["kernel"] + params["out"]["bias"])[0]


def step_logits(params, x):
    return np.array(
        [
            judge(params, np.concatenate([oracle.last_state(params["gru"], x[: t + 1]), x[t + 1]]))
            for t in range(len(x) - 1)
        ]
    )


def sequence_logits(params, x):
    return np.array([judge(params, oracle.last_state(params["gru"], x))])


JUDGES = {
    True: (discriminator.step_logits, step_logits),
    False: (discriminator.sequence_logits, sequence_logits),
}


@pytest.fixture(params=[True, False], ids=["step", "sequence"])
def case(request, x64):
    params = discriminator.init(jax.random.key(0), 2, 3, request.param, "float64")
    rng = np.random.default_rng(0)
    return params, rng.normal(size=(4, 6, 2)), rng.normal(size=(4, 6, 2)), request.param


def test_logits(case):
    params, x, _, per_step = case
    ours, literal = JUDGES[per_step]
    host = jax.tree.map(np.asarray, params)
    np.testing.assert_allclose(ours(params, x), [literal(host, s) for s in x], atol=1e-12)


def test_losses_and_gradients(case):
    """Cross-entropies written with probabilities; derivatives by complex steps."""
    params, real, imputed, per_step = case
    ours, literal = JUDGES[per_step]
    weights = np.array([[0, 1, 1, 0, 1.0]]) if per_step else np.ones((1, 1))

    def average(values):
        values = np.stack(values)
        return (values * weights).sum() / (np.ones(values.shape) * weights).sum().real

    def loss_d(params, real, imputed):
        a, b = ([literal(params, s) for s in x] for x in (real, imputed))
        return average([-np.log(probability(l)) - np.log(1 - probability(m)) for l, m in zip(a, b)])

    def loss_g(params, imputed):
        return average([-np.log(probability(literal(params, s))) for s in imputed])

    def discriminate(params):
        return losses.discriminator(ours(params, real), ours(params, imputed), weights)

    def generate(imputed):
        return losses.generator(ours(params, imputed), weights)

    host = jax.tree.map(np.asarray, params)
    value, gradient = jax.value_and_grad(discriminate)(params)
    assert value == pytest.approx(loss_d(host, real, imputed), rel=1e-12)
    rng = np.random.default_rng(1)
    direction = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), host)
    moved = jax.tree.map(lambda leaf, d: leaf + 1e-30j * d, host, direction)
    expected = loss_d(moved, real, imputed).imag / 1e-30
    products = jax.tree.map(lambda g, d: (np.asarray(g) * d).sum(), gradient, direction)
    assert sum(jax.tree.leaves(products)) == pytest.approx(expected, rel=1e-10)

    value, gradient = jax.value_and_grad(generate)(imputed)
    assert value == pytest.approx(loss_g(host, imputed), rel=1e-12)
    direction = rng.normal(size=imputed.shape)
    expected = loss_g(host, imputed + 1e-30j * direction).imag / 1e-30
    assert (np.asarray(gradient) * direction).sum() == pytest.approx(expected, rel=1e-10)


def test_features():
    x = np.array([[[1.0, 2.0], [4.0, 2.0], [4.0, 1.0]]], np.float32)
    assert discriminator.features(x, 0.0) is x
    expected = [[[1, 2, 0, 0], [4, 2, 30, 0], [4, 1, 0, -10]]]
    np.testing.assert_array_equal(discriminator.features(x, 10.0), expected)


def test_weights_without_any_step_give_zero():
    logits = np.ones((2, 3), np.float32)
    assert losses.generator(logits, np.zeros((1, 3))) == 0
