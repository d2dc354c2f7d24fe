"""task=forecast: a trained run goes on with leading steps observed alone."""

import io

import jax
import numpy as np
import pytest

from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import config as run_config
from naomi_jax.training import loop
from tests.training.test_training import PHASE, SETTINGS

FORECAST = {**SETTINGS, "task": "forecast", "start_from": "run"}


@pytest.fixture(scope="module")
def dataset():
    x = np.random.default_rng(0).standard_normal((9, 7, 2)).astype(np.float32)
    return Dataset("files", "noise", False, x, x[:2], x[:2])


@pytest.fixture(scope="module")
def trained(dataset, tmp_path_factory):
    workdir = str(tmp_path_factory.mktemp("run") / "trained")
    run_folder.claim(workdir, SETTINGS, dataset)
    loop.train(run_config.resolve(SETTINGS, dataset.train.shape), dataset, workdir, io.StringIO())
    return workdir


def resolve(dataset, **changes):
    return run_config.resolve({**FORECAST, **changes}, dataset.train.shape)


def test_it_hides_the_last_steps_and_forces_no_teacher(dataset):
    config = resolve(dataset)
    assert config.batch.masks.kind == "tail"
    assert (config.batch.masks.low, config.batch.masks.high) == (2, 5)
    assert [phase.name for phase in config.phases] == ["free_running"]


def test_it_begins_with_the_trained_parameters(dataset, trained, tmp_path):
    still = {**PHASE, "learning_rate": 0.0}
    config = resolve(dataset, free_running=still)
    loop.train(config, dataset, tmp_path, io.StringIO(), run_folder.start(trained, config))
    before = run_config.resolve(SETTINGS, dataset.train.shape)
    jax.tree.map(
        np.testing.assert_array_equal,
        run_folder.load_model(str(tmp_path), config)[0],
        run_folder.load_model(trained, before)[0],
    )
    assert run_folder.has_checkpoint(str(tmp_path))


def test_it_goes_on_from_its_own_checkpoint_afterwards(dataset, trained, tmp_path):
    config = resolve(dataset)
    loop.train(config, dataset, tmp_path, io.StringIO(), run_folder.start(trained, config))
    ended = run_folder.load_model(str(tmp_path), config)[0]
    loop.train(config, dataset, tmp_path, io.StringIO())
    again = run_folder.load_model(str(tmp_path), config)[0]
    jax.tree.map(np.testing.assert_array_equal, ended, again)


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"task": "forcast"}, "task: 'forcast'; one of impute, forecast is needed"),
        ({"masks": {**SETTINGS["masks"], "kind": "block"}}, "leave out masks.kind=block"),
        ({"free_running": {**PHASE, "epochs": 0}}, "free_running.epochs, adversarial.epochs are"),
    ],
)
def test_what_cannot_be_a_forecast(dataset, changes, message):
    with pytest.raises(InputError, match=message):
        resolve(dataset, **changes)


def test_what_cannot_be_started_from(dataset, trained):
    config = resolve(dataset)
    assert not run_folder.has_checkpoint("nowhere")
    with pytest.raises(InputError, match="nowhere: no run to start from; train one"):
        run_folder.start("nowhere", config)
    other = resolve(dataset, model={**SETTINGS["model"], "kind": "single_res"})
    with pytest.raises(InputError, match="naomi.* this run's are .*single_res"):
        run_folder.start(trained, other)


def test_a_run_from_before_a_setting_existed_goes_on(dataset, trained):
    now = {**SETTINGS, "task": "impute", "start_from": "", "precision": "float32"}
    assert run_folder.claim(trained, now, dataset)
    with pytest.raises(InputError, match="task: .impute., now .forecast."):
        run_folder.claim(trained, FORECAST, dataset)
