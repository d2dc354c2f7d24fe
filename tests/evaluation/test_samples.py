"""Samples and what is measured on them."""

import jax
import numpy as np
import pytest

from naomi_jax.data import billiards
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import standardize
from naomi_jax.data.transforms.chain import Chain
from naomi_jax.evaluation import samples
from naomi_jax.methods.fitted import Fitted
from naomi_jax.methods.naomi import NAOMI, NaomiSettings


@pytest.fixture(scope="module")
def normal():
    """1000 samples and a truth of the same normal distribution, with nothing shown but step 0."""
    rng = np.random.default_rng(0)
    mask = np.zeros((40, 20))
    mask[:, 0] = 1
    return rng.standard_normal((400, 40, 20, 2)), rng.standard_normal((40, 20, 2)), mask


def test_crps_is_the_double_sum(normal):
    values, truth, mask = (a[:7] if a.ndim == 4 else a for a in normal)
    missing = mask == 0
    v, t = values[:, missing], truth[missing]
    pairs = [np.abs(v[i] - v[j]) for i in range(7) for j in range(7) if i != j]
    expected = np.abs(v - t).mean() - np.mean(pairs) / 2
    assert samples.crps(values, truth, mask) == pytest.approx(expected, rel=1e-9)


def test_a_calibrated_forecast(normal):
    values, truth, mask = normal
    for share, level in zip(samples.coverage(values, truth, mask), samples.LEVELS):
        assert share == pytest.approx(level, abs=0.03)
    # Of a standard normal forecast of itself: 1 / sqrt(pi).
    assert samples.crps(values, truth, mask) == pytest.approx(np.pi**-0.5, abs=0.02)
    assert samples.spread(values, mask) == pytest.approx(1, abs=0.01)


def test_a_narrow_forecast_is_found_out(normal):
    values, truth, mask = normal
    narrow = values / 3
    assert samples.coverage(narrow, truth, mask)[1] < 0.5
    assert samples.crps(narrow, truth, mask) > samples.crps(values, truth, mask)


def test_more_shown_steps_contain_the_fewer():
    params = NAOMI.init(jax.random.key(0), NaomiSettings(3, 1, 2, 3, stochastic=True), 2)
    model = Fitted(NAOMI, params, Chain(standardize.empty(1, 2)))
    x = billiards.simulate(5, 12, 0)
    drawn = samples.draw(model, Dataset("billiards", "toy", True, x, x, x), np.array([2, 6]))
    assert drawn.samples.shape == (2, 50, 5, 12, 2)
    np.testing.assert_array_equal(drawn.mask.sum(-1), [[2] * 5, [6] * 5])
    assert (drawn.mask[0] <= drawn.mask[1]).all()
    shown = np.broadcast_to(drawn.mask[:, None, ..., None] == 1, drawn.samples.shape)
    np.testing.assert_array_equal(
        drawn.samples[shown], np.broadcast_to(x, drawn.samples.shape)[shown]
    )
    assert samples.spread(drawn.samples[0], drawn.mask[0]) > 0
