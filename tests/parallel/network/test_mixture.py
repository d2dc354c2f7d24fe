"""Mixtures, against scipy and by drawing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from naomi_jax.parallel.network import mixture


@pytest.fixture(scope="module")
def drawn():
    """Two targets of two lanes of two columns, three components each."""
    rng = np.random.default_rng(0)
    shape = (1, 2, 4, 3)
    weight = jax.nn.log_softmax(jnp.asarray(rng.standard_normal((1, 2, 2, 3))))
    return mixture.Mixture(
        jnp.asarray(3 * rng.standard_normal(shape)),
        jnp.asarray(rng.uniform(0.1, 1, shape)),
        weight,
        jnp.zeros((1, 1, 1)),
    )


def test_the_likelihood_of_a_lane_is_that_of_its_wanted_columns_together(drawn):
    truth = np.random.default_rng(1).standard_normal((1, 2, 4))
    wanted = np.ones((1, 2, 4), bool)
    wanted[0, 0, 1] = wanted[0, 1, 2:] = False
    found = mixture.log_likelihood(drawn, jnp.asarray(truth), jnp.asarray(wanted))
    for target in range(2):
        for lane in range(2):
            columns = [c for c in (2 * lane, 2 * lane + 1) if wanted[0, target, c]]
            total = 0.0
            for k in range(3):
                each = [
                    stats.norm.pdf(
                        truth[0, target, c], drawn.mean[0, target, c, k], drawn.std[0, target, c, k]
                    )
                    for c in columns
                ]
                total += np.exp(drawn.log_weight[0, target, lane, k]) * np.prod(each)
            np.testing.assert_allclose(found[0, target, lane], np.log(total), atol=1e-4)


def test_samples_have_the_mixture_s_moments(drawn):
    count = 40_000
    normal_key, choice_key = jax.random.split(jax.random.key(0))
    normal = jax.random.normal(normal_key, (count, 2, 4))
    choice = jax.random.uniform(choice_key, (count, 2, 2))
    values = np.asarray(mixture.sample(drawn, normal, choice))
    np.testing.assert_allclose(values.mean(0), mixture.mean(drawn)[0], atol=0.06)
    weight = np.repeat(np.exp(drawn.log_weight), 2, axis=2)
    square = (weight * (drawn.mean**2 + drawn.std**2)).sum(-1)[0]
    np.testing.assert_allclose((values**2).mean(0), square, rtol=0.05)
    # Both columns of a lane come from the same component.
    together = (weight[:, :, ::2] * drawn.mean[:, :, ::2] * drawn.mean[:, :, 1::2]).sum(-1)[0]
    np.testing.assert_allclose((values[..., ::2] * values[..., 1::2]).mean(0), together, atol=0.2)


def test_one_component_is_a_gaussian():
    mean, std = jnp.full((1, 1, 2, 1), 2.0), jnp.full((1, 1, 2, 1), 0.5)
    one = mixture.Mixture(mean, std, jnp.zeros((1, 1, 1, 1)), jnp.zeros((1, 1, 1)))
    np.testing.assert_allclose(mixture.sample(one, jnp.ones((1, 1, 2)), None), 2.5)
    np.testing.assert_allclose(mixture.mean(one), 2)
    found = mixture.log_likelihood(one, jnp.ones((1, 1, 2)), jnp.ones((1, 1, 2), bool))
    np.testing.assert_allclose(found, 2 * stats.norm.logpdf(1, 2, 0.5), rtol=1e-5)
