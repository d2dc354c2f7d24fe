"""Channel independence: each column of a sequence is a sequence of its own."""

import dataclasses
import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.data import masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import chain, standardize
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.data.transforms.channels import ChannelIndependent
from naomi_jax.errors import InputError
from naomi_jax.methods.fitted import Fitted
from naomi_jax.methods.naomi import NAOMI, NaomiSettings
from naomi_jax.methods.shared import losses
from naomi_jax.runs import folder, opening
from naomi_jax.training import batches, loop, objectives
from tests.settings import PHASES, small_run

SIZES = NaomiSettings(hidden=4, layers=1, levels=2, head_hidden=3)
SPLIT = Transforms(channel_independent=True)


@pytest.fixture(scope="module")
def params():
    return NAOMI.init(jax.random.key(0), SIZES, SPLIT.model_dim(3))


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).standard_normal((2, 11, 3)).astype(np.float32)


def fitted(params):
    """Without statistics: the data's units are those of the method."""
    return Fitted(NAOMI, params, chain.build(SPLIT, standardize.empty(1, 3)))


@pytest.mark.parametrize("shape", [(11,), (2, 11), (2, 11, 3)])
def test_channels_are_filled_like_sequences(params, x, shape):
    assert params["gru"][0]["wx"].shape == (1, 12)
    mask = (np.random.default_rng(1).random(shape) < 0.4).astype(np.float32)
    drawn = batches.Batch(jnp.asarray(x), jnp.asarray(mask), jnp.arange(2), jax.random.key(0))
    source = batches.Source(jnp.asarray(x), (ChannelIndependent(),), jax.random.key(0))
    trained = objectives.impute(NAOMI, params, source, drawn)  # as in training
    fillings = [trained]
    if mask.ndim > 1:
        fillings.append(fitted(params).fill(x, mask))  # as afterwards
    for d in range(3):
        own = mask[..., d] if mask.ndim == 3 else mask
        alone = NAOMI.impute(params, x[..., d : d + 1], own)
        for filled in fillings:
            np.testing.assert_allclose(filled[..., d], alone[..., 0], atol=1e-6)
    if mask.ndim < 3:
        each = [losses.teacher_forced(params, x[..., d : d + 1], mask) for d in range(3)]
        columns, entries, _ = chain.apply(source.transforms, drawn.x, drawn.mask, drawn.rows)
        ours = losses.teacher_forced(params, columns, entries)
        assert ours == pytest.approx(np.mean(each), rel=1e-5)


@pytest.mark.parametrize("shape", [(11,), (2, 11), (2, 11, 3)])
def test_there_and_back(x, shape):
    mask = (np.random.default_rng(1).random(shape) < 0.4).astype(np.float32)
    columns, entries, restore = ChannelIndependent().apply(x, mask)
    assert columns.shape == (6, 11, 1)
    np.testing.assert_array_equal(columns[:3, :, 0], x[0].T, "the batch stays outermost")
    assert entries.shape == ((11,) if mask.ndim == 1 else (6, 11))
    if mask.ndim == 3:
        np.testing.assert_array_equal(entries[3:], mask[1].T)
    np.testing.assert_array_equal(restore(columns), x)
    samples = jnp.stack([columns, columns + 1])
    np.testing.assert_array_equal(restore(samples), np.stack([x, x + 1]), "a leading axis stays")


def test_samples_of_channels(x):
    sizes = dataclasses.replace(SIZES, stochastic=True)
    model = fitted(NAOMI.init(jax.random.key(0), sizes, SPLIT.model_dim(3)))
    mask = (np.arange(11) % 4 == 0).astype(np.float32)
    drawn = model.fill(x, np.tile(mask, (2, 1)), jax.random.key(1), num_samples=5)
    assert drawn.shape == (5, *x.shape)
    assert (drawn[:, :, mask != 0] == x[:, mask != 0]).all()
    assert (drawn[:, :, mask == 0].std(0) > 0).all()


def test_training_uses_the_transform():
    """A batch of a channel-independent run is imputed column by column."""
    run = small_run(transforms=Transforms(channel_independent=True, standardize="step"))
    walk = np.random.default_rng(0).standard_normal((9, 7, 2)).cumsum(1).astype(np.float32)
    transforms, data = chain.fit(run.transforms, Dataset("files", "a walk", False, *[walk] * 3))
    config = batches.BatchConfig(4, masks.MaskConfig("random", 2, 5))
    source = batches.Source(jnp.asarray(data), transforms.batch, jax.random.key(3))
    drawn = batches.draw(config, source, jnp.array(1))
    params = run.kind.init(jax.random.key(0), run.method, run.transforms.model_dim(2))
    filled = objectives.impute(run.kind, params, source, drawn)
    assert drawn.x.shape == filled.shape == (4, 7, 2)
    for d in range(2):
        alone = NAOMI.impute(params, drawn.x[..., d : d + 1], drawn.mask)
        np.testing.assert_allclose(filled[..., d], alone[..., 0], atol=1e-6)


def test_a_run_of_a_channel_independent_model(tmp_path):
    walk = np.random.default_rng(0).standard_normal((16, 7, 2)).cumsum(1).astype(np.float32)
    data = Dataset("files", "a walk", False, walk[:9], walk[9:12], walk[12:])
    run = small_run(transforms=Transforms(channel_independent=True, standardize="step"))
    folder.create_or_resume(tmp_path, run, data)
    loop.train(run, data, tmp_path, io.StringIO())
    model = opening.load(tmp_path)
    assert model.params["heads"]["mean"]["bias"].shape == (2, 1)
    entries = np.random.default_rng(1).random(data.test.shape) < 0.5
    filled = model.fill(np.where(entries, data.test, np.nan), entries, None)
    assert np.isfinite(filled).all() and (filled[entries] == data.test[entries]).all()
    other = small_run(phases=PHASES[1:])
    message = "its method and transforms are .*channel_independent=True"
    with pytest.raises(InputError, match=message):
        opening.start(str(tmp_path), other)
