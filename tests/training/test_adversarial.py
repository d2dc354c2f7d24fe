"""The adversarial phase: each player's update, the gate, early ends, and repeatable runs."""

import dataclasses
import io

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.methods import discriminator, losses
from naomi_jax.methods.registry import MODELS
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import adversarial, batches, loop, steps
from naomi_jax.training import config as run_config
from naomi_jax.training.checkpoints import Checkpoints

PHASE = dict(
    epochs=0,
    learning_rate=1e-2,
    schedule="constant",
    drop=0.5,
    warmup_epochs=0,
    clip=1.0,
    weight_decay=0.0,
)
SETTINGS = {
    "model": dict(kind="naomi", hidden=4, layers=1, levels=2, head_hidden=3, stochastic=True),
    "masks": dict(kind="random", low=2, high=4, per_sequence=False, file=""),
    "standardise": "feature",
    "batch_size": 4,
    "eval_epochs": 1,
    "seed": 0,
    "teacher_forced": {**PHASE, "epochs": 1},
    "free_running": PHASE,
    "adversarial": {**PHASE, "epochs": 2},
    "discriminator": dict(
        hidden=3,
        learning_rate=1e-2,
        clip=10.0,
        updates=2,
        pretrain_updates=3,
        pretrain_until=0.01,
        gate=0.8,
        step_gain=0.0,
        error_weight=0.0,
    ),
}


@pytest.fixture(scope="module")
def dataset():
    rng = np.random.default_rng(0)
    walk = rng.standard_normal((14, 6, 2)).cumsum(1).astype(np.float32)
    return Dataset("files", "a walk", False, walk[:8], walk[8:11], walk[11:])


@pytest.fixture(scope="module")
def config(dataset):
    return run_config.resolve(SETTINGS, dataset.train.shape)


@pytest.fixture(scope="module")
def quick(dataset):
    """The model that compiles fastest, for what does not depend on the model."""
    settings = {**SETTINGS, "model": {**SETTINGS["model"], "kind": "maskgan"}}
    return run_config.resolve(settings, dataset.train.shape)


@pytest.fixture(scope="module")
def state(config, dataset):
    return loop.initial_state(config)


def run(config, phase, dataset, state, stop, end):
    inner = steps.make_run(phase, config.functions, config.batch, config.adversary)
    copy = jax.tree.map(jnp.copy, state)
    return inner(copy, jnp.asarray(dataset.train), jax.random.key(0), stop, end, None)


def test_phases(config):
    assert [(p.name, p.steps) for p in config.phases] == [
        ("teacher_forced", 2),
        ("discriminator", 3),
        ("adversarial", 4),
    ]


def test_an_update_is_k_of_the_discriminator_then_one_of_the_generator(config, dataset, state):
    """Against the same written out, update by update."""
    phase = config.phases[2]
    after, metrics = run(config, phase, dataset, state, 1, 4)
    key, model = jax.random.key(0), MODELS["naomi"]
    data = jnp.asarray(dataset.train)
    params, players = state.adversary.params, optax.adam(1e-2)
    moments, outputs = players.init(params), []
    for number in (1, 2):
        x, mask, sample = batches.draw(
            config.batch, data, jax.random.fold_in(key, number), jnp.array(0)
        )
        imputed = model.impute(state.params, x, mask, sample)

        def loss_d(params, x=x, imputed=imputed, mask=mask):
            logits = [discriminator.step_logits(params, s) for s in (x, imputed)]
            return losses.discriminator(*logits, 1 - mask[1:])

        missing = np.asarray(mask[1:]) == 0
        probability = jax.nn.sigmoid(discriminator.step_logits(params, imputed))
        outputs.append(float(probability[:, missing].mean()))
        updates, moments = players.update(jax.jit(jax.grad(loss_d))(params), moments)
        params = optax.apply_updates(params, updates)

    def close(a, b):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-5)

    jax.tree.map(close, after.adversary.params, params)
    assert after.adversary.imputed == pytest.approx(
        0.9 * (0.9 * 0.5 + 0.1 * outputs[0]) + 0.1 * outputs[1], rel=1e-4
    )
    x, mask, sample = batches.draw(config.batch, data, key, jnp.array(0))

    def loss_g(generator):
        logits = discriminator.step_logits(params, model.impute(generator, x, mask, sample))
        return losses.generator(logits, 1 - mask[1:])

    value, gradient = jax.jit(jax.value_and_grad(loss_g))(state.params)
    optimizer = steps.make_optimizer(phase)
    updates, _ = optimizer.update(gradient, optimizer.init(state.params), state.params)
    # Adam's first step is the sign of the gradient: compare where that is not rounding.
    moved = jax.tree.map(lambda a, b: a - b, after.params, state.params)
    jax.tree.map(
        lambda m, u, g: close(np.where(np.abs(g) > 1e-5, m, 0), np.where(np.abs(g) > 1e-5, u, 0)),
        moved,
        updates,
        gradient,
    )
    assert metrics["loss"] == pytest.approx(float(value), rel=1e-4)
    assert metrics["generator_updates"] == 1 == metrics["updates"]


def test_the_gate_holds_the_generator_back(config, dataset, state):
    closed = dataclasses.replace(config, adversary=dataclasses.replace(config.adversary, gate=0.0))
    after, metrics = run(closed, config.phases[2], dataset, state, 3, 4)
    jax.tree.map(np.testing.assert_array_equal, after.params, state.params)
    assert metrics["generator_updates"] == 0 and after.step == 3
    changed = jax.tree.map(
        lambda a, b: (a != b).any(), after.adversary.params, state.adversary.params
    )
    assert any(jax.tree.leaves(changed))


def test_pretraining_moves_the_discriminator_alone_and_ends_early(config, dataset, state):
    phase = config.phases[1]
    after, metrics = run(config, phase, dataset, state, 2, 3)
    jax.tree.map(np.testing.assert_array_equal, after.params, state.params)
    assert after.step == 2 == metrics["updates"]
    eager = dataclasses.replace(
        config, adversary=dataclasses.replace(config.adversary, pretrain_until=0.9)
    )
    after, metrics = run(eager, phase, dataset, state, 2, 3)
    assert after.step == 3 and metrics["updates"] == 1, "done: on to the end of the phase"


def final(config, workdir):
    with Checkpoints(workdir / "checkpoints") as checkpoints:
        tree = {"state": loop.initial_state(config).tree(), "scaler": None}
        tree["scaler"] = {"mean": np.zeros((1, 2), np.float32), "std": np.ones(2, np.float32)}
        return steps.TrainState(**checkpoints.restore(checkpoints.latest(), tree)["state"])


def test_a_run_repeats_and_resumes_exactly(quick, dataset, tmp_path, monkeypatch):
    loop.train(quick, dataset, tmp_path / "one", io.StringIO())
    expected = final(quick, tmp_path / "one")
    save = Checkpoints.save
    for stop in (4, 6):

        def fail(self, step, tree, error, stop=stop):
            save(self, step, tree, error)
            if step >= stop:
                self.wait()
                raise InterruptedError

        monkeypatch.setattr(Checkpoints, "save", fail)
        with pytest.raises(InterruptedError):
            loop.train(quick, dataset, tmp_path / "two", io.StringIO())
    monkeypatch.undo()
    loop.train(quick, dataset, tmp_path / "two", io.StringIO())
    jax.tree.map(np.testing.assert_array_equal, final(quick, tmp_path / "two"), expected)


def test_a_decided_game_ends_early_and_says_so(quick, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(adversarial, "verdict", lambda adversary, gate: "the discriminator has won")
    says = io.StringIO()
    loop.train(quick, dataset, tmp_path, says)
    assert "stopped at step 6: the discriminator has won" in says.getvalue()
    assert final(quick, tmp_path).step == 9, "a finished run"
    _, _, step = run_folder.load_model(str(tmp_path), quick)
    assert step == 9, "the latest, not the one with the least error"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["naomi", "single_res", "maskgan", "grui"])
def test_every_model_learns_from_its_adversary(kind, dataset, tmp_path):
    settings = {
        **SETTINGS,
        "model": {**SETTINGS["model"], "kind": kind},
        "teacher_forced": PHASE,
        "discriminator": {**SETTINGS["discriminator"], "pretrain_updates": 0},
    }
    config = run_config.resolve(settings, dataset.train.shape)
    first = loop.initial_state(config)
    loop.train(config, dataset, tmp_path, io.StringIO())
    last = final(config, tmp_path)
    assert last.step == 4
    moved = jax.tree.map(lambda a, b: (a != b).any(), last.params, first.params)
    assert all(jax.tree.leaves(moved))


@pytest.mark.parametrize(
    "real,imputed,message",
    [
        (0.99, 0.001, "has won"),
        (0.9, 0.85, "has collapsed"),
        (0.2, 0.5, "has collapsed"),
        (0.5, 0.5, None),
        (0.45, 0.5, None),
        (0.9, 0.05, None),
    ],
)
def test_verdict(real, imputed, message, state):
    adversary = state.adversary.replace(real=jnp.array(real), imputed=jnp.array(imputed))
    said = adversarial.verdict(adversary, 0.8)
    assert said is None if message is None else message in said


@pytest.mark.parametrize(
    "change,message",
    [
        ({"model": {**SETTINGS["model"], "kind": "gan"}}, "model.kind: 'gan'; one of naomi"),
        ({"discriminator": {**SETTINGS["discriminator"], "hidden": 0}}, "discriminator.hidden: 0"),
        (
            {"discriminator": {**SETTINGS["discriminator"], "pretrain_updates": -1}},
            "discriminator.pretrain_updates: -1",
        ),
    ],
)
def test_a_wrong_setting_is_named(change, message, dataset):
    with pytest.raises(InputError) as caught:
        run_config.resolve({**SETTINGS, **change}, dataset.train.shape)
    assert message in str(caught.value)
