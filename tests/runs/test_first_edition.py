"""A run that naomi_jax 0.1 made still opens: its settings, its model, its table."""

import json
import pathlib
import shutil

import jax
import numpy as np
import pytest

import naomi_jax
from naomi_jax.data import files
from naomi_jax.errors import InputError
from naomi_jax.evaluation import report
from naomi_jax.runs import first_edition, record
from naomi_jax.training.settings import from_json

RUN = pathlib.Path(__file__).parent / "first_edition"  # 21 updates on the waves below


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    t = np.arange(300)
    series = np.stack([np.sin(t / 4), np.cos(t / 4)], axis=1)
    path = tmp_path_factory.mktemp("waves") / "series.csv"
    np.savetxt(path, series, delimiter=",", header="a,b", comments="", fmt="%.4f")
    return files.load(path, window=12, stride=4)


def test_its_settings_are_todays():
    run = record.read(RUN).run
    assert (run.data.name, run.data.window, run.data.stride) == ("files", 12, 4)
    assert (run.method.hidden, run.method.levels, run.method.residual) == (4, 3, True)
    assert (run.transforms.standardize, run.transforms.neighbors) == ("column", 3)
    assert run.masks.test.missing == run.masks.train.missing == (4, 11)
    assert [(p.objective, p.epochs) for p in run.phases] == [
        ("teacher_forced", 1),
        ("squared_error", 2),
    ]
    assert run.phases[1].optimizer.learning_rate == 3e-3 and run.average == 0.9


def test_its_model_has_the_error_it_had(waves):
    """0.05954 is what naomi_jax 0.1 printed for this run."""
    table = report.table_of_runs([str(RUN)], waves)
    row = next(row for row in table.rows if row.method == "naomi")
    np.testing.assert_allclose(row.values, 0.05954, rtol=1e-3)


def test_it_fills(waves):
    model = naomi_jax.load(RUN)
    mask = np.arange(12) % 3 == 0
    filled = model.fill(waves.test, np.tile(mask, (len(waves.test), 1)), jax.random.key(0))
    assert np.isfinite(filled).all() and (filled[:, mask] == waves.test[:, mask]).all()


def test_it_is_not_trained_further(waves, tmp_path):
    """Its optimizer's state has another structure; one line says so."""
    from naomi_jax.training import loop

    shutil.copytree(RUN, tmp_path / "run")
    run = record.read(tmp_path / "run").run
    phases = (*run.phases, run.phases[-1])
    longer = from_json({**record.read(RUN).as_json()["config"]})
    with pytest.raises(InputError, match="cannot be read as a checkpoint of this model"):
        loop.train(longer, waves, tmp_path / "run")
    assert len(phases) == 3


SETTINGS = json.loads((RUN / "config.json").read_text())["config"]


@pytest.mark.parametrize(
    "changes,path,value",
    [
        ({"root_share": 0.75}, ("phases", 1, "objective"), "root_error"),
        ({"root_share": 0.75}, ("phases", 2, "optimizer"), None),
        ({"task": "forecast"}, ("masks", "test", "kind"), "tail"),
        ({"task": "forecast"}, ("phases", 0, "objective"), "squared_error"),
        ({"standardise": "step"}, ("transforms", "standardize"), "step"),
        (
            {"masks": {**SETTINGS["masks"], "training_low": 9.0}},
            ("masks", "train", "missing", 0),
            9,
        ),
        (
            {"masks": {**SETTINGS["masks"], "kind": "file", "file": "m.npy"}},
            ("masks", "train", "kind"),
            "m.npy",
        ),
        ({"model": {**SETTINGS["model"], "kind": "rnn"}}, ("method", "name"), "rnn"),
        (
            {"adversarial": {**SETTINGS["adversarial"], "epochs": 3}},
            ("phases", 2, "objective"),
            "discriminator",
        ),
    ],
)
def test_every_old_setting_has_a_place(changes, path, value):
    converted = first_edition.convert({**SETTINGS, **changes}, [61, 12, 2])
    found = json.loads(json.dumps(converted))
    from_json(found)
    for key in path:
        found = found[key]
    assert found == value


def test_only_the_first_edition_is_converted():
    assert first_edition.made(SETTINGS)
    assert not first_edition.made(record.read(RUN).as_json()["config"])
