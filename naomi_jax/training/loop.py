"""The loop around the compiled updates: phases, validation, checkpoints, interruption, resuming."""

import contextlib
import dataclasses
import io
import math
import os
import signal
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from naomi_jax.data import masks, metrics
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import chain
from naomi_jax.errors import InputError
from naomi_jax.methods.fitted import Fitted
from naomi_jax.training import adversary, devices, objectives
from naomi_jax.training.batches import Source
from naomi_jax.training.checkpoints import Checkpoints
from naomi_jax.training.log import Log
from naomi_jax.training.optimizer import make_optimizer
from naomi_jax.training.plan import Plan, PlannedPhase, make_plan
from naomi_jax.training.settings import Run
from naomi_jax.training.state import TrainState, initial_state, with_params

CHECKPOINTS = "checkpoints"  # their folder in a run's
_SECONDS_PER_CHUNK = 1.0


class Interrupted(Exception):
    """The user asked to stop; everything up to `step`, the updates done, is saved."""

    def __init__(self, step: int):
        super().__init__(f"stopped at step {step}")
        self.step = step


class _Session(NamedTuple):
    """What stays the same from the first update to the last.

    Attributes:
      run: the settings.
      plan: the same in updates.
      source: what batches are drawn from.
      validate: params -> error in the data's units.
      save: (state, error) writes a checkpoint.
      log: where progress goes.
      stop_requested: whether the user asked to stop.
    """

    run: Run
    plan: Plan
    source: Source
    validate: Callable
    save: Callable
    log: Log
    stop_requested: Callable


def train(run: Run, dataset: Dataset, workdir: str | os.PathLike, stream=None, params=None) -> None:
    """Train to the end, from the latest checkpoint in `workdir` if there is one.

    The result depends on settings and data alone: not on how often the run was interrupted, nor on
    how many updates were done between two looks at the clock.

    Args:
      run: the settings.
      dataset: its data.
      workdir: an existing folder; checkpoints/ and metrics.jsonl are written there.
      stream: where progress goes; sys.stderr by default.
      params: to begin with, where there is no checkpoint; None draws them.

    Raises:
      InputError: the loss is no longer finite, or something cannot be read or written.
      Interrupted: after SIGINT or SIGTERM, once the state is saved.
    """
    fitted, data = chain.fit(run.transforms, dataset)
    plan = make_plan(run, dataset.train.shape)
    mesh = devices.mesh(min(plan.batch.size, len(data)))
    plan = dataclasses.replace(plan, batch=dataclasses.replace(plan.batch, mesh=mesh))
    source = _source(run, fitted, data, mesh)
    statistics = devices.replicate(fitted.standardizer._asdict(), mesh)
    if mesh is None:
        fitted = fitted._replace(batch=source.transforms)  # neighbors are on the device already
    validate = _validator(run, dataset, fitted, mesh)
    folder = os.path.join(workdir, CHECKPOINTS)
    with Checkpoints(folder) as checkpoints, _stop_requests() as stop_requested:

        def tree(state):
            return {"state": state.tree(), "scaler": statistics}

        def save(state, error):
            checkpoints.save(int(state.step), tree(state), error)

        state = initial_state(run, plan)
        if params is not None:
            state = with_params(state, params, state.average is not None)
        state = devices.replicate(state, mesh)
        latest = checkpoints.latest()
        if latest is not None:
            restored = checkpoints.restore(latest, tree(state))
            state = TrainState(**restored["state"])
        with Log(*_record(workdir, stream), plan.updates, int(state.step)) as log:
            if int(state.step):
                log.say(f"resuming at step {int(state.step)} of {plan.updates}")
            session = _Session(run, plan, source, validate, save, log, stop_requested)
            _run_phases(session, state)


def _source(run, fitted, data, mesh) -> Source:
    """What batches are drawn from, on every device; neighbors look into the same array."""
    data = devices.replicate(data, mesh)
    on_device = tuple(
        transform.replace(memory=data) if hasattr(transform, "memory") else transform
        for transform in fitted.batch
    )
    given = run.masks.train.rows(data.shape[1])
    key = jax.random.fold_in(jax.random.key(run.seed), 1)
    return Source(data, on_device, key, None if given is None else jnp.asarray(given))


def _record(workdir, stream):
    """Where metrics and progress go: nowhere, but for the main process."""
    if devices.is_main_process():
        return os.path.join(workdir, "metrics.jsonl"), stream
    return os.devnull, io.StringIO()


def _run_phases(session: _Session, state: TrainState) -> None:
    """All phases that are not done yet, one after the other."""
    begin = 0
    for phase in session.plan.phases:
        end = begin + phase.updates
        if int(state.step) < end:
            if int(state.step) == begin and phase.fresh:
                fresh = make_optimizer(phase, state.params).init(state.params)
                fresh = devices.replicate(fresh, session.plan.batch.mesh)
                state = state.replace(opt_state=fresh)
            state = _run_phase(session, state, phase, end)
        begin = end


def _run_phase(session: _Session, state: TrainState, phase: PlannedPhase, end: int) -> TrainState:
    """Updates until `end` are done, in chunks of about a second between two looks at the host.

    Metrics are read one chunk late, when the next one is under way, so that the device never waits.
    """
    run, plan = session.run, session.plan
    update = objectives.make_run(
        phase, run.kind, plan.batch, run.method, run.adversary, run.average
    )
    step, size, unread = int(state.step), 1, None
    began = time.monotonic()
    while step < end:
        due = min((step // plan.eval_updates + 1) * plan.eval_updates, end)
        stop = min(step + size, due)
        state, metrics = update(state, session.source, stop, end)
        _read(unread, phase, session.log)
        unread = stop, metrics
        now = time.monotonic()
        size = _next_size(stop - step, now - began, size)
        began, step = now, stop
        size, asked = devices.sync(size, session.stop_requested())
        if step == due or asked:
            _read(unread, phase, session.log)
            unread = None
            state, step = _save(session, state, phase, step, due, end)
            began = time.monotonic()
        if asked:
            raise Interrupted(step)
    return state


def _save(session, state, phase, step, due, end) -> tuple[TrainState, int]:
    """Validate where it is due, and write a checkpoint; the phase may have ended early."""
    error = None
    if step == due:
        state, why = _ended(session.run, state, phase, end)
        if why:
            session.log.say(why)
    step = int(state.step)  # beyond `due` where the phase was done early
    if step >= due:
        error = session.validate(state.model)
        session.log.validation(phase.key, step, error)
    session.save(state, error)
    return state, step


def _ended(run, state, phase, end):
    """The state, moved to the end of the adversarial phase if that has failed, and why."""
    why = None
    if phase.objective == "adversarial":
        why = adversary.verdict(state.adversary, run.adversary.gate)
    if why is None:
        return state, None
    at = int(state.step)
    return state.replace(step=jnp.full_like(state.step, end)), f"stopped at step {at}: {why}"


def _next_size(done, seconds, size):
    """Chunks that take about _SECONDS_PER_CHUNK; at most doubling, as the first one compiles."""
    wanted = done * _SECONDS_PER_CHUNK / max(seconds, 1e-3)
    return max(1, int(min(wanted, 2 * size)))


def _read(unread: tuple[int, Any] | None, phase: PlannedPhase, log: Log) -> None:
    """Log a chunk's metrics; this waits for the chunk."""
    if unread is None:
        return
    step, metrics = unread
    metrics = {key: float(value) for key, value in metrics.items()}
    if not metrics.pop("updates"):
        return  # the phase was over
    loss = metrics["loss"]
    if not math.isfinite(loss):
        name = f"--phases.{phase.key}.optimizer"
        raise InputError(
            f"the {phase.key} loss is {loss} at step {step}; nothing was saved since the last "
            f"checkpoint: lower {name}.learning_rate or {name}.clip, in a new --workdir"
        )
    log.train(phase.key, step, metrics)


def _validator(run, dataset, fitted, mesh):
    """params -> mean squared error over the missing entries of the validation set, data's units."""
    key = jax.random.fold_in(jax.random.key(run.seed), 2)
    given, config = run.masks.test.rows(dataset.steps), run.masks.test.resolve(dataset.steps)
    val_masks = masks.draw_many(key, config, len(dataset.val), dataset.steps, given)
    method = devices.on_mesh(run.kind, mesh)

    def validate(params):
        filled = Fitted(method, params, fitted).fill(dataset.val, val_masks, key)
        return metrics.mean(metrics.missing_l2(dataset.val, np.asarray(filled), val_masks))

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
