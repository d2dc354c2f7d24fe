"""The loop around the compiled steps: phases, validation, checkpoints, interruption, resuming."""

import contextlib
import math
import os
import signal
import time

import jax
import jax.numpy as jnp

from naomi_jax import bulk, model
from naomi_jax.data import masks, standardise
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.training import steps
from naomi_jax.training.checkpoints import Checkpoints
from naomi_jax.training.config import RunConfig
from naomi_jax.training.log import Log

_SECONDS_PER_CHUNK = 1.0


class Interrupted(Exception):
    """The user asked to stop; everything up to `step` is saved."""

    def __init__(self, step: int):
        super().__init__(f"stopped at step {step}")
        self.step = step


def train(config: RunConfig, dataset: Dataset, workdir: str | os.PathLike, stream=None) -> None:
    """Train to the end, from the latest checkpoint in `workdir` if there is one.

    The result depends on config and data alone: not on how often the run was interrupted, nor on
    how many updates were done between two looks at the clock.

    Args:
      config: the run.
      dataset: its data.
      workdir: an existing folder; checkpoints/ and metrics.jsonl are written there.
      stream: where progress goes; sys.stderr by default.

    Raises:
      InputError: the loss is no longer finite, or something cannot be read or written.
      Interrupted: after SIGINT or SIGTERM, once the state is saved.
    """
    scaler = standardise.fit(dataset.train, config.standardise)
    given = None
    if config.masks.kind == "file":
        given = jnp.asarray(masks.load(config.mask_file, dataset.steps))
    data = jax.device_put(scaler(dataset.train))
    validate = _validator(config, dataset, scaler, given)
    key = jax.random.fold_in(jax.random.key(config.seed), 1)
    total = sum(phase.steps for phase in config.phases)
    checkpoints_path = os.path.join(workdir, "checkpoints")
    with Checkpoints(checkpoints_path) as checkpoints, _stop_requests() as stop_requested:
        state = initial_state(config)
        if checkpoints.latest() is not None:
            tree = {"state": state, "scaler": scaler._asdict()}
            state = checkpoints.restore(checkpoints.latest(), tree)["state"]
        first = int(state.step)
        with Log(os.path.join(workdir, "metrics.jsonl"), total, first, stream) as log:
            if first:
                log.say(f"resuming at step {first} of {total}")

            def save(state, error):
                tree = {"state": state, "scaler": scaler._asdict()}
                checkpoints.save(int(state.step), tree, error)

            begin = 0
            for phase in config.phases:
                end = begin + phase.steps
                if int(state.step) < end:
                    if int(state.step) == begin:
                        fresh = steps.make_optimizer(phase).init(state.params)
                        state = state.replace(opt_state=fresh)
                    run = steps.make_run(
                        phase, config.batch_size, config.masks, config.mask_per_sequence
                    )
                    args = (run, data, key, given, end, phase.loss, config.eval_steps)
                    state = _run_phase(state, *args, validate, save, log, stop_requested)
                begin = end


def initial_state(config: RunConfig) -> steps.TrainState:
    """The state before the first update."""
    params = model.init(jax.random.key(config.seed), config.model)
    opt_state = steps.make_optimizer(config.phases[0]).init(params)
    return steps.TrainState(jnp.zeros((), jnp.int32), params, opt_state)


def _run_phase(
    state, run, data, key, given, end, name, eval_steps, validate, save, log, stop_requested
):
    """Updates up to step `end`, in chunks of about a second between two looks at the host.

    Losses are read one chunk late, when the next one is under way, so that the device never waits.
    """
    step, size, unread = int(state.step), 1, None
    began = time.monotonic()
    while step < end:
        due = min((step // eval_steps + 1) * eval_steps, end)
        stop = min(step + size, due)
        state, loss = run(state, data, key, stop, given)
        unread = _read(unread, name, log), (stop, loss)
        unread = unread[1]
        now = time.monotonic()
        size = _next_size(stop - step, now - began, size)
        began, step = now, stop
        asked = stop_requested()
        if step == due or asked:
            _read(unread, name, log)
            unread = None
            error = None
            if step == due:
                error = float(validate(state.params))
                log.validation(name, step, error)
            save(state, error)
            began = time.monotonic()
        if asked:
            raise Interrupted(step)
    return state


def _next_size(done, seconds, size):
    """Chunks that take about _SECONDS_PER_CHUNK; at most doubling, as the first one compiles."""
    wanted = done * _SECONDS_PER_CHUNK / max(seconds, 1e-3)
    return max(1, int(min(wanted, 2 * size)))


def _read(unread, name, log):
    """Log a chunk's loss; this waits for the chunk."""
    if unread is None:
        return
    step, loss = unread
    loss = float(loss)
    if not math.isfinite(loss):
        raise InputError(
            f"the {name} loss is {loss} at step {step}; nothing was saved since the last checkpoint: "
            f"lower --config.{name}.learning_rate or --config.{name}.clip, in a new --workdir"
        )
    log.train(name, step, loss)


def _validator(config, dataset, scaler, given):
    """params -> mean squared error over the missing entries of the validation set, data's units."""
    key = jax.random.fold_in(jax.random.key(config.seed), 2)
    val_masks = masks.draw_many(key, config.masks, len(dataset.val), dataset.steps, given)

    def validate(params):
        filled = bulk.impute_all(params, scaler, dataset.val, val_masks, key)
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
