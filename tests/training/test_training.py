"""The training loop on a tiny run: resuming, logs, checkpoints, and what it says when it cannot go on."""

import dataclasses
import io
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naomi_jax
from naomi_jax.data import masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import report
from naomi_jax.methods import fill as bulk
from naomi_jax.methods import losses
from naomi_jax.recursion import model
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import batches, loop, steps
from naomi_jax.training import config as run_config
from naomi_jax.training.checkpoints import Checkpoints

PHASE = dict(
    epochs=3,
    learning_rate=1e-2,
    schedule="cosine",
    drop=0.5,
    warmup_epochs=1,
    clip=1.0,
    weight_decay=0.0,
)
SETTINGS = {
    "model": dict(kind="naomi", hidden=4, layers=1, levels=2, head_hidden=3, stochastic=False),
    "masks": dict(kind="random", low=2, high=5, per_sequence=False, file=""),
    "standardise": "step",
    "batch_size": 4,
    "eval_epochs": 2,
    "seed": 0,
    "teacher_forced": PHASE,
    "free_running": {**PHASE, "learning_rate": 5e-3},
    "adversarial": {**PHASE, "epochs": 0},
}


@pytest.fixture(scope="module")
def dataset():
    rng = np.random.default_rng(0)
    walk = rng.standard_normal((16, 7, 2)).cumsum(1).astype(np.float32) + 3
    return Dataset("files", "a walk", False, walk[:9], walk[9:12], walk[12:])


@pytest.fixture(scope="module")
def config(dataset):
    return run_config.resolve(SETTINGS, dataset.train.shape)


def final(workdir, config):
    with Checkpoints(workdir / "checkpoints") as checkpoints:
        tree = {"state": loop.initial_state(config).tree(), "scaler": None}
        tree["scaler"] = {"mean": np.zeros((7, 2), np.float32), "std": np.ones(2, np.float32)}
        tree = checkpoints.restore(checkpoints.latest(), tree)
        return checkpoints.latest(), steps.TrainState(**tree["state"])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, dataset, config):
    workdir = tmp_path_factory.mktemp("run")
    loop.train(config, dataset, workdir, io.StringIO())
    return workdir


def records(workdir):
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def test_a_run_learns_and_logs(undisturbed, dataset, config):
    step, state = final(undisturbed, config)
    assert step == int(state.step) == 12
    errors = {r["step"]: r["val_error"] for r in records(undisturbed) if "val_error" in r}
    assert list(errors) == [4, 6, 8, 12], "every second epoch, and at the end of a phase"
    assert errors[12] < errors[4]
    losses_of = [r["step"] for r in records(undisturbed) if "loss" in r]
    assert losses_of == sorted(set(losses_of)) and losses_of[-1] == 12


@pytest.mark.parametrize("stops", [[1], [4, 9], [2, 6, 11]])
def test_an_interrupted_run_ends_where_the_undisturbed_one_does(
    stops, undisturbed, dataset, config, tmp_path, monkeypatch
):
    read = loop._read
    for stop in stops:
        asked = []

        def watch(unread, name, log, stop=stop, asked=asked):
            read(unread, name, log)
            if unread is not None and unread[0] >= stop:
                asked.append(True)

        monkeypatch.setattr(loop, "_read", watch)
        monkeypatch.setattr(loop, "_next_size", lambda *_: 1)
        monkeypatch.setattr(loop, "_stop_requests", lambda asked=asked: _requests(asked))
        with pytest.raises(loop.Interrupted) as caught:
            loop.train(config, dataset, tmp_path, io.StringIO())
        assert stop <= caught.value.step <= stop + 2
    monkeypatch.undo()
    says = io.StringIO()
    loop.train(config, dataset, tmp_path, says)
    assert f"resuming at step {caught.value.step} of 12" in says.getvalue()
    jax.tree.map(
        np.testing.assert_array_equal, final(tmp_path, config)[1], final(undisturbed, config)[1]
    )
    seen = [r["step"] for r in records(tmp_path) if "loss" in r]
    assert seen == sorted(set(seen)) and seen[-1] == 12


def test_the_average_follows_the_parameters_and_imputes(dataset, tmp_path):
    config = run_config.resolve({**SETTINGS, "average": 0.7}, dataset.train.shape)
    loop.train(config, dataset, tmp_path, io.StringIO())
    step, state = final(tmp_path, config)
    run = steps.make_run(config.phases[-1], config.functions, config.batch, None, 0.7)
    data = jnp.asarray(dataset.train)
    first = jax.tree.map(jnp.copy, state)
    later, _ = run(state, data, jax.random.key(0), step + 1, step + 2, None)
    decay = 14 / 23  # at step 13: still rising to 0.7
    expected = jax.tree.map(lambda a, p: decay * a + (1 - decay) * p, first.average, later.params)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), later.average, expected
    )
    validated = [r["val_error"] for r in records(tmp_path) if "val_error" in r]
    mask_key = jax.random.fold_in(jax.random.key(0), 2)
    mask = masks.draw_many(mask_key, config.batch.masks, len(dataset.val), 7)
    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        assert checkpoints.best() is not None
    model_ = report.fitted(str(tmp_path), config)
    error = bulk.missing_error(dataset.val, model_.fill(dataset.val, mask, None), mask)
    np.testing.assert_allclose(error, min(validated), rtol=1e-4)
    plain = run_config.resolve(SETTINGS, dataset.train.shape)
    assert loop.initial_state(plain).average is None
    with pytest.raises(InputError, match="average: 1.0 is not a decay"):
        run_config.resolve({**SETTINGS, "average": 1.0}, dataset.train.shape)


class _requests:
    def __init__(self, asked):
        self.asked = asked

    def __enter__(self):
        return lambda: bool(self.asked)

    def __exit__(self, *exception):
        pass


def test_records_past_the_checkpoint_are_dropped(undisturbed, dataset, config, tmp_path):
    loop.train(config, dataset, tmp_path, io.StringIO())
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 99, "phase": "free_running", "loss": 1}\n{"step": 100, "ph')
    loop.train(config, dataset, tmp_path, io.StringIO())
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


def test_a_damaged_or_foreign_checkpoint_is_named(tmp_path, undisturbed, config, dataset):
    other = dataclasses.replace(config, model=dataclasses.replace(config.model, hidden=5))
    with pytest.raises(InputError, match="cannot be read as a checkpoint of this model"):
        final(undisturbed, other)
    loop.train(config, dataset, tmp_path, io.StringIO())
    latest = tmp_path / "checkpoints" / "12"
    for files, message in [
        ("default/d/*", "checkpoint 12 cannot be read .* delete 12/"),
        ("metrics/*", r"checkpoint \d* ?o?r? ?12 is damaged .* delete its folder"),
    ]:
        for file in latest.glob(files):
            file.write_bytes(b"garbage")
        with pytest.raises(InputError, match=message) as caught:
            loop.train(config, dataset, tmp_path, io.StringIO())
        assert "\n" not in str(caught.value)


def test_a_loss_that_is_not_finite_ends_the_run(dataset, config, tmp_path):
    phase = dataclasses.replace(config.phases[1], learning_rate=1e30, clip=1e30, warmup=0)
    with pytest.raises(InputError, match="the free_running loss is .* lower --config.free_running"):
        loop.train(dataclasses.replace(config, phases=(phase,)), dataset, tmp_path, io.StringIO())


def test_a_run_folder_is_claimed_once(tmp_path, dataset):
    folder = str(tmp_path / "run")
    assert not run_folder.claim(folder, SETTINGS, dataset)
    assert run_folder.claim(folder, SETTINGS, dataset)
    changed = {**SETTINGS, "model": {**SETTINGS["model"], "hidden": 8}}
    with pytest.raises(InputError, match=r"other settings \(model.hidden: 4, now 8\)"):
        run_folder.claim(folder, changed, dataset)
    other = dataclasses.replace(dataset, source="another walk")
    with pytest.raises(InputError, match="data: 'a walk', now 'another walk'"):
        run_folder.claim(folder, SETTINGS, other)
    (tmp_path / "run" / "config.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        run_folder.read(folder)
    with pytest.raises(InputError, match="not the folder of a run"):
        run_folder.read(str(tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        run_folder.claim(str(tmp_path / "file" / "run"), SETTINGS, dataset)


def test_the_best_model_of_a_run(undisturbed, config, dataset):
    params, scaler, step = run_folder.load_model(str(undisturbed), config)
    np.testing.assert_allclose(scaler.mean, dataset.train.mean(0), rtol=1e-5)
    errors = {r["step"]: r["val_error"] for r in records(undisturbed) if "val_error" in r}
    assert step == min(errors, key=errors.get)
    with pytest.raises(InputError, match="no checkpoints yet"):
        run_folder.load_model(str(undisturbed / "nowhere"), config)


@pytest.mark.parametrize(
    "change,message",
    [
        ({"batch_size": 0}, "batch_size: 0"),
        ({"model": {**SETTINGS["model"], "levels": 0}}, "model: levels: 0"),
        (
            {"model": {**SETTINGS["model"], "kind": "rnn", "context": True}},
            "model.context: only naomi and single_res have it",
        ),
        ({"masks": {**SETTINGS["masks"], "kind": "x"}}, "masks.kind: 'x'; one of random, block"),
        ({"masks": {**SETTINGS["masks"], "high": 7}}, "2 to 7 missing steps do not fit"),
        (
            {"masks": {**SETTINGS["masks"], "training_low": 6}},
            "masks.training_low: 6 is not between",
        ),
        ({"free_running": {**PHASE, "schedule": "x"}}, "free_running.schedule: 'x'"),
        ({"root_share": 1.5}, "root_share: 1.5 is not between 0 and 1"),
        ({"teacher_forced": {**PHASE, "epochs": -1}}, "teacher_forced: epochs"),
        (
            {"teacher_forced": {**PHASE, "epochs": 0}, "free_running": {**PHASE, "epochs": 0}},
            "adversarial.epochs are all 0",
        ),
    ],
)
def test_a_wrong_setting_is_named(change, message, dataset):
    with pytest.raises(InputError) as caught:
        run_config.resolve({**SETTINGS, **change}, dataset.train.shape)
    assert message in str(caught.value)


def test_shares_of_missing_steps():
    settings = {**SETTINGS, "masks": {**SETTINGS["masks"], "low": 0.3, "high": 0.99}}
    resolved = run_config.resolve(settings, (9, 10, 2))
    assert resolved.batch.masks == resolved.masks == masks.MaskConfig("random", 3, 9)
    settings["masks"]["training_low"] = 0.8
    resolved = run_config.resolve(settings, (9, 10, 2))
    assert (resolved.batch.masks.low, resolved.masks.low) == (8, 3)


def test_the_last_share_of_free_running_goes_by_the_squared_error(dataset):
    shares = {
        p.name: p.root_share
        for p in run_config.resolve({**SETTINGS, "root_share": 0.5}, (9, 7, 2)).phases
    }
    assert shares.pop("free_running") == 0.5 and not any(shares.values())
    phase = steps.PhaseConfig("free_running", 4, 0.0, schedule="constant", root_share=0.5)
    batch = batches.BatchConfig(100, masks.MaskConfig("tail", 3, 3))
    resolved = run_config.resolve(SETTINGS, dataset.train.shape)
    run = steps.make_run(phase, resolved.functions, batch)
    state = loop.initial_state(resolved)
    state = state.replace(opt_state=steps.make_optimizer(phase).init(state.params))
    data, mask = jnp.asarray(dataset.train), jnp.array([1, 1, 1, 1, 0, 0, 0])
    filled = naomi_jax.impute(state.params, data, mask)
    both = [
        float(error(data, filled, mask))
        for error in (losses.missing_root_error, losses.missing_error)
    ]
    assert abs(both[0] - both[1]) > 0.01
    seen = []
    for stop in range(11, 15):  # the phase is steps 10 to 13 of its run
        state = state.replace(step=jnp.array(stop - 1, state.step.dtype))
        state, metrics = run(state, data, jax.random.key(0), stop, 14, None)
        seen.append(float(metrics["loss"]))
    np.testing.assert_allclose(seen, [both[0]] * 2 + [both[1]] * 2, rtol=1e-5)


def test_an_epoch_sees_every_sequence_once():
    key, config = jax.random.key(0), batches.BatchConfig(4, masks.MaskConfig("random", 1, 2))
    epochs = []
    for epoch in range(2):
        steps_ = [jnp.array(3 * epoch + i) for i in range(3)]
        orders = [batches.epoch_order(config, key, step, 12) for step in steps_]
        epochs.append(np.concatenate([batches.rows(o, s, 4) for o, s in zip(orders, steps_)]))
        np.testing.assert_array_equal(np.sort(epochs[-1]), np.arange(12))
    assert (epochs[0] != epochs[1]).any()
    assert batches.rows(jnp.arange(3), jnp.array(5), 64).shape == (3,), "fewer than a batch"


@pytest.mark.parametrize(
    "root_share,error",
    [
        (0.0, losses.missing_error),
        (0.05, losses.missing_root_error),
        (1.0, losses.missing_root_error),
    ],
)
def test_a_step_is_adamw_on_the_loss(dataset, root_share, error):
    """One update, against the same written out with numpy."""
    phase = steps.PhaseConfig(
        "free_running",
        10,
        1e-2,
        schedule="constant",
        clip=0.1,
        weight_decay=0.3,
        root_share=root_share,
    )
    mask_config = masks.MaskConfig("tail", 3, 3)
    resolved = run_config.resolve(SETTINGS, dataset.train.shape)
    state = loop.initial_state(resolved)
    before = jax.tree.map(np.asarray, state.params)
    state = state.replace(opt_state=steps.make_optimizer(phase).init(state.params))
    run = steps.make_run(phase, resolved.functions, batches.BatchConfig(100, mask_config))
    after, metrics = run(state, jnp.asarray(dataset.train), jax.random.key(0), 1, 10, None)
    mask = np.array([1, 1, 1, 1, 0, 0, 0])

    def objective(params):
        filled = naomi_jax.impute(params, dataset.train, mask)
        return error(dataset.train, filled, mask)

    value, gradient = jax.value_and_grad(objective)(before)
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
    phase = steps.PhaseConfig("free_running", 10, 1e-2)
    params = model.init(jax.random.key(0), model.ModelConfig(8, 2, 2, 1, 3))
    updates = []
    for scale_inputs in (False, True):
        optimizer = steps.make_optimizer(dataclasses.replace(phase, scale_inputs=scale_inputs))
        gradient = jax.tree.map(jnp.sin, params)
        updates.append(optimizer.update(gradient, optimizer.init(params), params)[0])
    ratios = jax.tree.map(lambda plain, scaled: np.unique(scaled / plain), *updates)
    expected = jax.tree.map(lambda _: 1.0, params)
    expected["gru"][0]["wx"], expected["back_gru"][0]["wx"] = 2 / 8, 2 / 9
    jax.tree.map(np.testing.assert_allclose, ratios, expected)


@pytest.mark.parametrize("kind", ["random", "block", "tail"])
def test_masks(kind):
    drawn = np.asarray(masks.draw_many(jax.random.key(0), masks.MaskConfig(kind, 2, 5), 400, 12))
    missing = (drawn == 0).sum(1)
    assert set(missing) == {2, 3, 4, 5} and (drawn[:, 0] == 1).all()
    assert np.isin(drawn, (0, 1)).all()
    if kind == "random":
        assert (drawn[:, 1:] == 0).mean(0).min() > 0.2, "every place"
    runs = (np.diff(drawn, axis=1) == -1).sum(1)
    if kind != "random":
        assert (runs == 1).all()
    assert (drawn[:, -1] == 0).all() == (kind == "tail")


def test_a_mask_file(tmp_path):
    rows = np.array([[1, 0, 1], [1, 1, 0]])
    np.save(tmp_path / "m.npy", rows)
    given = masks.load(tmp_path / "m.npy", 3)
    drawn = masks.draw_many(
        jax.random.key(0), masks.MaskConfig("file", 0, 0), 20, 3, jnp.asarray(given)
    )
    assert {tuple(r) for r in np.asarray(drawn).astype(int)} == {tuple(r) for r in rows}
    for content, message in [
        (rows[:, :2], r"shape \(2, 2\); masks of 3 steps"),
        (rows * 2, "values other than 0"),
    ]:
        np.save(tmp_path / "m.npy", content)
        with pytest.raises(InputError, match=message):
            masks.load(tmp_path / "m.npy", 3)
    np.savez(tmp_path / "m.npz", other=rows)
    with pytest.raises(InputError, match="no key 'mask'"):
        masks.load(tmp_path / "m.npz", 3)
    with pytest.raises(InputError, match="no such mask file"):
        masks.load(tmp_path / "no.npy", 3)
    (tmp_path / "m.npy").write_text("x")
    with pytest.raises(InputError, match="not a readable"):
        masks.load(tmp_path / "m.npy", 3)


def test_missing_error_counts_missing_entries_only():
    x = jnp.zeros((2, 3, 2))
    filled = x.at[0, 1].set(2.0).at[1, 2].set(100.0)
    mask = jnp.array([[1, 0, 0], [1, 0, 1]])
    assert losses.missing_error(x, filled, mask) == pytest.approx(2 * 4 / 6)
    assert losses.missing_error(x, filled, jnp.ones(3)) == 0


def test_root_error_counts_each_sequence_by_its_distance():
    x = jnp.zeros((3, 3, 2))
    filled = x.at[0, 1].set(2.0).at[1, 1:].set(3.0).at[1, 0].set(100.0)
    mask = jnp.array([[1, 0, 0], [1, 0, 0], [1, 1, 1]])
    expected = (2 / np.sqrt(2) + 3) / 3  # the third has nothing missing
    assert losses.missing_root_error(x, filled, mask) == pytest.approx(expected, rel=0.01)
    gradient = jax.grad(lambda f: losses.missing_root_error(x, f, mask))(x)
    assert not np.asarray(gradient).any(), "finite, and zero, where there is no error"
