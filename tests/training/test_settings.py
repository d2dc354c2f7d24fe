"""The settings of a run: what cannot be, and how it is said; forecasts; JSON and back."""

import dataclasses
import json

import pytest

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.errors import InputError
from naomi_jax.fields import with_values
from naomi_jax.methods.rnn import RnnSettings
from naomi_jax.training.settings import (
    Adversary,
    Data,
    Optimizer,
    Phase,
    forecast,
    from_json,
    method_of,
    to_json,
)
from tests.settings import PHASES, same_masks, small_run

SHAPE = (9, 7, 2)


@pytest.mark.parametrize(
    "path,value,message",
    [
        (("batch_size",), 0, "batch_size: 0; 1 or more is needed"),
        (("method", "levels"), 0, "method.levels: 0; from 1 to 10 is needed"),
        (("method", "hidden"), 2.5, "method.hidden: 2.5; a whole number is needed"),
        (("average",), 1.0, "average: 1.0; from 0 to below 1 is needed"),
        (("masks", "train", "kind"), "x", "masks.train.kind: 'x'; one of random, block, tail"),
        (("phases", "squared_error", "epochs"), -1, "phases.squared_error.epochs: -1.0; 0 or more"),
        (
            ("phases", "squared_error", "optimizer", "schedule"),
            "x",
            "phases.squared_error.optimizer.schedule: 'x'; one of constant, cosine is needed",
        ),
        (
            ("phases", "teacher_forced", "optimizer", "learning_rate"),
            -1.0,
            "phases.teacher_forced.optimizer.learning_rate: -1.0; a number above 0 is needed",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_path(path, value, message):
    with pytest.raises(InputError) as caught:
        with_values(small_run(), {path: value})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"phases": (Phase("squared_error", 0),)}, "phases: all have 0 epochs"),
        (
            {"phases": (Phase("squared_error", 1, None),)},
            "phases.squared_error.optimizer: the f",
        ),
        ({"phases": (Phase("adversarial", 1),)}, "adversary: needed by the phase adversarial"),
    ],
)
def test_what_a_run_cannot_be(changes, message):
    with pytest.raises(InputError, match=message):
        small_run(**changes)


def test_an_objective_that_the_method_does_not_have():
    with pytest.raises(
        InputError, match="phases.x.objective: 'x'; one of teacher_forced, squared_error"
    ):
        small_run(phases=(Phase("x", 1),))


@pytest.mark.parametrize("name", ["symmetries", "time_reversal"])
def test_neighbors_and_images_do_not_go_together(name):
    with pytest.raises(InputError, match=f"neighbors: not with {name}"):
        Transforms(neighbors=3, **{name: True})


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"masks": same_masks(Masks(missing=(2, 7)))}, "masks.train.missing: 2 to 7 missing steps"),
        ({"masks": same_masks(Masks("no.npy"))}, "no.npy: no such file"),
        ({"transforms": Transforms(symmetries=True)}, "symmetries: the data set files has none"),
    ],
)
def test_what_does_not_suit_the_data(changes, message):
    with pytest.raises(InputError, match=message):
        small_run(**changes).check(SHAPE)


def test_a_phase_that_is_left_out_leaves_its_optimizer():
    phases = (Phase("root_error", 0, Optimizer(3e-3)), Phase("squared_error", 2, None))
    (only,) = small_run(phases=phases).active_phases
    assert only.objective == "squared_error" and only.optimizer.learning_rate == 3e-3


def test_json_and_back():
    run = small_run(
        adversary=Adversary(hidden=3),
        phases=(*PHASES, Phase("squared_error", 2, None), Phase("adversarial", 1.5)),
        data=Data("traffic", window=12),
    )
    assert from_json(json.loads(json.dumps(to_json(run)))) == run
    other = small_run(method=RnnSettings(hidden=3))
    assert from_json(json.loads(json.dumps(to_json(other)))) == other
    assert method_of(other.method).title == "RNN"


@pytest.mark.parametrize(
    "change,message",
    [
        ({"hiden": 3}, "hiden: there is no such setting"),
        ({"method": {"name": "x"}}, "method: 'x'; one of"),
        ({"method": {"name": "linear"}}, "method: linear is not trained"),
    ],
)
def test_json_that_is_no_run(change, message):
    with pytest.raises(InputError, match=message):
        from_json({**to_json(small_run()), **change})


def test_a_forecast_hides_the_last_steps_and_forces_no_teacher():
    run = forecast(small_run(), "runs/files")
    assert (run.masks.train.kind, run.masks.test.kind) == ("tail", "tail")
    assert run.masks.test.missing == (2, 5)
    assert [phase.objective for phase in run.active_phases] == ["squared_error"]
    assert run.start_from == "runs/files" and run.is_forecast
    own = dataclasses.replace(small_run(), start_from="mine")
    assert forecast(own, "runs/files").start_from == "mine"


def test_a_forecast_of_a_run_with_teacher_forcing_alone_has_it_too():
    run = forecast(small_run(phases=PHASES[:1]), "runs/files")
    assert run.active_phases == PHASES[:1]


def test_a_forecast_keeps_the_optimizer_of_what_it_leaves_out():
    phases = (PHASES[0], Phase("squared_error", 2, None))
    (only,) = forecast(small_run(phases=phases), "runs/files").active_phases
    assert only.optimizer == PHASES[0].optimizer


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"masks": same_masks(Masks("block", missing=(2, 5)))}, "leave out kind block"),
    ],
)
def test_what_cannot_be_a_forecast(changes, message):
    with pytest.raises(InputError, match=message):
        forecast(small_run(**changes), "run")
