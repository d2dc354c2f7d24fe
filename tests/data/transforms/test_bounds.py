"""Bounds: nothing leaves, and inside all stays as it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.data import basketball
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import chain
from naomi_jax.data.transforms.bounds import Bounds
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.errors import InputError

BOUNDS = Bounds(np.array([-1.0, 20.0], np.float32), np.array([3.0, 1000.0], np.float32))


def test_there_and_back():
    inside = np.linspace(0.001, 0.999, 500)[:, None] * (BOUNDS.high - BOUNDS.low) + BOUNDS.low
    x = inside.astype(np.float32)[None]
    u, _, restore = BOUNDS.apply(x, np.ones(500))
    np.testing.assert_allclose(restore(u), x, rtol=0, atol=1e-6 * (BOUNDS.high - BOUNDS.low).max())
    assert (np.diff(u[0], axis=0) > 0).all()
    middle = slice(50, 450)  # a tenth of the interval from both bounds: a fifth of a thousandth
    np.testing.assert_allclose(u[0, middle], x[0, middle], atol=5e-5 * 980)


def test_nothing_leaves():
    u = np.concatenate([np.linspace(-1e6, 1e6, 4001), [-1.0, 3.0, 20, 1000]])
    x = np.asarray(BOUNDS.restore(u.astype(np.float32)[:, None]))
    assert np.isfinite(x).all() and (x >= BOUNDS.low).all() and (x <= BOUNDS.high).all()


def test_values_outside_are_taken_for_the_nearest_inside():
    u = np.asarray(BOUNDS(np.array([[-7.0, 20.0], [-1.0, 2000.0]], np.float32)))
    assert np.isfinite(u).all()
    assert u[0, 0] == u[1, 0]
    np.testing.assert_allclose(BOUNDS.restore(u), [[-1, 20], [-1, 1000]], atol=0.02)


def test_it_is_differentiable_everywhere():
    u = jnp.array([[-50.0, 0.0], [-1.0, 20.0], [1.0, 500.0], [50.0, 5000.0]])
    slope = jax.vmap(jax.grad(lambda v: BOUNDS.restore(v).sum()))(u)
    assert np.isfinite(slope).all() and (slope >= 0).all()
    np.testing.assert_allclose(slope[2], 1, atol=1e-3)


def test_the_chain_keeps_players_on_the_court():
    plays = basketball.load().train[:40]
    dataset = Dataset("basketball", "toy", True, plays, plays, plays)
    fitted, data = chain.fit(Transforms(bounds=True), dataset)
    assert data.std((0, 1)) == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(fitted.standardized(plays), data)
    relative, _, restore = fitted.apply(plays, np.ones(plays.shape[:2]))
    np.testing.assert_allclose(restore(relative), plays, atol=2e-3)
    far = np.asarray(restore(relative + 100 * np.sign(relative)))
    low, high = basketball.BASKETBALL.bounds
    assert (far >= low).all() and (far <= high).all()
    assert np.abs(far[..., 1::2]).max() <= 0.51  # what "out of bounds" counts


def test_data_without_bounds_say_so():
    x = np.zeros((2, 5, 2), np.float32)
    with pytest.raises(InputError, match=r"bounds: the data set billiards has none"):
        chain.fit(Transforms(bounds=True), Dataset("billiards", "toy", True, x, x, x))
