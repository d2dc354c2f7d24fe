"""The training loop on a tiny run: resuming, logs, checkpoints, and what ends it."""

import dataclasses
import io
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.data import masks, metrics
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.runs import opening, record
from naomi_jax.training import loop, objectives
from naomi_jax.training.batches import Source
from naomi_jax.training.checkpoints import Checkpoints
from naomi_jax.training.plan import make_plan
from naomi_jax.training.state import TrainState, initial_state
from tests.settings import small_run, stopped_at


@pytest.fixture(scope="module")
def dataset():
    rng = np.random.default_rng(0)
    walk = rng.standard_normal((16, 7, 2)).cumsum(1).astype(np.float32) + 3
    return Dataset("files", "a walk", False, walk[:9], walk[9:12], walk[12:])


@pytest.fixture(scope="module")
def run():
    return small_run()


def final(workdir, run):
    """(step, state) of the latest checkpoint."""
    plan = make_plan(run, (9, 7, 2))
    with Checkpoints(workdir / "checkpoints", read_only=True) as checkpoints:
        tree = checkpoints.restore(checkpoints.latest(), {"state": initial_state(run, plan).tree()})
        return checkpoints.latest(), TrainState(**tree["state"])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, dataset, run):
    workdir = tmp_path_factory.mktemp("run")
    loop.train(run, dataset, workdir, io.StringIO())
    return workdir


def records(workdir):
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def test_a_run_learns_and_logs(undisturbed, run):
    step, state = final(undisturbed, run)
    assert step == int(state.step) == 12
    errors = {r["step"]: r["val_error"] for r in records(undisturbed) if "val_error" in r}
    assert list(errors) == [4, 6, 8, 12], "every second epoch, and at the end of a phase"
    assert errors[12] < errors[4]
    losses_of = [r["step"] for r in records(undisturbed) if "loss" in r]
    assert losses_of == sorted(set(losses_of)) and losses_of[-1] == 12


@pytest.mark.parametrize("stops", [[1], [4, 9], [2, 6, 11]])
def test_an_interrupted_run_ends_where_the_undisturbed_one_does(
    stops, undisturbed, dataset, run, tmp_path
):
    for stop in stops:
        with stopped_at(stop), pytest.raises(loop.Interrupted) as caught:
            loop.train(run, dataset, tmp_path, io.StringIO())
        assert stop <= caught.value.step <= stop + 2
    says = io.StringIO()
    loop.train(run, dataset, tmp_path, says)
    assert f"resuming at step {caught.value.step} of 12" in says.getvalue()
    jax.tree.map(np.testing.assert_array_equal, final(tmp_path, run)[1], final(undisturbed, run)[1])
    seen = [r["step"] for r in records(tmp_path) if "loss" in r]
    assert seen == sorted(set(seen)) and seen[-1] == 12


def test_the_average_follows_the_parameters_and_imputes(dataset, tmp_path):
    run = small_run(average=0.7)
    plan = make_plan(run, dataset.train.shape)
    loop.train(run, dataset, tmp_path, io.StringIO())
    step, state = final(tmp_path, run)
    update = objectives.make_run(plan.phases[-1], run.kind, plan.batch, run.method, None, 0.7)
    source = Source(jnp.asarray(dataset.train), (), jax.random.key(0))
    state = jax.tree.map(jnp.asarray, state)
    first = jax.tree.map(jnp.copy, state)
    later, _ = update(state, source, step + 1, step + 2)
    decay = 14 / 23  # at step 13: still rising to 0.7
    expected = jax.tree.map(lambda a, p: decay * a + (1 - decay) * p, first.average, later.params)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), later.average, expected
    )
    validated = [r["val_error"] for r in records(tmp_path) if "val_error" in r]
    mask_key = jax.random.fold_in(jax.random.key(0), 2)
    mask = masks.draw_many(mask_key, plan.batch.masks, len(dataset.val), 7)
    record.write(tmp_path, record.make(run, dataset))
    filled = opening.load(tmp_path).fill(dataset.val, mask, None)
    error = metrics.mean(metrics.missing_l2(dataset.val, filled, np.asarray(mask)))
    np.testing.assert_allclose(error, min(validated), rtol=1e-4)
    plain = small_run()
    assert initial_state(plain, make_plan(plain, dataset.train.shape)).average is None


def test_records_past_the_checkpoint_are_dropped(dataset, run, tmp_path):
    loop.train(run, dataset, tmp_path, io.StringIO())
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 99, "phase": "free_running", "loss": 1}\n{"step": 100, "ph')
    loop.train(run, dataset, tmp_path, io.StringIO())
    assert records(tmp_path)[-1]["step"] == 12


def test_latest_and_best_are_kept(tmp_path):
    tree = {"a": np.arange(3.0)}
    with Checkpoints(tmp_path) as checkpoints:
        for step, error in [(1, 5.0), (2, 1.0), (3, 4.0)]:
            checkpoints.save(step, tree, error)
    with Checkpoints(tmp_path) as checkpoints:  # a resumed run knows the best one
        for step, error in [(4, None), (5, 2.0), (6, 2.0)]:
            checkpoints.save(step, tree, error)
        checkpoints.wait()
        assert (checkpoints.best(), checkpoints.latest()) == (2, 6)
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["2", "6"]


def test_a_damaged_or_foreign_checkpoint_is_named(tmp_path, undisturbed, run, dataset):
    other = small_run(method=dataclasses.replace(run.method, hidden=5))
    with pytest.raises(InputError, match="cannot be read as a checkpoint of this model"):
        final(undisturbed, other)
    loop.train(run, dataset, tmp_path, io.StringIO())
    latest = tmp_path / "checkpoints" / "12"
    for files, message in [
        ("default/d/*", "checkpoint 12 cannot be read .* delete 12/"),
        ("metrics/*", r"checkpoint \d* ?o?r? ?12 is damaged .* delete its folder"),
    ]:
        for file in latest.glob(files):
            file.write_bytes(b"garbage")
        with pytest.raises(InputError, match=message) as caught:
            loop.train(run, dataset, tmp_path, io.StringIO())
        assert "\n" not in str(caught.value)


def test_a_loss_that_is_not_finite_ends_the_run(dataset, run, tmp_path):
    optimizer = dataclasses.replace(
        run.phases[1].optimizer, learning_rate=1e30, clip=1e30, warmup_epochs=0.0
    )
    phase = dataclasses.replace(run.phases[1], optimizer=optimizer)
    with pytest.raises(InputError, match="the squared_error loss is .* lower --phases.squared_e"):
        loop.train(small_run(phases=(phase,)), dataset, tmp_path, io.StringIO())


def test_the_best_model_of_a_run(undisturbed, run, dataset):
    record.write(undisturbed, record.make(run, dataset))
    fitted = opening.load(undisturbed)
    mean = fitted.transforms.standardizer.mean
    np.testing.assert_allclose(mean, dataset.train.mean(0), rtol=1e-5)
    errors = {r["step"]: r["val_error"] for r in records(undisturbed) if "val_error" in r}
    best = min(errors, key=errors.get)
    with Checkpoints(undisturbed / "checkpoints", read_only=True) as checkpoints:
        assert checkpoints.best() == best
        params = initial_state(run, make_plan(run, (9, 7, 2))).params
        tree = checkpoints.restore(best, {"state": {"params": params}})
    jax.tree.map(np.testing.assert_array_equal, fitted.params, tree["state"]["params"])


def test_a_run_without_a_checkpoint_is_not_opened(tmp_path, run, dataset):
    record.write(tmp_path, record.make(run, dataset))
    with pytest.raises(InputError, match="no checkpoint yet"):
        opening.load(tmp_path)


def test_reading_leaves_a_checkpoint_that_is_being_written_alone(undisturbed, run):
    unfinished = undisturbed / "checkpoints" / "13.orbax-checkpoint-tmp"
    unfinished.mkdir()
    final(undisturbed, run)
    assert unfinished.exists()
    unfinished.rmdir()
