"""The two players of the adversarial phase, as pure updates (DESIGN section 3).

Generative adversarial imitation with a differentiable generator: the gradient of the discriminator's
logits runs through the reparameterised samples and the whole decode. Both players look at the missing
steps only, the same ones in real and in imputed sequences.
"""

import dataclasses

import chex
import flax.struct
import jax
import jax.numpy as jnp
import optax

from naomi_jax.methods import discriminator, losses
from naomi_jax.methods.registry import Model

_SMOOTHING = 0.9  # of the mean outputs, per update
_WON, _LOST = 0.01, 0.1


@dataclasses.dataclass(frozen=True)
class AdversaryConfig:
    """The discriminator and its part in training; defaults are the published run's.

    Attributes:
      hidden: width of its GRU and hidden layer.
      learning_rate: Adam's.
      clip: largest global norm of its gradient.
      updates: of the discriminator, before each of the generator.
      pretrain_until: pretraining ends when its mean output on imputed steps is below this.
      gate: the generator is updated only while that output is below this.
      step_gain: the discriminator also reads the differences from step to step, times this; 0, as
        published, gives it places alone.
      error_weight: of the missing entries' squared error in the generator's loss. It keeps samples
        from drifting where the discriminator is slow to see it; 0, as published, is the adversary alone.
    """

    hidden: int = 128
    learning_rate: float = 1e-3
    clip: float = 10.0
    updates: int = 3
    pretrain_until: float = 0.3
    gate: float = 0.8
    step_gain: float = 0.0
    error_weight: float = 0.0


@flax.struct.dataclass
class Adversary:
    """The discriminator's state.

    Attributes:
      params: its parameters.
      opt_state: its optimiser's.
      real, imputed: its mean output (a probability) on real and on imputed steps, smoothed over
        about ten updates; 0.5 at the start.
    """

    params: discriminator.Params
    opt_state: optax.OptState
    real: chex.Array
    imputed: chex.Array


def init(key: chex.PRNGKey, config: AdversaryConfig, model: Model, dim: int) -> Adversary:
    """A fresh discriminator for a model's sequences of `dim` values a step."""
    inputs = 2 * dim if config.step_gain else dim
    params = discriminator.init(key, inputs, config.hidden, model.per_step)
    # Two arrays: a donated buffer must not appear twice.
    half = (jnp.full((), 0.5), jnp.full((), 0.5))
    return Adversary(params, _optimizer(config).init(params), *half)


def _optimizer(config):
    return optax.chain(optax.clip_by_global_norm(config.clip), optax.adam(config.learning_rate))


def _weights(model, mask):
    """Which logits count: those of the missing steps, or all of a whole-sequence judge's."""
    return 1 - jnp.atleast_2d(mask)[:, 1:] if model.per_step else jnp.ones((1, 1))


def update_discriminator(
    config: AdversaryConfig, model: Model, adversary: Adversary, x, imputed, mask
) -> tuple[Adversary, chex.Array, chex.Array]:
    """One update toward real 1, imputed 0.

    Args:
      config, model: static.
      adversary: the discriminator's state.
      x, imputed: (B, T, D) real sequences, and the same imputed under `mask`.
      mask: (T,) or (B, T).

    Returns:
      (new state, loss, this batch's mean output on imputed steps).
    """
    weights = _weights(model, mask)
    x, imputed = (discriminator.features(s, config.step_gain) for s in (x, imputed))

    def objective(params):
        real, fake = model.judge(params, x), model.judge(params, imputed)
        outputs = (losses.weighted_mean(jax.nn.sigmoid(l), weights) for l in (real, fake))
        return losses.discriminator(real, fake, weights), tuple(outputs)

    (loss, outputs), gradient = jax.value_and_grad(objective, has_aux=True)(adversary.params)
    updates, opt_state = _optimizer(config).update(gradient, adversary.opt_state)

    def smooth(old, new):
        return _SMOOTHING * old + (1 - _SMOOTHING) * new

    state = Adversary(
        optax.apply_updates(adversary.params, updates),
        opt_state,
        smooth(adversary.real, outputs[0]),
        smooth(adversary.imputed, outputs[1]),
    )
    return state, loss, outputs[1]


def generator_loss(
    config: AdversaryConfig, model: Model, params, adversary_params, x, mask, key
) -> chex.Array:
    """Cross-entropy of the discriminator's output on imputed steps toward 1, and the weighted error."""
    imputed = model.impute(params, x, mask, key)
    logits = model.judge(adversary_params, discriminator.features(imputed, config.step_gain))
    loss = losses.generator(logits, _weights(model, mask))
    if config.error_weight:
        loss = loss + config.error_weight * losses.missing_error(x, imputed, mask)
    return loss


def verdict(adversary: Adversary, gate: float) -> str | None:
    """Why the adversarial phase should end now, or None: a line for the user."""
    real, imputed = float(adversary.real), float(adversary.imputed)
    outputs = f"mean output {real:.3f} on real and {imputed:.3f} on imputed steps"
    if imputed < _WON:
        return f"the discriminator has won ({outputs})"
    if imputed >= gate or real < imputed - _LOST:
        return f"the discriminator has collapsed ({outputs})"
    return None
