"""What a stochastic model predicts: a mixture of K Gaussians for each lane of each target.

The columns of a lane (x and y of a player, say) share the component: whether a player stands or
runs, turns left or right, is the same for both coordinates. Given the component they are
independent. K = 1 is a Gaussian for each entry. Targets that share a pivot are correlated
(`noise`).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class Mixture(NamedTuple):
    """The distribution of the entries of Q targets.

    Attributes:
      mean, std: of each component.
      log_weight: logarithms of the components' weights, which sum to 1; G lanes of D / G columns.
      correlation: of the noise of targets that share a pivot, one for all or each sequence.
    """

    mean: Float[Array, "B Q D K"]
    std: Float[Array, "B Q D K"]
    log_weight: Float[Array, "B Q G K"]
    correlation: Float[Array, "L 1 1"]


def log_likelihood(
    mixture: Mixture, truth: Float[Array, "B Q D"], wanted: Bool[Array, "B Q D"]
) -> Float[Array, "B Q G"]:
    """Of the wanted entries of each lane together; 0 in a lane without any."""
    return jax.nn.logsumexp(_by_component(mixture, truth, wanted), axis=-1)


def noise_of(
    mixture: Mixture, truth: Float[Array, "B Q D"], wanted: Bool[Array, "B Q D"]
) -> Float[Array, "B Q D"]:
    """The normal noise that would have drawn the truth from its lane's most likely component."""
    chosen = _by_component(mixture, truth, wanted).argmax(-1, keepdims=True)
    center, scale = _of(mixture, chosen)
    return jnp.where(wanted, (truth - center) / scale, 0)


def mean(mixture: Mixture) -> Float[Array, "B Q D"]:
    """The mean over the components."""
    return (mixture.mean * _by_column(jnp.exp(mixture.log_weight), mixture)).sum(-1)


def sample(
    mixture: Mixture, normal: Float[Array, "B Q D"], uniform: Float[Array, "B Q G"] | None
) -> Float[Array, "B Q D"]:
    """Entries drawn with given noise; differentiable but for which component it is.

    Args:
      mixture: of the targets.
      normal: standard normal noise.
      uniform: in [0, 1), which chooses each lane's component; None where K = 1.
    """
    if uniform is None:
        return mixture.mean[..., 0] + mixture.std[..., 0] * normal
    below = jnp.cumsum(jnp.exp(mixture.log_weight), axis=-1)[..., :-1]
    chosen = (uniform[..., None] >= below).sum(-1, keepdims=True)
    center, scale = _of(mixture, chosen)
    return center + scale * normal


def _by_component(mixture, truth, wanted):
    """(B, Q, G, K): logarithms of weight times density of each lane's wanted entries together."""
    each = jax.scipy.stats.norm.logpdf(truth[..., None], mixture.mean, mixture.std)
    each = jnp.where(wanted[..., None], each, 0)
    lanes = mixture.log_weight.shape[2]
    together = each.reshape(*each.shape[:2], lanes, -1, each.shape[-1]).sum(3)
    return mixture.log_weight + together


def _of(mixture, chosen):
    """Mean and standard deviation of each lane's chosen component (B, Q, G, 1)."""
    chosen = _by_column(chosen, mixture)
    parts = mixture.mean, mixture.std
    return (jnp.take_along_axis(part, chosen, axis=-1)[..., 0] for part in parts)


def _by_column(by_lane, mixture):
    return jnp.repeat(by_lane, mixture.mean.shape[2] // by_lane.shape[2], axis=2)
