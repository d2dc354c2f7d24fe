"""Channel independence: each value of a step as a sequence of its own."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax import ModelConfig
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import report
from naomi_jax.methods.registry import MODELS, channel_independent
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import config as run_config
from naomi_jax.training import loop
from tests.training.test_training import SETTINGS

KIND = MODELS["naomi"]
OURS = channel_independent(KIND)


@pytest.fixture(scope="module")
def params():
    return OURS.init(jax.random.key(0), ModelConfig(3, 4, 1, 2, 3))


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).standard_normal((2, 11, 3)).astype(np.float32)


@pytest.mark.parametrize("shape", [(11,), (2, 11), (2, 11, 3)])
def test_channels_are_filled_like_sequences(params, x, shape):
    assert params["gru"][0]["wx"].shape == (1, 12)
    mask = (np.random.default_rng(1).random(shape) < 0.4).astype(np.float32)
    filled = OURS.impute(params, x, mask)
    for d in range(3):
        own = mask[..., d] if mask.ndim == 3 else mask
        alone = KIND.impute(params, x[..., d : d + 1], own)
        np.testing.assert_allclose(filled[..., d], alone[..., 0], atol=1e-6)
    if mask.ndim < 3:
        each = [KIND.teacher_forced(params, x[..., d : d + 1], mask) for d in range(3)]
        assert OURS.teacher_forced(params, x, mask) == pytest.approx(np.mean(each), rel=1e-5)


def test_samples_of_channels(x):
    params = OURS.init(jax.random.key(0), ModelConfig(3, 4, 1, 2, 3, stochastic=True))
    mask = (np.arange(11) % 4 == 0).astype(np.float32)
    drawn = OURS.impute(params, x, jnp.asarray(mask), jax.random.key(1), num_samples=5)
    assert drawn.shape == (5, *x.shape)
    assert (np.asarray(drawn)[:, :, mask != 0] == x[:, mask != 0]).all()
    assert (np.asarray(drawn)[:, :, mask == 0].std(0) > 0).all()


def test_a_run_of_a_channel_independent_model(tmp_path):
    walk = np.random.default_rng(0).standard_normal((16, 7, 2)).cumsum(1).astype(np.float32)
    data = Dataset("files", "a walk", False, walk[:9], walk[9:12], walk[12:])
    settings = {**SETTINGS, "channel_independent": True}
    config = run_config.resolve(settings, data.train.shape)
    run_folder.claim(tmp_path, {**settings, "data": "", "dataset": "files"}, data)
    loop.train(config, data, tmp_path, io.StringIO())
    model = report.open_run(str(tmp_path))
    assert model.params["heads"]["mean"]["bias"].shape == (2, 1)
    entries = np.random.default_rng(1).random(data.test.shape) < 0.5
    filled = model.fill(np.where(entries, data.test, np.nan), entries, None)
    assert np.isfinite(filled).all() and (filled[entries] == data.test[entries]).all()
    other = run_config.resolve(SETTINGS, data.train.shape)
    with pytest.raises(InputError, match="its model, channel independence, standardisation"):
        run_folder.start(str(tmp_path), other)
