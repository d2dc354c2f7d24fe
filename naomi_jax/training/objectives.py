"""The objectives of training as pure updates, and the compiled loop over the updates of a phase.

An update is (state, source, end, order) -> (state, metrics); it reads a batch, takes a gradient and
returns the next state. Losses compare standardized values, after the way back through the chain.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from naomi_jax.data.transforms import chain
from naomi_jax.fields import Settings
from naomi_jax.methods.method import Given, Method
from naomi_jax.methods.shared import losses
from naomi_jax.training import adversary, batches
from naomi_jax.training import state as train_state
from naomi_jax.training.batches import BatchConfig
from naomi_jax.training.optimizer import make_optimizer
from naomi_jax.training.plan import PlannedPhase
from naomi_jax.training.settings import Adversary

_ERRORS = {"squared_error": losses.missing_error, "root_error": losses.missing_root_error}


@functools.lru_cache(maxsize=8)  # runs in one process that differ in data or seed compile once
def make_run(
    phase: PlannedPhase,
    method: Method,
    batch: BatchConfig,
    sizes: Settings,
    settings: Adversary | None = None,
    average: float = 0.0,
) -> Callable:
    """The compiled inner loop of a phase.

    Args:
      phase, batch: of the plan.
      method: what is trained.
      sizes: its settings.
      settings: the adversary's, where there is one.
      average: decay of the parameters' moving average.

    Returns:
      run(state, source, stop, end) -> (state, metrics), a jitted function that takes `state`
      (donated) from `state.step` updates to `stop`. An update depends on its number alone, and not
      on where the loop was entered. `end` is the number of updates at the end of the phase, to
      which a phase that is done early jumps. metrics is a dict of means over the updates, and
      "updates", their number.
    """
    if phase.objective == "discriminator":
        update, names = _discriminator_alone(method, batch, settings)
    elif phase.objective == "adversarial":
        update, names = _both_players(phase, method, batch, settings)
    else:
        update, names = _supervised(phase, method, batch, sizes)

    def run(state, source, stop, end):
        count = len(source.data)
        per_epoch = batches.updates_of_epoch(batch, count)

        def order_at(step):
            return batches.epoch_order(batch, source.key, step, count)

        def body(carry):
            state, order, total = carry
            order = jax.lax.cond(
                state.step % per_epoch == 0, lambda: order_at(state.step), lambda: order
            )
            state, metrics = update(state, source, end, order)
            state = train_state.follow(state, average)
            return state, order, jax.tree.map(jnp.add, total, {**metrics, "updates": 1.0})

        zeros = {name: jnp.zeros(()) for name in (*names, "updates")}
        state, _, total = jax.lax.while_loop(
            lambda carry: carry[0].step < stop, body, (state, order_at(state.step), zeros)
        )
        updates = total.pop("updates")
        means = jax.tree.map(lambda sum_: sum_ / jnp.maximum(updates, 1), total)
        return state, {**means, "updates": updates}

    return jax.jit(run, donate_argnums=0)


def impute(method: Method, params, source, drawn):
    """The batch imputed by the method, through the chain and back: (B, T, D) standardized."""
    x, mask, restore = chain.apply(source.transforms, drawn.x, drawn.mask, drawn.rows)
    return restore(method.impute(params, x, mask, drawn.key))


def _supervised(phase, method, batch, sizes):
    """(update, names of its metrics): one step down the gradient of a loss."""

    def loss(params, source, drawn):
        if phase.objective in method.losses:
            x, mask, _ = chain.apply(source.transforms, drawn.x, drawn.mask, drawn.rows)
            given = Given(sizes, drawn.x.shape[1] - batch.masks.low)
            return method.losses[phase.objective](params, x, mask, drawn.key, given)
        imputed = impute(method, params, source, drawn)
        return _ERRORS[phase.objective](drawn.x, imputed, drawn.mask)

    def update(state, source, end, order):
        del end
        drawn = batches.draw(batch, source, state.step, order)
        value, gradient = jax.value_and_grad(loss)(state.params, source, drawn)
        state = _step(phase, state, gradient)
        return state.replace(step=state.step + 1), {"loss": value}

    return update, ("loss",)


def _step(phase, state, gradient):
    """The state after one update by the phase's optimizer."""
    optimizer = make_optimizer(phase, state.params)
    updates, opt_state = optimizer.update(gradient, state.opt_state, state.params)
    return state.replace(params=optax.apply_updates(state.params, updates), opt_state=opt_state)


_OUTPUTS = ("real_output", "imputed_output")


def _outputs(judge):
    return {"real_output": judge.real, "imputed_output": judge.imputed}


def _discriminate(method, batch, settings, number, state, source):
    """One update of the discriminator, on a batch of its own."""
    own = source._replace(key=jax.random.fold_in(source.key, number))
    drawn = batches.draw(batch, own, state.step)
    imputed = impute(method, state.params, source, drawn)
    return adversary.update_discriminator(
        settings, method, state.adversary, drawn.x, imputed, drawn.mask
    )


def _discriminator_alone(method, batch, settings):
    """(update, names): one update of the discriminator alone; jumps to `end` once it is good."""

    def update(state, source, end, order):
        del order
        judge, loss, _ = _discriminate(method, batch, settings, 1, state, source)
        done = judge.imputed < settings.until
        step = jnp.where(done, end, state.step + 1).astype(state.step.dtype)
        return state.replace(step=step, adversary=judge), {"loss": loss, **_outputs(judge)}

    return update, ("loss", *_OUTPUTS)


def _both_players(phase, method, batch, settings):
    """(update, names): k updates of the discriminator, then the generator's if the gate is open."""

    def loss(params, source, drawn, judge):
        imputed = impute(method, params, source, drawn)
        return adversary.generator_loss(settings, method, judge, drawn.x, imputed, drawn.mask)

    def generate(state, source, order):
        drawn = batches.draw(batch, source, state.step, order)
        value, gradient = jax.value_and_grad(loss)(
            state.params, source, drawn, state.adversary.params
        )
        return _step(phase, state, gradient), value

    def update(state, source, end, order):
        del end

        def once(number, carry):
            here = state.replace(adversary=carry[0])
            return _discriminate(method, batch, settings, number, here, source)

        zero = jnp.zeros(())
        judge, judge_loss, output = jax.lax.fori_loop(
            1, settings.updates + 1, once, (state.adversary, zero, zero)
        )
        state = state.replace(adversary=judge)
        is_open = output < settings.gate
        state, value = jax.lax.cond(
            is_open, lambda s: generate(s, source, order), lambda s: (s, zero), state
        )
        metrics = {
            "loss": value,  # 0 where the gate is closed
            "discriminator_loss": judge_loss,
            "generator_updates": is_open.astype(jnp.float32),
            **_outputs(judge),
        }
        return state.replace(step=state.step + 1), metrics

    return update, ("loss", "discriminator_loss", "generator_updates", *_OUTPUTS)
