"""A forecast goes on from a trained run, with its parameters."""

import dataclasses
import io
import shutil
import time

import jax
import numpy as np
import pytest

from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.methods.single_res import SingleResSettings
from naomi_jax.runs import folder, opening
from naomi_jax.training import loop
from naomi_jax.training.checkpoints import Checkpoints
from naomi_jax.training.settings import forecast
from tests.settings import small_run


@pytest.fixture(scope="module")
def dataset():
    x = np.random.default_rng(0).standard_normal((9, 7, 2)).astype(np.float32)
    return Dataset("files", "noise", False, x, x[:2], x[:2])


@pytest.fixture(scope="module")
def trained(dataset, tmp_path_factory):
    workdir = str(tmp_path_factory.mktemp("run") / "trained")
    folder.create_or_resume(workdir, small_run(), dataset)
    loop.train(small_run(), dataset, workdir, io.StringIO())
    return workdir


def going_on(trained, dataset, workdir, **changes):
    """Train a forecast in a folder; returns its run."""
    run = forecast(small_run(**changes), trained)
    folder.create_or_resume(workdir, run, dataset)
    loop.train(run, dataset, workdir, io.StringIO(), opening.start(trained, run))
    return run


def test_it_begins_with_the_trained_parameters(dataset, trained, tmp_path):
    phase = small_run().phases[1]
    still = dataclasses.replace(
        phase, optimizer=dataclasses.replace(phase.optimizer, learning_rate=1e-30)
    )
    going_on(trained, dataset, tmp_path, phases=(still,))
    jax.tree.map(
        np.testing.assert_array_equal, opening.load(tmp_path).params, opening.load(trained).params
    )
    assert folder.has_checkpoint(tmp_path)


def test_it_goes_on_from_its_own_checkpoint_afterwards(dataset, trained, tmp_path):
    run = going_on(trained, dataset, tmp_path)
    ended = opening.load(tmp_path).params
    loop.train(run, dataset, tmp_path, io.StringIO())
    jax.tree.map(np.testing.assert_array_equal, ended, opening.load(tmp_path).params)


@pytest.mark.parametrize("gone", ["default/_METADATA", "metrics/metrics"])
def test_a_checkpoint_that_is_replaced_while_it_is_read_is_looked_for_again(
    gone, trained, tmp_path, monkeypatch
):
    """A training keeps two: the one that a reader has found may be deleted in part by then."""
    shutil.copytree(trained, tmp_path / "run")
    place = tmp_path / "run" / loop.CHECKPOINTS
    with Checkpoints(place, read_only=True) as checkpoints:
        best = checkpoints.best()
    shutil.copytree(place / str(best), tmp_path / "whole")
    (place / str(best) / gone).unlink()

    def replace(_):  # the training, while the reader waits
        shutil.rmtree(place / str(best))
        (tmp_path / "whole").rename(place / str(best + 1000))

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", lambda _: None)
        with pytest.raises(InputError, match=f"checkpoint .*{best}"):  # it stays as it is
            opening.load(tmp_path / "run")
        patch.setattr(time, "sleep", replace)
        found = opening.load(tmp_path / "run").params
    jax.tree.map(np.testing.assert_array_equal, found, opening.load(trained).params)


def test_settings_that_make_no_model_are_one_line(trained, monkeypatch):
    def fresh(*_):
        raise OverflowError("Python int too large to convert to C long")

    monkeypatch.setattr(type(small_run().kind), "fresh", fresh)
    with pytest.raises(InputError, match="settings in config.json make no model .OverflowError"):
        opening.load(trained)


def test_a_trained_run_keeps_the_digits_of_float64(trained, dataset):
    x = dataset.test.astype(np.float64) + 1e-9
    mask = np.arange(7) % 2 == 0
    filled = opening.load(trained).fill(x, np.tile(mask, (2, 1)))
    assert filled.dtype == np.float64 and (filled[:, mask] == x[:, mask]).all()
    assert (x != x.astype(np.float32)).any()


def test_what_cannot_be_started_from(trained):
    assert not folder.has_checkpoint("nowhere")
    with pytest.raises(InputError, match="nowhere: no run to start from; train one"):
        opening.start("nowhere", small_run())
    other = small_run(method=SingleResSettings(hidden=4, layers=1, head_hidden=3))
    with pytest.raises(InputError, match="NaomiSettings.* this run's are .*SingleResSettings"):
        opening.start(trained, other)
