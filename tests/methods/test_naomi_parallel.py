"""The level-parallel method in a run: trained, resumed to the bit, opened, filmed."""

import dataclasses
import io

import jax
import numpy as np
import pytest

import naomi_jax
from naomi_jax.data.dataset import Dataset
from naomi_jax.figures import film
from naomi_jax.methods import registry
from naomi_jax.methods.naomi_parallel import ParallelSettings
from naomi_jax.parallel import levels
from naomi_jax.runs import folder
from naomi_jax.training import loop
from naomi_jax.training.settings import Optimizer, Phase
from tests.settings import small_run, stopped_at

SIZES = ParallelSettings(width=8, depth=1, states=4, passes=3, targets=4)
OPTIMIZER = Optimizer(1e-2, warmup_epochs=1, clip=1.0)


@pytest.fixture(scope="module")
def dataset():
    walk = np.random.default_rng(0).standard_normal((16, 7, 2)).cumsum(1).astype(np.float32)
    return Dataset("files", "a walk", False, walk[:9], walk[9:12], walk[12:])


def train(run, dataset, workdir):
    folder.create_or_resume(workdir, run, dataset)
    loop.train(run, dataset, workdir, io.StringIO())


@pytest.fixture(scope="module")
def trained(dataset, tmp_path_factory):
    workdir = str(tmp_path_factory.mktemp("run") / "whole")
    train(
        small_run(method=SIZES, phases=(Phase("teacher_forced_root", 1, OPTIMIZER),)),
        dataset,
        workdir,
    )
    return workdir


def test_an_interrupted_run_ends_with_the_same_parameters(dataset, tmp_path):
    phases = (
        Phase("teacher_forced_root", 3, OPTIMIZER),
        Phase("squared_error", 1, Optimizer(1e-3)),
    )
    # Fewer passes than SIZES has: three trainings are compiled.
    run = small_run(method=dataclasses.replace(SIZES, passes=2), phases=phases)
    train(run, dataset, tmp_path / "whole")
    with stopped_at(5), pytest.raises(loop.Interrupted):
        train(run, dataset, tmp_path / "parts")
    train(run, dataset, tmp_path / "parts")
    one, other = (naomi_jax.load(tmp_path / part).params for part in ("whole", "parts"))
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_it_fills_holes_of_single_entries(trained, dataset):
    model = naomi_jax.load(trained)
    assert model.method is registry.get("naomi_parallel")
    entries = np.random.default_rng(1).random(dataset.test.shape) < 0.5
    filled = model.fill(np.where(entries, dataset.test, np.nan), entries)
    assert np.isfinite(filled).all() and (filled[entries] == dataset.test[entries]).all()


def test_its_film_shows_the_passes(trained):
    model = naomi_jax.load(trained)
    mask = np.array([1, 0, 0, 0, 0, 0, 1])
    name, frames = film.recursion([model], mask)
    assert name == "naomi_parallel"
    assert [frame.step for frame in frames] == [3, 1, 4, 2, 5]
    index = np.asarray(levels.passes(mask, 3))
    assert [frame.level for frame in frames] == [index[frame.step] for frame in frames]
    assert (frames[0].left, frames[0].right, frames[0].known) == (0, 6, (0, 6))
    assert frames[1].known == frames[2].known == (0, 3, 6), "a pass knows nothing of its own"


def test_a_likelihood_trains_a_stochastic_model(dataset, tmp_path):
    sizes = ParallelSettings(width=8, depth=1, states=4, passes=1, targets=4, stochastic=True)
    run = small_run(method=sizes, phases=(Phase("teacher_forced", 4, OPTIMIZER),))
    train(run, dataset, tmp_path)
    mask = np.tile(np.arange(7) % 3 == 0, (4, 1))
    samples = naomi_jax.load(tmp_path).fill(dataset.test, mask, jax.random.key(0), 5)
    assert samples.shape == (5, *dataset.test.shape)
    assert (samples[:, ~mask].std(0) > 0).all() and (samples[:, mask] == dataset.test[mask]).all()
