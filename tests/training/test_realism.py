"""What the adversarial phase is for, on a toy whose truth is known."""

import dataclasses
import io

import jax
import numpy as np
import pytest

from naomi_jax.data.dataset import Dataset
from naomi_jax.data.masks import Masks
from naomi_jax.methods.naomi import NaomiSettings
from naomi_jax.runs import folder, opening
from naomi_jax.training import loop
from naomi_jax.training.checkpoints import Checkpoints
from naomi_jax.training.settings import Adversary, Phase
from tests.settings import CONSTANT, adversarial_run, same_masks


def two_modes(count, seed):
    """(count, 3, 1): the ends are 0, the middle is -1 or 1 with equal chance; a little noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.05, (count, 3, 1))
    x[:, 1, 0] += rng.choice([-1.0, 1.0], count)
    return x.astype(np.float32)


def trained(run, data, workdir):
    """The method after training."""
    folder.create_or_resume(workdir, run, data)
    loop.train(run, data, workdir, io.StringIO())  # raises where the loss is not finite
    return opening.load(workdir)


def distance_to_a_mode(model):
    """Mean | |x| - 1 | of the decoded middle step; 0.04 for the data."""
    test = two_modes(2000, 9)
    mask = np.tile([1.0, 0.0, 1.0], (len(test), 1))
    filled = model.fill(test, mask, jax.random.key(1))
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
    likely = Phase("teacher_forced", 60, CONSTANT)
    optimizer = dataclasses.replace(CONSTANT, learning_rate=1e-3)
    # 100 updates of the discriminator alone.
    against = (likely, Phase("discriminator", 6.25), Phase("adversarial", 150, optimizer))
    distances = []
    for name, phases in (("likelihood", (likely,)), ("adversarial", against)):
        run = adversarial_run(
            method=NaomiSettings(hidden=16, layers=1, levels=1, head_hidden=32, stochastic=True),
            masks=same_masks(Masks(kind=str(tmp_path / "mask.npy"))),
            phases=phases,
            adversary=Adversary(hidden=32, learning_rate=2e-3, updates=2, until=0.3),
            batch_size=128,
            eval_epochs=50,
        )
        distances.append(distance_to_a_mode(trained(run, data, tmp_path / name)))
    likelihood, adversarial = distances
    assert likelihood > 0.35, "a normal distribution around 0 has 0.48"
    assert adversarial < 0.5 * likelihood, distances


@pytest.mark.slow
def test_likelihood_on_constants_stays_finite_for_10000_steps(tmp_path):
    x = np.tile(np.array([3.0, 0.0], np.float32), (16, 5, 1))
    x[:, :, 1] = np.random.default_rng(0).normal(size=(16, 5))
    data = Dataset("files", "a constant column", False, x[:12], x[12:14], x[14:])
    optimizer = dataclasses.replace(CONSTANT, learning_rate=3e-3)
    run = adversarial_run(
        masks=same_masks(Masks(missing=(1, 3))),
        phases=(Phase("teacher_forced", 3334, optimizer),),
        adversary=None,
        eval_epochs=1000,
    )
    params = trained(run, data, tmp_path).params
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params))
    with Checkpoints(tmp_path / loop.CHECKPOINTS, read_only=True) as checkpoints:
        assert checkpoints.latest() == 10002
