"""Training as pure functions: what happens on the device between two looks from the host."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import chex
import flax.struct
import jax
import jax.numpy as jnp
import optax

from naomi_jax import imputation, losses, model
from naomi_jax.data import masks
from naomi_jax.errors import InputError

SCHEDULES = ("constant", "cosine", "step")


@dataclasses.dataclass(frozen=True)
class PhaseConfig:
    """One phase of training.

    Attributes:
      loss: "teacher_forced" or "free_running".
      steps: updates in this phase.
      learning_rate: Adam's, at its highest.
      schedule: "constant"; "cosine" to zero; "step", a tenth from `drop` on (the paper).
      drop: share of the steps before a "step" schedule falls.
      warmup: updates over which the rate rises from zero.
      clip: largest global norm of the gradient.
      weight_decay: of AdamW, on matrices only; 0 is Adam.
      scale_inputs: the weights that read the data take min(1, H / D) times the rate. Adam moves each
        of them alike, so D > H of them move a unit's sum further than its H recurrent ones do.
    """

    loss: str
    steps: int
    learning_rate: float
    schedule: str = "cosine"
    drop: float = 0.5
    warmup: int = 0
    clip: float = 10.0
    weight_decay: float = 0.0
    scale_inputs: bool = False

    def __post_init__(self):
        if self.loss not in LOSSES:
            raise InputError(f"loss: {self.loss!r}; one of {', '.join(LOSSES)} is needed")
        if self.schedule not in SCHEDULES:
            raise InputError(
                f"schedule: {self.schedule!r}; one of {', '.join(SCHEDULES)} is needed"
            )


@flax.struct.dataclass
class TrainState:
    """What a run is at one moment; a checkpoint holds all of it.

    Attributes:
      step: updates done, over all phases.
      params: the model.
      opt_state: the optimiser's, fresh at the start of each phase.
    """

    step: chex.Array
    params: model.Params
    opt_state: Any


def make_optimizer(phase: PhaseConfig) -> optax.GradientTransformation:
    """Adam with clipping and the phase's learning rate."""
    rate, rest = phase.learning_rate, max(phase.steps - phase.warmup, 1)
    if phase.schedule == "cosine":
        rate = optax.cosine_decay_schedule(rate, rest)
    elif phase.schedule == "step":
        rate = optax.piecewise_constant_schedule(
            rate, {int(phase.drop * phase.steps) - phase.warmup: 0.1}
        )
    else:
        rate = optax.constant_schedule(rate)
    if phase.warmup:
        rise = optax.linear_schedule(0.0, phase.learning_rate, phase.warmup)
        rate = optax.join_schedules([rise, rate], [phase.warmup])
    return optax.chain(
        optax.clip_by_global_norm(phase.clip),
        optax.adamw(
            rate,
            weight_decay=phase.weight_decay,
            mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params),
        ),
        optax.stateless(_scale_inputs) if phase.scale_inputs else optax.identity(),
    )


def _scale_inputs(updates, params):
    del params

    def scaled(layers):
        dim, hidden = layers[0]["wx"].shape[0], layers[0]["wh"].shape[0]
        first = {**layers[0], "wx": layers[0]["wx"] * min(1, hidden / dim)}
        return (first, *layers[1:])

    return {**updates, "gru": scaled(updates["gru"]), "back_gru": scaled(updates["back_gru"])}


def _free_running(params, x, mask, key):
    filled = imputation.impute(params, x, mask, key)
    return losses.missing_error(x, filled, mask)


def _teacher_forced(params, x, mask, key):
    del key
    return losses.teacher_forced(params, x, mask)


LOSSES: dict[str, Callable] = {"teacher_forced": _teacher_forced, "free_running": _free_running}


@functools.lru_cache(maxsize=8)  # runs in one process that differ in data or seed compile once
def make_run(
    phase: PhaseConfig,
    batch_size: int,
    mask_config: masks.MaskConfig,
    mask_per_sequence: bool = False,
) -> Callable:
    """The compiled inner loop of a phase.

    Returns:
      run(state, data, key, stop, given) -> (state, mean loss), a jitted function that takes `state`
      (donated) from its step to `stop`. data (N, T, D) is standardised and stays on the device; `key`
      is the run's and never changes, so that a step depends on its number alone and not on
      where the loop was entered; `given` (M, T) are the masks of a mask file, or None.
    """
    optimizer = make_optimizer(phase)
    loss = LOSSES[phase.loss]

    def update(state, data, key, given):
        order_key, step_key = jax.random.split(key)
        mask_key, sample_key = jax.random.split(jax.random.fold_in(step_key, state.step))
        x = data[_batch_index(order_key, state.step, data.shape[0], batch_size)]
        if mask_per_sequence:
            mask = masks.draw_many(mask_key, mask_config, x.shape[0], x.shape[1], given)
        else:
            mask = masks.draw(mask_key, mask_config, x.shape[1], given)
        value, gradient = jax.value_and_grad(loss)(state.params, x, mask, sample_key)
        updates, opt_state = optimizer.update(gradient, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        return TrainState(state.step + 1, params, opt_state), value

    def run(state, data, key, stop, given):
        first = state.step

        def body(_, carry):
            state, total = carry
            state, value = update(state, data, key, given)
            return state, total + value

        state, total = jax.lax.fori_loop(first, stop, body, (state, jnp.zeros(())))
        return state, total / jnp.maximum(stop - first, 1)

    return jax.jit(run, donate_argnums=0)


def _batch_index(key, step, count, batch_size):
    """Rows of a batch: each epoch is a fresh permutation, cut into whole batches."""
    batch_size = min(batch_size, count)
    epoch, batch = jnp.divmod(step, count // batch_size)
    order = jax.random.permutation(jax.random.fold_in(key, epoch), count)
    return jax.lax.dynamic_slice_in_dim(order, batch * batch_size, batch_size)
