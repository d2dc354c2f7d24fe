"""The loop around the compiled steps: phases, validation, checkpoints, interruption, resuming."""

import contextlib
import dataclasses
import functools
import io
import math
import os
import signal
import time

import jax
import jax.numpy as jnp

from naomi_jax.data import billiards, masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import neighbors as neighbours
from naomi_jax.data.transforms import standardize as standardise
from naomi_jax.errors import InputError
from naomi_jax.methods import fill as bulk
from naomi_jax.training import adversarial, devices, steps
from naomi_jax.training.checkpoints import Checkpoints
from naomi_jax.training.config import RunConfig
from naomi_jax.training.log import Log

CHECKPOINTS = "checkpoints"  # their folder in a run's
_SECONDS_PER_CHUNK = 1.0


class Interrupted(Exception):
    """The user asked to stop; everything up to `step` is saved."""

    def __init__(self, step: int):
        super().__init__(f"stopped at step {step}")
        self.step = step


def train(
    config: RunConfig, dataset: Dataset, workdir: str | os.PathLike, stream=None, params=None
) -> None:
    """Train to the end, from the latest checkpoint in `workdir` if there is one.

    The result depends on config and data alone: not on how often the run was interrupted, nor on
    how many updates were done between two looks at the clock.

    Args:
      config: the run.
      dataset: its data.
      workdir: an existing folder; checkpoints/ and metrics.jsonl are written there.
      stream: where progress goes; sys.stderr by default.
      params: to begin with, where there is no checkpoint; None draws them.

    Raises:
      InputError: the loss is no longer finite, or something cannot be read or written.
      Interrupted: after SIGINT or SIGTERM, once the state is saved.
    """
    train_data = dataset.train
    if config.box_symmetries:
        train_data = billiards.symmetries(train_data)
    scaler = standardise.fit(train_data, config.standardise)
    given = None
    if config.masks.kind == "file":
        given = jnp.asarray(masks.load(config.mask_file, dataset.steps))
    mesh = devices.mesh(min(config.batch.size, len(train_data)))
    batch = dataclasses.replace(config.batch, mesh=mesh)
    if batch.neighbours:
        batch = dataclasses.replace(batch, overlap=neighbours.overlap(train_data))
    data = devices.replicate(scaler(train_data), mesh)
    saved_scaler = devices.replicate(scaler.statistics(), mesh)
    if batch.neighbours:
        scaler = scaler._replace(memory=scaler(train_data), neighbours=batch.neighbours)
    validate = _validator(config, dataset, scaler, given, mesh)
    key = jax.random.fold_in(jax.random.key(config.seed), 1)
    total = sum(phase.steps for phase in config.phases)
    checkpoints_path = os.path.join(workdir, CHECKPOINTS)
    with Checkpoints(checkpoints_path) as checkpoints, _stop_requests() as stop_requested:
        state = initial_state(config)
        if params is not None:
            average = None if state.average is None else jax.tree.map(jnp.copy, params)
            state = state.replace(params=params, average=average)
        state = devices.replicate(state, mesh)
        if checkpoints.latest() is not None:
            tree = {"state": state.tree(), "scaler": saved_scaler}
            tree = checkpoints.restore(checkpoints.latest(), tree)
            state = steps.TrainState(**tree["state"])
        first = int(state.step)
        with Log(*_record(workdir, stream), total, first) as log:
            if first:
                log.say(f"resuming at step {first} of {total}")

            def save(state, error):
                tree = {"state": state.tree(), "scaler": saved_scaler}
                checkpoints.save(int(state.step), tree, error)

            begin = 0
            for phase in config.phases:
                end = begin + phase.steps
                if int(state.step) < end:
                    if int(state.step) == begin:
                        fresh = steps.make_optimizer(phase).init(state.params)
                        fresh = devices.replicate(fresh, mesh)
                        state = state.replace(opt_state=fresh)
                    run = steps.make_run(
                        phase, config.functions, batch, config.adversary, config.average
                    )
                    args = (run, data, key, given, end, phase.name, config)
                    state = _run_phase(state, *args, validate, save, log, stop_requested)
                begin = end


def _record(workdir, stream):
    """Where metrics and progress go: nowhere, but for the first process."""
    if devices.leads():
        return os.path.join(workdir, "metrics.jsonl"), stream
    return os.devnull, io.StringIO()


def initial_state(config: RunConfig) -> steps.TrainState:
    """The state before the first update."""
    key = jax.random.key(config.seed)
    params = config.functions.init(key, config.model)
    opt_state = steps.make_optimizer(config.phases[0]).init(params)
    adversary = None
    if config.adversary is not None:
        key = jax.random.fold_in(key, 3)
        adversary = adversarial.init(key, config.adversary, config.functions, config.model.dim)
    state = steps.TrainState(jnp.zeros((), jnp.int32), params, opt_state, adversary)
    # A copy, as the state is donated to each step.
    return state.replace(average=jax.tree.map(jnp.copy, params)) if config.average else state


def _run_phase(
    state, run, data, key, given, end, name, config, validate, save, log, stop_requested
):
    """Updates up to step `end`, in chunks of about a second between two looks at the host.

    Metrics are read one chunk late, when the next one is under way, so that the device never waits.
    """
    step, size, unread = int(state.step), 1, None
    began = time.monotonic()
    while step < end:
        due = min((step // config.eval_steps + 1) * config.eval_steps, end)
        stop = min(step + size, due)
        state, metrics = run(state, data, key, stop, end, given)
        unread = _read(unread, name, log), (stop, metrics)
        unread = unread[1]
        now = time.monotonic()
        size = _next_size(stop - step, now - began, size)
        began, step = now, stop
        size, asked = devices.agree(size, stop_requested())
        if step == due or asked:
            _read(unread, name, log)
            unread = None
            error = None
            if step == due:
                state, why = _ended(state, end, name, config)
                if why:
                    log.say(why)
            step = int(state.step)  # beyond `due` where the phase was done early
            if step >= due:
                error = float(validate(state.model))
                log.validation(name, step, error)
            save(state, error)
            began = time.monotonic()
        if asked:
            raise Interrupted(step)
    return state


def _ended(state, end, name, config):
    """The state, moved to the end of the adversarial phase if that has failed, and why."""
    why = None
    if name == "adversarial":
        why = adversarial.verdict(state.adversary, config.adversary.gate)
    if why is None:
        return state, None
    at = int(state.step)
    return state.replace(step=jnp.full_like(state.step, end)), f"stopped at step {at}: {why}"


def _next_size(done, seconds, size):
    """Chunks that take about _SECONDS_PER_CHUNK; at most doubling, as the first one compiles."""
    wanted = done * _SECONDS_PER_CHUNK / max(seconds, 1e-3)
    return max(1, int(min(wanted, 2 * size)))


def _read(unread, name, log):
    """Log a chunk's metrics; this waits for the chunk."""
    if unread is None:
        return
    step, metrics = unread
    metrics = {key: float(value) for key, value in metrics.items()}
    if not metrics.pop("updates"):
        return  # the phase was over
    loss = metrics["loss"]
    if not math.isfinite(loss):
        raise InputError(
            f"the {name} loss is {loss} at step {step}; nothing was saved since the last checkpoint: "
            f"lower --config.{name}.learning_rate or --config.{name}.clip, in a new --workdir"
        )
    log.train(name, step, metrics)


def _validator(config, dataset, scaler, given, mesh):
    """params -> mean squared error over the missing entries of the validation set, data's units."""
    key = jax.random.fold_in(jax.random.key(config.seed), 2)
    val_masks = masks.draw_many(key, config.masks, len(dataset.val), dataset.steps, given)
    impute = functools.partial(devices.impute, config.functions.impute, mesh)

    def validate(params):
        filled = bulk.impute_all(params, scaler, dataset.val, val_masks, key, impute=impute)
        return bulk.missing_error(dataset.val, filled, val_masks)

    return validate


@contextlib.contextmanager
def _stop_requests():
    """Turns SIGINT and SIGTERM into a flag; a second SIGINT stops at once."""
    asked = []

    def handler(number, frame):
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    try:
        old = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: signals are the caller's business
        old = {}
    try:
        yield lambda: bool(asked)
    finally:
        for number, previous in old.items():
            signal.signal(number, previous)
