"""Training objectives on standardized values; scalars to be minimized."""

import functools
import operator

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Shaped

from naomi_jax.recursion import model
from naomi_jax.recursion import teacher_forced as predictions

_ROOT_FLOOR = 1e-3  # keeps the gradient of a root finite where there is no error


def gaussian_nll(
    target: Float[Array, "..."], mean: Float[Array, "..."], std: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Elementwise negative log-likelihood under N(mean, std^2), with the constant."""
    # softplus underflows to 0 in float32 near -104: the floor keeps loss and gradient finite.
    return -jax.scipy.stats.norm.logpdf(target, mean, jnp.maximum(std, 1e-4))


def prediction_error(
    target: Float[Array, "..."], mean: Float[Array, "..."], std: Float[Array, "..."] | None
) -> Float[Array, "..."]:
    """Elementwise squared error where std is None, else the negative log-likelihood."""
    return optax.squared_error(mean, target) if std is None else gaussian_nll(target, mean, std)


def teacher_forced(
    params: model.Params, x: Float[Array, "B T D"], mask: Shaped[Array, "*B T"]
) -> Float[Array, ""]:
    """Loss of all (step, level) pairs at once (docs/design.md, Teacher forcing).

    Squared error for a deterministic model, Gaussian negative log-likelihood for a stochastic one;
    summed over pairs and dimensions, divided by T and by B.

    Args:
      params: the model.
      x: complete sequences.
      mask: (T,) or (B, T), 1 = shown.
    """
    errors = [
        prediction_error(target, mean, std).sum()
        for mean, std, target in predictions.teacher_forced(params, x, mask)
    ]
    return functools.reduce(operator.add, errors) / (x.shape[0] * x.shape[1])


def missing_error(
    x: Float[Array, "B T D"], imputed: Float[Array, "*S B T D"], mask: Shaped[Array, "*B T"]
) -> Float[Array, ""]:
    """Mean squared error over the missing entries: the free-running loss.

    Args:
      x: truth.
      imputed: perhaps with a leading axis of samples.
      mask: (T,) or (B, T), 1 = shown. With nothing missing the error is 0.
    """
    return weighted_mean(optax.squared_error(imputed, x), (mask == 0)[..., None])


def missing_root_error(
    x: Float[Array, "B T D"], imputed: Float[Array, "B T D"], mask: Shaped[Array, "*B T"]
) -> Float[Array, ""]:
    """The mean over sequences of the root of each one's mean squared error on missing entries.

    A sequence counts with its distance, not the square of it: the few that go wrong altogether
    leave more of the gradient to the rest.

    Args:
      x, imputed: truth and imputation, standardized.
      mask: (T,) or (B, T), 1 = shown. A sequence with nothing missing counts as one without error.
    """
    mean = weighted_mean(optax.squared_error(imputed, x), (mask == 0)[..., None], axis=(-2, -1))
    return jnp.sqrt(mean + _ROOT_FLOOR).mean()


def discriminator(
    real: Float[Array, "B S"], imputed: Float[Array, "B S"], weights: Shaped[Array, "#B #S"]
) -> Float[Array, ""]:
    """Binary cross-entropy of the discriminator: real sequences are 1, imputed ones 0.

    Args:
      real, imputed: logits.
      weights: which of them count, such as the missing steps.
    """
    return weighted_mean(_cross_entropy(real, 1.0) + _cross_entropy(imputed, 0.0), weights)


def generator(imputed: Float[Array, "B S"], weights: Shaped[Array, "#B #S"]) -> Float[Array, ""]:
    """Cross-entropy of the discriminator's logits on imputed sequences toward 1."""
    return weighted_mean(_cross_entropy(imputed, 1.0), weights)


def _cross_entropy(logits, label):
    return optax.sigmoid_binary_cross_entropy(logits, jnp.full_like(logits, label))


def weighted_mean(
    values: Float[Array, "..."],
    weights: Shaped[Array, "..."],
    axis: int | tuple[int, ...] | None = None,
) -> Float[Array, "..."]:
    """Mean over `axis` of values where weights (broadcast to values) are 1; 0 where none is."""
    weights = jnp.broadcast_to(weights, values.shape).astype(values.dtype)
    return (values * weights).sum(axis) / jnp.maximum(weights.sum(axis), 1)
