"""Samples of test sequences."""

import jax
import numpy as np

from naomi_jax.data import billiards
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import standardize
from naomi_jax.data.transforms.chain import Chain
from naomi_jax.evaluation import samples, scores
from naomi_jax.methods.fitted import Fitted
from naomi_jax.methods.naomi import NAOMI, NaomiSettings


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
    assert scores.spread(drawn.samples[0], drawn.mask[0]) > 0
