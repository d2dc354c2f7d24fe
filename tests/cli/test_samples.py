"""eval.py on a stochastic run: its samples, judged, and its forecasts."""

import dataclasses
import io

import numpy as np
import pytest

from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import report
from naomi_jax.methods.naomi_parallel import ParallelSettings
from naomi_jax.runs import folder
from naomi_jax.training import loop
from naomi_jax.training.settings import Optimizer, Phase
from tests.commands import evaluating
from tests.settings import small_run

SIZES = ParallelSettings(
    width=8, depth=1, states=4, passes=3, targets=4, stochastic=True, components=2
)


@pytest.fixture(scope="module")
def dataset():
    walk = np.random.default_rng(0).standard_normal((20, 7, 2)).cumsum(1).astype(np.float32)
    return Dataset("files", "a walk", False, walk[:9], walk[9:12], walk[12:])


@pytest.fixture(scope="module")
def workdir(dataset, tmp_path_factory):
    workdir = str(tmp_path_factory.mktemp("run") / "walk")
    phases = (Phase("teacher_forced", 2, Optimizer(1e-2)),)
    run = small_run(method=SIZES, phases=phases)
    folder.create_or_resume(workdir, run, dataset)
    loop.train(run, dataset, workdir, io.StringIO())
    return workdir


@pytest.fixture(autouse=True)
def same_data(dataset, monkeypatch):
    monkeypatch.setattr(report, "dataset_of", lambda _: dataset)


def test_samples_are_judged(workdir):
    said = evaluating(workdir, "--samples", "4")
    assert "8 sequences of 7 steps, shown at random places; 4 samples of each" in said
    head, _, *rows = [line.split(" | ") for line in said.splitlines() if line.startswith("|")]
    assert head[:2] == ["| steps shown", "inside 50%"] and "energy score" in head
    assert [int(row[0].strip("| ")) for row in rows] == [2, 4, 5]
    assert all(len(row) == len(head) for row in rows)
    scores = [float(row[head.index("CRPS")]) for row in rows]
    assert scores[0] > scores[-1] > 0


def test_forecasts_need_no_second_training(workdir):
    assert "missing at the end" in evaluating(workdir, "--forecast")


@pytest.mark.slow
def test_forecasts_are_judged_too(workdir):
    assert "8 sequences of 7 steps, the first steps shown; 3 samples" in evaluating(
        workdir, "--forecast", "--samples", "3"
    )


@pytest.mark.parametrize(
    "words, message",
    [
        (["--samples", "1"], "--samples: 1; two or more is needed"),
        (["--forecast", "--figure", "x.svg"], "--forecast: there is no such flag"),
        (["--samples", "3", "--figure", "x.svg"], "--samples: there is no such flag"),
        (["--flag"], "--flag: there is no such flag"),
    ],
)
def test_what_does_not_go_together(workdir, words, message):
    with pytest.raises(InputError, match=message):
        evaluating(workdir, *words)


def test_a_run_without_a_distribution_says_so(workdir, dataset, tmp_path):
    plain = small_run(method=dataclasses.replace(SIZES, stochastic=False))
    folder.create_or_resume(tmp_path, plain, dataset)
    with pytest.raises(InputError, match="--samples: the model in .* has no distribution"):
        evaluating(str(tmp_path), "--samples", "3")
