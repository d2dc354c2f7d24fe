"""Noise of neighboring targets, against loops, brute force and scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from naomi_jax.parallel import levels, model, noise, training
from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.impute import impute
from naomi_jax.parallel.inputs.geometry import geometry, positions
from naomi_jax.parallel.network import mixture


def chance(seed, shape, share):
    return np.random.default_rng(seed).random(shape) < share


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_entries_meet_where_one_known_entry_lies_between(columns, number):
    steps = 40
    known = jnp.asarray(chance(number, (5, steps, columns), 0.3))
    index = levels.passes(known, 4)
    shown, filled = np.asarray(known | (index > number)), np.asarray(index == number)
    at = positions(jnp.asarray(filled.any(-1)), steps)
    targets = jnp.minimum(at, steps - 1)
    place = geometry(jnp.asarray(shown), targets, at < steps, jnp.arange(steps)[None] * 1.0, steps)
    entries = jnp.take_along_axis(filled, targets[..., None], 1) & place.present[..., None]
    found = np.asarray(noise.meets(place, entries))
    some = 0
    for b, q, e in np.ndindex(found.shape):
        step = int(at[b, q])
        wanted = False
        if step < steps and filled[b, step, e]:
            earlier = np.flatnonzero(filled[b, :step, e])
            wanted = bool(len(earlier)) and shown[b, earlier[-1] : step, e].sum() == 1
        assert found[b, q, e] == wanted
        some += wanted
    assert some > 3


def autoregression(normal, correlation, meeting, wanted):
    z = np.zeros_like(normal)
    last = np.zeros((len(normal), normal.shape[2]))
    for q in range(normal.shape[1]):
        c = np.where(meeting[:, q], correlation, 0)
        z[:, q] = np.where(wanted[:, q], c * last + np.sqrt(1 - c**2) * normal[:, q], 0)
        last = np.where(wanted[:, q], z[:, q], last)
    return z


@pytest.mark.parametrize("columns", [1, 3])
def test_noise_along_the_gaps_is_an_autoregression(columns):
    normal = np.random.default_rng(0).normal(size=(4, 11, 3)).astype(np.float32)
    wanted = chance(1, (4, 11, columns), 0.7)
    meeting = wanted & chance(2, wanted.shape, 0.7)
    found = noise.along(jnp.asarray(normal), jnp.asarray(-0.6), meeting, wanted)
    found = np.where(wanted, found, 0)
    np.testing.assert_allclose(found, autoregression(normal, -0.6, meeting, wanted), atol=1e-6)


def test_its_marginals_are_standard_normal_and_neighbors_correlate():
    normal = jax.random.normal(jax.random.key(0), (40_000, 4, 1))
    meeting = jnp.asarray([False, True, True, False])[None, :, None]
    z = noise.along(normal, jnp.asarray(-0.5), meeting, jnp.ones((1, 4, 1), bool))
    found = np.corrcoef(np.asarray(z)[..., 0].T)
    wanted = np.eye(4)
    wanted[:3, :3] = [[1, -0.5, 0.25], [-0.5, 1, -0.5], [0.25, -0.5, 1]]
    np.testing.assert_allclose(found, wanted, atol=0.02)
    np.testing.assert_allclose(np.asarray(z).std(0), 1, atol=0.02)


def test_the_density_is_that_of_the_joint_normal_distribution():
    z = np.random.default_rng(0).normal(size=(2, 5, 1))
    entries = jnp.ones((1, 5, 1), bool)
    meeting = entries.at[0, [0, 3]].set(False)  # 0 1 2 and 3 4
    found = noise.log_density(jnp.asarray(z), jnp.asarray(0.7), meeting, entries).sum((1, 2))
    for row, value in zip(z[..., 0], found):
        wanted = 0.0
        for part in (row[:3], row[3:]):
            cov = 0.7 ** np.abs(np.subtract.outer(np.arange(len(part)), np.arange(len(part))))
            wanted += stats.multivariate_normal.logpdf(part, cov=cov)
        np.testing.assert_allclose(value, wanted - stats.norm.logpdf(row).sum(), rtol=1e-4)


def test_the_noise_of_the_truth_is_what_would_draw_it():
    rng = np.random.default_rng(0)
    shape = (2, 3, 4, 2)
    drawn = mixture.Mixture(
        jnp.asarray(np.stack([np.zeros(shape[:3]), np.full(shape[:3], 50.0)], axis=-1)),
        jnp.asarray(rng.uniform(0.5, 1, shape)),
        jnp.log(jnp.full((2, 3, 2, 2), 0.5)),
        jnp.zeros((1, 1, 1)),
    )
    normal = rng.normal(size=shape[:3])
    truth = mixture.sample(drawn, jnp.asarray(normal), jnp.asarray(rng.random((2, 3, 2))))
    found = mixture.noise_of(drawn, truth, jnp.ones(shape[:3], bool))
    np.testing.assert_allclose(found, normal, atol=1e-4)


CONFIG = ParallelConfig(dim=2, width=16, depth=1, states=4, passes=3, stochastic=True)


@jax.jit
@jax.grad
def slope_of_likelihood(params, x, mask):
    keys = jax.random.split(jax.random.key(5), 8)
    loss = jax.vmap(
        lambda key: training.teacher_forced(params, x, mask, key, targets=9, error="likelihood")
    )
    return loss(keys).mean()


def test_training_learns_how_neighbors_go_together_and_nothing_else_from_it():
    params = model.init(jax.random.key(0), CONFIG)
    # The line between even steps errs up and down in turns: neighbors in the finest pass are alike
    # or opposite.
    step = np.arange(17)
    mask = jnp.asarray(step % 2 == 0)
    for sign in (1, -1):
        wave = 0.1 * np.where(step % 2, np.where(step % 4 == 1, 1, sign), 0)
        x = jnp.asarray(np.tile(wave[None, :, None], (4, 1, 2)), jnp.float32)
        x = x * jnp.asarray([1.0, -1.0, 2.0, -2.0])[:, None, None]
        slope = slope_of_likelihood(params, x, mask)
        assert np.sign(slope["correlation"][0]) == -sign
        assert (slope["correlation"][1:] == 0).all()
    other = {**params, "correlation": params["correlation"] + 0.03}
    first, second = (slope_of_likelihood(p, x, mask) for p in (params, other))
    for name in params:
        if name != "correlation":
            jax.tree.map(np.testing.assert_array_equal, first[name], second[name])


def test_samples_of_neighbors_correlate_as_the_parameter_says():
    params = model.init(jax.random.key(0), CONFIG)
    params["correlation"] = jnp.asarray([0.05, 0, 0])  # tanh(10 * 0.05) * 0.95 = 0.44
    x = np.zeros((9, 2), np.float32)
    mask = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0])
    samples = np.asarray(impute(params, x, mask, jax.random.key(1), num_samples=20_000))
    found = np.corrcoef(samples[:, [1, 3, 6, 8], 0].T)
    wanted = np.eye(4)
    wanted[0, 1] = wanted[1, 0] = wanted[2, 3] = wanted[3, 2] = 0.95 * np.tanh(0.5)
    np.testing.assert_allclose(found, wanted, atol=0.03)
    between = np.corrcoef(samples[:, 1].T)
    np.testing.assert_allclose(between, np.eye(2), atol=0.03)
