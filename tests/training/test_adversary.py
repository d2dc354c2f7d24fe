"""The adversarial phase: each player's update, the gate, early ends, and repeatable runs."""

import dataclasses
import io

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.data.transforms.channels import ChannelIndependent
from naomi_jax.errors import InputError
from naomi_jax.fields import with_values
from naomi_jax.methods import registry
from naomi_jax.methods.maskgan import MaskGanSettings
from naomi_jax.methods.naomi import NAOMI, NaomiSettings
from naomi_jax.methods.networks import discriminator
from naomi_jax.methods.shared import losses
from naomi_jax.runs import opening, record
from naomi_jax.training import adversary, batches, loop, objectives
from naomi_jax.training.checkpoints import Checkpoints
from naomi_jax.training.optimizer import make_optimizer
from naomi_jax.training.plan import make_plan
from naomi_jax.training.settings import Phase, from_json, to_json
from naomi_jax.training.state import TrainState, initial_state
from tests.settings import ADVERSARY, CONSTANT, adversarial_run


@pytest.fixture(scope="module")
def dataset():
    rng = np.random.default_rng(0)
    walk = rng.standard_normal((14, 6, 2)).cumsum(1).astype(np.float32)
    return Dataset("files", "a walk", False, walk[:8], walk[8:11], walk[11:])


@pytest.fixture(scope="module")
def quick():
    """The model that compiles fastest, for what does not depend on the model."""
    method = MaskGanSettings(hidden=4, layers=1, head_hidden=3, stochastic=True)
    return adversarial_run(method=method)


@pytest.fixture(scope="module")
def plan(dataset):
    return make_plan(adversarial_run(), dataset.train.shape)


@pytest.fixture(scope="module")
def state(plan):
    return initial_state(adversarial_run(), plan)


@pytest.fixture(scope="module")
def source(dataset):
    return batches.Source(jnp.asarray(dataset.train), (), jax.random.key(0))


def run(plan, number, source, state, stop, end, settings=ADVERSARY):
    """Updates of one of the phases."""
    inner = objectives.make_run(plan.phases[number], NAOMI, plan.batch, NaomiSettings(), settings)
    return inner(jax.tree.map(jnp.copy, state), source, stop, end)


def test_phases(plan):
    assert [(phase.objective, phase.updates) for phase in plan.phases] == [
        ("teacher_forced", 2),
        ("discriminator", 3),
        ("adversarial", 4),
    ]


def test_an_update_is_k_of_the_discriminator_then_one_of_the_generator(plan, source, state):
    """Against the same written out, update by update."""
    after, metrics = run(plan, 2, source, state, 1, 4)
    params, players = state.adversary.params, optax.adam(1e-2)
    moments, outputs = players.init(params), []
    for number in (1, 2):
        own = source._replace(key=jax.random.fold_in(source.key, number))
        x, mask, _, sample = batches.draw(plan.batch, own, jnp.array(0))
        imputed = NAOMI.impute(state.params, x, mask, sample)

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
    x, mask, _, sample = batches.draw(plan.batch, source, jnp.array(0))

    def loss_g(generator):
        logits = discriminator.step_logits(params, NAOMI.impute(generator, x, mask, sample))
        return losses.generator(logits, 1 - mask[1:])

    value, gradient = jax.jit(jax.value_and_grad(loss_g))(state.params)
    optimizer = make_optimizer(plan.phases[2], state.params)
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


def test_the_gate_holds_the_generator_back(plan, source, state):
    closed = dataclasses.replace(ADVERSARY, gate=0.0)
    after, metrics = run(plan, 2, source, state, 3, 4, closed)
    jax.tree.map(np.testing.assert_array_equal, after.params, state.params)
    assert metrics["generator_updates"] == 0 and after.step == 3
    changed = jax.tree.map(
        lambda a, b: (a != b).any(), after.adversary.params, state.adversary.params
    )
    assert any(jax.tree.leaves(changed))


def test_the_discriminators_phase_moves_it_alone_and_ends_early(plan, source, state):
    after, metrics = run(plan, 1, source, state, 2, 3)
    jax.tree.map(np.testing.assert_array_equal, after.params, state.params)
    assert after.step == 2 == metrics["updates"]
    eager = dataclasses.replace(ADVERSARY, until=0.9)
    after, metrics = run(plan, 1, source, state, 2, 3, eager)
    assert after.step == 3 and metrics["updates"] == 1, "done: on to the end of the phase"


def final(settings, dataset, workdir):
    state = initial_state(settings, make_plan(settings, dataset.train.shape))
    with Checkpoints(workdir / loop.CHECKPOINTS) as checkpoints:
        tree = {"state": state.tree(), "scaler": None}
        tree["scaler"] = {"mean": np.zeros((1, 2), np.float32), "std": np.ones(2, np.float32)}
        return TrainState(**checkpoints.restore(checkpoints.latest(), tree)["state"])


def test_a_run_repeats_and_resumes_exactly(quick, dataset, tmp_path, monkeypatch):
    loop.train(quick, dataset, tmp_path / "one", io.StringIO())
    expected = final(quick, dataset, tmp_path / "one")
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
    jax.tree.map(np.testing.assert_array_equal, final(quick, dataset, tmp_path / "two"), expected)


def test_a_decided_game_ends_early_and_says_so(quick, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(adversary, "verdict", lambda state, gate: "the discriminator has won")
    record.write(tmp_path, record.make(quick, dataset))
    says = io.StringIO()
    loop.train(quick, dataset, tmp_path, says)
    assert "stopped at step 6: the discriminator has won" in says.getvalue()
    last = final(quick, dataset, tmp_path)
    assert last.step == 9, "a finished run"
    monkeypatch.setattr(Checkpoints, "best", lambda self: pytest.fail("by the least error"))
    model = opening.load(tmp_path)  # the latest
    jax.tree.map(np.testing.assert_array_equal, model.params, last.params)


@pytest.mark.slow
def test_the_discriminator_sees_all_columns_of_a_channel_independent_run(dataset, source):
    settings = adversarial_run(transforms=Transforms(channel_independent=True))
    plan = make_plan(settings, dataset.train.shape)
    state = initial_state(settings, plan)
    assert state.params["gru"][0]["wx"].shape[0] == 1
    assert state.adversary.params["gru"][0]["wx"].shape[0] == 2
    split = source._replace(transforms=(ChannelIndependent(),))
    after, metrics = run(plan, 1, split, state, 1, 3)
    assert after.step == 1 and np.isfinite(metrics["loss"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["naomi", "single_res", "maskgan", "grui"])
def test_every_model_learns_from_its_adversary(name, dataset, tmp_path):
    method = registry.get(name)
    sizes = method.settings(hidden=4, layers=1, head_hidden=3, stochastic=True)
    if name == "naomi":
        sizes = dataclasses.replace(sizes, levels=2)
    settings = adversarial_run(method=sizes, phases=(Phase("adversarial", 2, CONSTANT),))
    first = initial_state(settings, make_plan(settings, dataset.train.shape))
    loop.train(settings, dataset, tmp_path, io.StringIO())
    last = final(settings, dataset, tmp_path)
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
    outputs = state.adversary.replace(real=jnp.array(real), imputed=jnp.array(imputed))
    said = adversary.verdict(outputs, 0.8)
    assert said is None if message is None else message in said


@pytest.mark.parametrize(
    "path,value,message",
    [
        (("adversary", "hidden"), 0, "adversary.hidden: 0; 1 or more is needed"),
        (
            ("phases", "discriminator", "epochs"),
            -1,
            "phases.discriminator.epochs: -1.0; 0 or more is needed",
        ),
    ],
)
def test_a_wrong_setting_is_named(path, value, message):
    with pytest.raises(InputError) as caught:
        with_values(adversarial_run(), {path: value})
    assert message in str(caught.value)


def test_the_phases_need_an_adversary():
    with pytest.raises(InputError, match="adversary: needed by the phase adversarial"):
        adversarial_run(adversary=None)


def test_a_wrong_method_is_named():
    settings = to_json(adversarial_run())
    for name, message in (("gan", "method: 'gan'; one of linear, "), ("knn", "is not trained")):
        settings["method"]["name"] = name
        with pytest.raises(InputError, match=message):
            from_json(settings)
