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

from naomi_jax.errors import InputError
from naomi_jax.methods import losses
from naomi_jax.methods.registry import Model
from naomi_jax.training import adversarial, batches
from naomi_jax.training.adversarial import Adversary, AdversaryConfig
from naomi_jax.training.batches import BatchConfig

PHASES = ("teacher_forced", "free_running", "discriminator", "adversarial")
SCHEDULES = ("constant", "cosine", "step")


@dataclasses.dataclass(frozen=True)
class PhaseConfig:
    """One phase of training.

    Attributes:
      name: one of PHASES: teacher forcing; the model's own imputations; the discriminator alone;
        both players.
      steps: updates in this phase.
      learning_rate: Adam's, at its highest.
      schedule: "constant"; "cosine" to zero; "step", a tenth from `drop` on (the paper).
      drop: share of the steps before a "step" schedule falls.
      warmup: updates over which the rate rises from zero.
      clip: largest global norm of the gradient.
      weight_decay: of AdamW, on matrices only; 0 is Adam.
      scale_inputs: the weights that read the data take min(1, H / D) times the rate. Adam moves each
        of them alike, so D > H of them move a unit's sum further than its H recurrent ones do.
      root_share: first share of the free-running phase that counts each sequence by the root of its
        error (`losses.missing_root_error`); the rest goes by the squared error.
    """

    name: str
    steps: int
    learning_rate: float
    schedule: str = "cosine"
    drop: float = 0.5
    warmup: int = 0
    clip: float = 10.0
    weight_decay: float = 0.0
    scale_inputs: bool = False
    root_share: float = 0.0

    def __post_init__(self):
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
      adversary: the discriminator, or None in a run without an adversarial phase.
      average: the exponential moving average of params, or None.
    """

    step: chex.Array
    params: Any
    opt_state: Any
    adversary: Adversary | None = None
    average: Any = None

    @property
    def model(self):
        """The parameters to impute with."""
        return self.params if self.average is None else self.average

    def tree(self) -> dict:
        """As it is saved: without an average where there is none, as runs were before there was one."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {k: v for k, v in fields.items() if k != "average" or v is not None}


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

    encoders = {name: scaled(updates[name]) for name in ("gru", "back_gru") if name in updates}
    return {**updates, **encoders}


@functools.lru_cache(maxsize=8)  # runs in one process that differ in data or seed compile once
def make_run(
    phase: PhaseConfig,
    model: Model,
    batch: BatchConfig,
    adversary: AdversaryConfig | None = None,
    average: float = 0.0,
) -> Callable:
    """The compiled inner loop of a phase; `average` is the decay of the parameters' moving average.

    Returns:
      run(state, data, key, stop, end, given) -> (state, metrics), a jitted function that takes `state`
      (donated) from its step to `stop`. data (N, T, D) is standardised and stays on the device; `key`
      is the run's and never changes, so that a step depends on its number alone and not on
      where the loop was entered; `end` is the phase's last step, which a phase that is done early
      jumps to; `given` (M, T) are the masks of a mask file, or None. metrics is a dict of means over
      the updates, and "updates", their number.
    """
    if phase.name == "discriminator":
        update, names = _pretraining(model, batch, adversary)
    elif phase.name == "adversarial":
        update, names = _adversarial(phase, model, batch, adversary)
    else:
        update, names = _supervised(phase, model, batch)

    def run(state, data, key, stop, end, given):
        per_epoch = batches.steps_of_epoch(batch, len(data))

        def order_at(step):
            return batches.epoch_order(batch, key, step, len(data))

        def body(carry):
            state, order, total = carry
            order = jax.lax.cond(
                state.step % per_epoch == 0, lambda: order_at(state.step), lambda: order
            )
            state, metrics = update(state, data, key, end, given, order)
            state = _follow(state, average)
            return state, order, jax.tree.map(jnp.add, total, {**metrics, "updates": 1.0})

        zeros = {name: jnp.zeros(()) for name in (*names, "updates")}
        state, _, total = jax.lax.while_loop(
            lambda c: c[0].step < stop, body, (state, order_at(state.step), zeros)
        )
        count = total.pop("updates")
        means = jax.tree.map(lambda sum_: sum_ / jnp.maximum(count, 1), total)
        return state, {**means, "updates": count}

    return jax.jit(run, donate_argnums=0)


def _follow(state, decay):
    """The state with its average moved towards the parameters; faster in the beginning."""
    if state.average is None:
        return state
    step = state.step.astype(jnp.float32)
    decay = jnp.minimum(decay, (1 + step) / (10 + step))
    return state.replace(average=optax.incremental_update(state.params, state.average, 1 - decay))


def _supervised(phase, model, batch):
    """(update, names of its metrics): one gradient step on a loss."""
    optimizer = make_optimizer(phase)

    def loss(params, x, mask, key, left):
        if phase.name == "teacher_forced":
            return model.teacher_forced(params, x, mask)
        imputed = model.impute(params, x, mask, key)
        error = losses.missing_error(x, imputed, mask)
        if not phase.root_share:
            return error
        rooted = left > (1 - phase.root_share) * phase.steps
        return jnp.where(rooted, losses.missing_root_error(x, imputed, mask), error)

    def update(state, data, key, end, given, order):
        x, mask, sample_key = batches.draw(batch, data, key, state.step, given, order)
        value, gradient = jax.value_and_grad(loss)(
            state.params, x, mask, sample_key, end - state.step
        )
        params, opt_state = _apply(optimizer, gradient, state.opt_state, state.params)
        state = state.replace(step=state.step + 1, params=params, opt_state=opt_state)
        return state, {"loss": value}

    return update, ("loss",)


def _apply(optimizer, gradient, opt_state, params):
    updates, opt_state = optimizer.update(gradient, opt_state, params)
    return optax.apply_updates(params, updates), opt_state


_OUTPUTS = ("real_output", "imputed_output")


def _outputs(adversary):
    return {"real_output": adversary.real, "imputed_output": adversary.imputed}


def _discriminate(model, batch, config, number, state, data, key, given):
    """One update of the discriminator, on a batch of its own."""
    x, mask, sample_key = batches.draw(
        batch, data, jax.random.fold_in(key, number), state.step, given
    )
    imputed = model.impute(state.params, x, mask, sample_key)
    return adversarial.update_discriminator(config, model, state.adversary, x, imputed, mask)


def _pretraining(model, batch, config):
    """(update, names): one update of the discriminator alone; jumps to `end` once it is good."""

    def update(state, data, key, end, given, order):
        adversary, loss, _ = _discriminate(model, batch, config, 1, state, data, key, given)
        done = adversary.imputed < config.pretrain_until
        step = jnp.where(done, end, state.step + 1).astype(state.step.dtype)
        metrics = {"loss": loss, **_outputs(adversary)}
        return state.replace(step=step, adversary=adversary), metrics

    return update, ("loss", *_OUTPUTS)


def _adversarial(phase, model, batch, config):
    """(update, names): k updates of the discriminator, then the generator's if the gate is open."""
    optimizer = make_optimizer(phase)

    def generate(state, data, key, given, order):
        x, mask, sample_key = batches.draw(batch, data, key, state.step, given, order)
        value, gradient = jax.value_and_grad(adversarial.generator_loss, argnums=2)(
            config, model, state.params, state.adversary.params, x, mask, sample_key
        )
        params, opt_state = _apply(optimizer, gradient, state.opt_state, state.params)
        return state.replace(params=params, opt_state=opt_state), value

    def update(state, data, key, end, given, order):
        def once(number, carry):
            here = state.replace(adversary=carry[0])
            return _discriminate(model, batch, config, number, here, data, key, given)

        zero = jnp.zeros(())
        adversary, discriminator_loss, output = jax.lax.fori_loop(
            1, config.updates + 1, once, (state.adversary, zero, zero)
        )
        state = state.replace(adversary=adversary)
        is_open = output < config.gate
        state, loss = jax.lax.cond(
            is_open, lambda s: generate(s, data, key, given, order), lambda s: (s, zero), state
        )
        metrics = {
            "loss": loss,  # 0 where the gate is closed
            "discriminator_loss": discriminator_loss,
            "generator_updates": is_open.astype(jnp.float32),
            **_outputs(adversary),
        }
        return state.replace(step=state.step + 1), metrics

    return update, ("loss", "discriminator_loss", "generator_updates", *_OUTPUTS)
