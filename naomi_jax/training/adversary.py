"""The two players of the adversarial phase, as pure updates (docs/design.md, The adversary).

Generative adversarial imitation with a differentiable generator: the gradient of the
discriminator's logits runs through the reparameterized samples and the whole decode. Both players
look at the missing steps only, the same ones in real and in imputed sequences.
"""

from typing import cast

import flax.struct
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray, Shaped

from naomi_jax.methods.method import Method
from naomi_jax.methods.networks import discriminator
from naomi_jax.methods.shared import losses
from naomi_jax.training.settings import Adversary

_SMOOTHING = 0.9  # of the mean outputs, per update
_WON, _LOST = 0.01, 0.1


class Discriminator(flax.struct.PyTreeNode):
    """The discriminator's state.

    Attributes:
      params: its parameters.
      opt_state: its optimizer's.
      real, imputed: its mean output (a probability) on real and on imputed steps, smoothed over
        about ten updates; 0.5 at the start.
    """

    params: discriminator.Params
    opt_state: optax.OptState
    real: Float[Array, ""]
    imputed: Float[Array, ""]


def init(key: PRNGKeyArray, settings: Adversary, method: Method, dim: int) -> Discriminator:
    """A fresh discriminator for a method's sequences of `dim` values a step."""
    inputs = 2 * dim if settings.step_gain else dim
    params = discriminator.init(key, inputs, settings.hidden, method.judges_steps)
    # Two arrays: a donated buffer must not appear twice.
    half = (jnp.full((), 0.5), jnp.full((), 0.5))
    return Discriminator(params, _optimizer(settings).init(params), *half)


def _optimizer(settings):
    return optax.chain(optax.clip_by_global_norm(settings.clip), optax.adam(settings.learning_rate))


def _weights(method, mask):
    """Which logits count: those of the missing steps, or all of a whole-sequence judge's."""
    return 1 - jnp.atleast_2d(mask)[:, 1:] if method.judges_steps else jnp.ones((1, 1))


def update_discriminator(
    settings: Adversary,
    method: Method,
    state: Discriminator,
    x: Float[Array, "B T D"],
    imputed: Float[Array, "B T D"],
    mask: Shaped[Array, "*B T"],
) -> tuple[Discriminator, Float[Array, ""], Float[Array, ""]]:
    """One update toward real 1, imputed 0.

    Args:
      settings, method: static.
      state: the discriminator's.
      x, imputed: real sequences, and the same imputed under `mask`.
      mask: (T,) or (B, T), 1 = shown.

    Returns:
      (new state, loss, this batch's mean output on imputed steps).
    """
    weights = _weights(method, mask)
    x, imputed = (discriminator.features(s, settings.step_gain) for s in (x, imputed))

    def objective(params):
        real, fake = method.judge(params, x), method.judge(params, imputed)
        outputs = (losses.weighted_mean(jax.nn.sigmoid(l), weights) for l in (real, fake))
        return losses.discriminator(real, fake, weights), tuple(outputs)

    (loss, outputs), gradient = jax.value_and_grad(objective, has_aux=True)(state.params)
    updates, opt_state = _optimizer(settings).update(gradient, state.opt_state)

    def smooth(old, new):
        return _SMOOTHING * old + (1 - _SMOOTHING) * new

    new = Discriminator(
        cast(discriminator.Params, optax.apply_updates(state.params, updates)),
        opt_state,
        smooth(state.real, outputs[0]),
        smooth(state.imputed, outputs[1]),
    )
    return new, loss, outputs[1]


def generator_loss(
    settings: Adversary,
    method: Method,
    params: discriminator.Params,
    x: Float[Array, "B T D"],
    imputed: Float[Array, "B T D"],
    mask: Shaped[Array, "*B T"],
) -> Float[Array, ""]:
    """Cross-entropy of the discriminator's output on imputed steps toward 1, plus the error.

    The error counts with `settings.error_weight`.

    Args:
      settings, method: static.
      params: the discriminator's.
      x, imputed: real sequences, and the same imputed under `mask`.
      mask: (T,) or (B, T), 1 = shown.
    """
    logits = method.judge(params, discriminator.features(imputed, settings.step_gain))
    loss = losses.generator(logits, _weights(method, mask))
    if settings.error_weight:
        loss = loss + settings.error_weight * losses.missing_error(x, imputed, mask)
    return loss


def verdict(state: Discriminator, gate: float) -> str | None:
    """Why the adversarial phase should end now, or None: a line for the user."""
    real, imputed = float(state.real), float(state.imputed)
    outputs = f"mean output {real:.3f} on real and {imputed:.3f} on imputed steps"
    if imputed < _WON:
        return f"the discriminator has won ({outputs})"
    if imputed >= gate or real < imputed - _LOST:
        return f"the discriminator has collapsed ({outputs})"
    return None
