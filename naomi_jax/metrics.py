"""The paper's metrics, on (B, T, D) arrays in the data's own units."""

import chex
import jax.numpy as jnp


def missing_l2(x: chex.Array, imputed: chex.Array, mask: chex.Array) -> chex.Array:
    """Squared error over the missing entries of each sequence: (sum (B,), entries (B,)).

    The mean squared error is the total of the first over the total of the second.
    """
    missing = (jnp.broadcast_to(mask, x.shape[:2]) == 0)[..., None]
    error = jnp.where(missing, jnp.square(imputed - x), 0).sum((1, 2))
    return error, missing.sum((1, 2)) * x.shape[2]
