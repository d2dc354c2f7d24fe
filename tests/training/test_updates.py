"""Single updates: the objectives and the optimizer against the same written out."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naomi_jax
from naomi_jax.data.masks import MaskConfig, Masks
from naomi_jax.methods.shared import losses
from naomi_jax.recursion import model
from naomi_jax.training import batches, objectives
from naomi_jax.training.batches import Source
from naomi_jax.training.optimizer import make_optimizer
from naomi_jax.training.plan import BatchConfig, PlannedPhase, make_plan
from naomi_jax.training.settings import Optimizer, Phase
from naomi_jax.training.state import initial_state
from tests.settings import small_run

BATCH = BatchConfig(100, MaskConfig("tail", 3, 3))


@pytest.fixture(scope="module")
def train():
    rng = np.random.default_rng(0)
    return rng.standard_normal((9, 7, 2)).cumsum(1).astype(np.float32) + 3


def planned(objective, optimizer, updates=10, **changes):
    values = {"horizon": updates, "warmup": 0, "fresh": True, **changes}
    return PlannedPhase(objective, objective, updates, optimizer, **values)


def started(phase):
    """A state whose optimizer is that of the phase."""
    run = small_run()
    state = initial_state(run, make_plan(run, (9, 7, 2)))
    return state.replace(opt_state=make_optimizer(phase, state.params).init(state.params))


ERRORS = {"squared_error": losses.missing_error, "root_error": losses.missing_root_error}


@pytest.mark.parametrize("objective", ERRORS)
def test_a_step_is_adamw_on_the_loss(train, objective):
    """One update, against the same written out with numpy."""
    optimizer = Optimizer(1e-2, schedule="constant", clip=0.1, weight_decay=0.3)
    phase = planned(objective, optimizer)
    state = started(phase)
    before = jax.tree.map(np.asarray, state.params)
    update = objectives.make_run(phase, small_run().kind, BATCH, small_run().method)
    source = Source(jnp.asarray(train), (), jax.random.key(0))
    after, metrics = update(state, source, 1, 10)
    mask = np.array([1, 1, 1, 1, 0, 0, 0])

    def loss(params):
        return ERRORS[objective](train, naomi_jax.impute(params, train, mask), mask)

    value, gradient = jax.value_and_grad(loss)(before)
    np.testing.assert_allclose(metrics["loss"], value, rtol=1e-5)
    norm = np.sqrt(sum(np.square(g).sum() for g in jax.tree.leaves(gradient)))
    gradient = jax.tree.map(lambda g: g * min(1, 0.1 / norm), gradient)

    def expected(p, g):  # Adam's first step, bias corrected: the sign of g
        return p - 1e-2 * (g / (np.abs(g) + 1e-8) + (0.3 * p if p.ndim > 1 else 0))

    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5),
        after.params,
        jax.tree.map(expected, before, gradient),
    )


def test_weights_that_read_wide_data_take_a_lower_rate():
    params = model.init(jax.random.key(0), model.ModelConfig(8, 2, 2, 1, 3))
    updates = []
    for scale_inputs in (False, True):
        phase = planned("squared_error", Optimizer(1e-2, scale_inputs=scale_inputs))
        optimizer = make_optimizer(phase, params)
        gradient = jax.tree.map(jnp.sin, params)
        updates.append(optimizer.update(gradient, optimizer.init(params), params)[0])
    ratios = jax.tree.map(lambda plain, scaled: np.unique(scaled / plain), *updates)
    expected = jax.tree.map(lambda _: 1.0, params)
    expected["gru"][0]["wx"], expected["back_gru"][0]["wx"] = 2 / 8, 2 / 9
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), ratios, expected)


def rates(phase, count):
    """The rate at each update of a gradient that is always the same: Adam moves by the rate."""
    params = {"a": jnp.zeros(())}
    optimizer = make_optimizer(phase, params)
    state, seen = optimizer.init(params), []
    for _ in range(count):
        update, state = optimizer.update({"a": jnp.ones(())}, state, params)
        seen.append(-float(update["a"]))
    return np.array(seen)


def test_schedules():
    cosine = rates(planned("squared_error", Optimizer(0.1), 20, warmup=4), 20)
    np.testing.assert_allclose(cosine[:5], [0, 0.025, 0.05, 0.075, 0.1], rtol=1e-3, atol=1e-6)
    angle = np.pi * np.arange(16) / 16
    np.testing.assert_allclose(cosine[4:], 0.05 * (1 + np.cos(angle)), rtol=1e-3, atol=1e-6)
    constant = rates(planned("squared_error", Optimizer(0.1, schedule="constant"), 9, warmup=2), 9)
    np.testing.assert_allclose(constant, [0, 0.05, *[0.1] * 7], rtol=1e-3, atol=1e-6)


def test_phases_that_share_an_optimizer_share_its_schedule():
    optimizer = Optimizer(warmup_epochs=1)
    phases = (
        Phase("teacher_forced", 2),
        Phase("root_error", 3, optimizer),
        Phase("squared_error", 1.5, optimizer=None),
    )
    first, root, squared = make_plan(small_run(phases=phases), (9, 7, 2)).phases
    assert [p.updates for p in (first, root, squared)] == [4, 6, 3]
    assert [p.horizon for p in (first, root, squared)] == [4, 9, 9]
    assert [p.fresh for p in (first, root, squared)] == [True, True, False]
    assert squared.optimizer == root.optimizer and squared.warmup == root.warmup == 2


def test_an_epoch_sees_every_sequence_once():
    key, config = jax.random.key(0), BatchConfig(4, MaskConfig("random", 1, 2))
    epochs = []
    for epoch in range(2):
        steps = [jnp.array(3 * epoch + i) for i in range(3)]
        orders = [batches.epoch_order(config, key, step, 12) for step in steps]
        epochs.append(np.concatenate([batches.rows(o, s, 4) for o, s in zip(orders, steps)]))
        np.testing.assert_array_equal(np.sort(epochs[-1]), np.arange(12))
    assert (epochs[0] != epochs[1]).any()
    assert batches.rows(jnp.arange(3), jnp.array(5), 64).shape == (3,), "fewer than a batch"


def test_masks_of_training_and_of_testing():
    masks = dataclasses.replace(
        small_run().masks, train=Masks(missing=(4, 5)), test=Masks(missing=(2, 5))
    )
    plan = make_plan(small_run(masks=masks), (9, 7, 2))
    assert (plan.batch.masks.low, plan.batch.masks.high) == (4, 5)
