"""K nearest neighbors: the average of the k training sequences closest on the shown steps."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from naomi_jax.methods import registry
from naomi_jax.methods.method import Method

_CANDIDATES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)


class Neighbors(NamedTuple):
    """What `impute` needs.

    Attributes: sequences (N, T, D), the training data; weights (K,) of the nearest, the next, ...:
    1 / k for k of them, then 0, so that trying many k compiles once."""

    sequences: chex.Array
    weights: chex.Array


def fit(train: chex.Array, val: chex.Array, val_masks: chex.Array) -> tuple["Neighbors", str]:
    """The training sequences (N, T, D), with the k that fills val (M, T, D) best."""
    k = choose_k(train, val, val_masks)
    return keep(train, k), f"k = {k}"


def keep(train: chex.Array, k: int) -> Neighbors:
    """Keep the training sequences (N, T, D); k is at most N."""
    k = min(k, len(train))
    most = max(k, min(max(_CANDIDATES), len(train)))
    return Neighbors(jnp.asarray(train), jnp.where(jnp.arange(most) < k, 1.0 / k, 0.0))


def choose_k(train, val, masks, candidates=_CANDIDATES) -> int:
    """The k with the least squared error on the missing steps of val (N, T, D), masks (N, T)."""

    def error(k):
        filled = impute(keep(train, k), val, masks)
        return float((jnp.square(filled - val) * (1 - masks)[..., None]).sum())

    return min((k for k in candidates if k <= len(train)), key=error)


@jax.jit
def impute(params: Neighbors, x: chex.Array, mask: chex.Array, key=None) -> chex.Array:
    """Fill x (B, T, D) under mask (T,) or (B, T). `key` is ignored."""
    del key
    mask = jnp.broadcast_to(mask != 0, x.shape[:2])[..., None]
    x = jnp.where(mask, x, 0)

    def one(x, mask):
        distance = jnp.square(jnp.where(mask, params.sequences - x, 0)).sum((1, 2))
        _, nearest = jax.lax.top_k(-distance, params.weights.shape[0])
        average = jnp.tensordot(params.weights, params.sequences[nearest], axes=1)
        return jnp.where(mask, x, average)

    return jax.lax.map(lambda args: one(*args), (x, mask))


KNN = registry.register(
    Method(name="knn", title="KNN", impute=impute, fit=fit, color="#7b3294", dashes=(0, (5, 1)))
)
