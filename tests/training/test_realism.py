"""What the adversarial phase is for, on a toy whose truth is known."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.data.dataset import Dataset
from naomi_jax.methods import fill as bulk
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import config as run_config
from naomi_jax.training import loop
from tests.training.test_adversarial import PHASE, SETTINGS


def two_modes(count, seed):
    """(count, 3, 1): the ends are 0, the middle is -1 or 1 with equal chance, with a little noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.05, (count, 3, 1))
    x[:, 1, 0] += rng.choice([-1.0, 1.0], count)
    return x.astype(np.float32)


def distance_to_a_mode(params, scaler):
    """Mean | |x| - 1 | of the decoded middle step; 0.04 for the data."""
    test = two_modes(2000, 9)
    mask = jnp.tile(jnp.array([1.0, 0.0, 1.0]), (len(test), 1))
    filled = bulk.impute_all(params, scaler, test, mask, jax.random.key(1))
    return np.abs(np.abs(filled[:, 1, 0]) - 1).mean()


@pytest.mark.slow
def test_the_adversary_makes_samples_more_real_than_likelihood_does(tmp_path):
    """By likelihood a Gaussian covers both modes and the empty middle; the adversary wants a mode.

    One step's Gaussian cannot have two modes, so diversity is not what is measured.
    """
    data = Dataset(
        "files", "two modes", False, *(two_modes(n, s) for s, n in enumerate((2048, 64, 64)))
    )
    rows = np.array([[1, 0, 1]])
    np.save(tmp_path / "mask.npy", rows)
    settings = {
        **SETTINGS,
        "model": {**SETTINGS["model"], "hidden": 16, "levels": 1, "head_hidden": 32},
        "masks": {**SETTINGS["masks"], "kind": "file", "file": str(tmp_path / "mask.npy")},
        "batch_size": 128,
        "eval_epochs": 50,
        "teacher_forced": {**PHASE, "epochs": 60},
        "adversarial": {**PHASE, "epochs": 0},
    }
    distances = []
    for name, epochs in (("likelihood", 0), ("adversarial", 150)):
        settings["adversarial"] = {**PHASE, "epochs": epochs, "learning_rate": 1e-3}
        settings["discriminator"] = {
            **SETTINGS["discriminator"],
            "hidden": 32,
            "learning_rate": 2e-3,
            "pretrain_updates": 100,
            "pretrain_until": 0.3,
        }
        config = run_config.resolve(settings, data.train.shape)
        workdir = tmp_path / name
        workdir.mkdir()
        loop.train(config, data, workdir, io.StringIO())
        params, scaler, _ = run_folder.load_model(str(workdir), config)
        distances.append(distance_to_a_mode(params, scaler))
    likelihood, adversarial = distances
    assert likelihood > 0.35, "a normal distribution around 0 has 0.48"
    assert adversarial < 0.5 * likelihood, distances


@pytest.mark.slow
def test_likelihood_on_constants_stays_finite_for_10000_steps(tmp_path):
    x = np.tile(np.array([3.0, 0.0], np.float32), (16, 5, 1))
    x[:, :, 1] = np.random.default_rng(0).normal(size=(16, 5))
    data = Dataset("files", "a constant column", False, x[:12], x[12:14], x[14:])
    settings = {
        **SETTINGS,
        "masks": {**SETTINGS["masks"], "low": 1, "high": 3},
        "eval_epochs": 1000,
        "teacher_forced": {**PHASE, "epochs": 3334, "learning_rate": 3e-3},
        "adversarial": PHASE,
    }
    config = run_config.resolve(settings, data.train.shape)
    loop.train(config, data, tmp_path, io.StringIO())  # raises where the loss is not finite
    params, _, step = run_folder.load_model(str(tmp_path), config)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params)) and step <= 10002
