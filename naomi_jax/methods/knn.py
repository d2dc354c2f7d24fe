"""K nearest neighbors: the average of the k training sequences closest on the shown steps."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from naomi_jax.methods import registry
from naomi_jax.methods.method import Method

ArrayLike = Array | np.ndarray

_CANDIDATES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)


class Neighbors(NamedTuple):
    """What `impute` needs.

    Attributes:
      sequences: the training data.
      weights: of the nearest, the next, ...: 1 / k for k of them, then 0, so that trying many k
        compiles once.
    """

    sequences: Float[Array, "N T D"]
    weights: Float[Array, " K"]


def fit(
    train: Float[ArrayLike, "N T D"],
    val: Float[ArrayLike, "M T D"],
    val_masks: Shaped[ArrayLike, "M T"],
) -> tuple[Neighbors, str]:
    """The training sequences, with the k that fills `val` best."""
    k = choose_k(train, val, val_masks)
    return keep(train, k), f"k = {k}"


def keep(train: Float[ArrayLike, "N T D"], k: int) -> Neighbors:
    """Keep the training sequences; k is at most N."""
    k = min(k, len(train))
    most = max(k, min(max(_CANDIDATES), len(train)))
    return Neighbors(jnp.asarray(train), jnp.where(jnp.arange(most) < k, 1.0 / k, 0.0))


def choose_k(
    train: Float[ArrayLike, "N T D"],
    val: Float[ArrayLike, "M T D"],
    masks: Shaped[ArrayLike, "M T"],
    candidates: Sequence[int] = _CANDIDATES,
) -> int:
    """The k with the least squared error on the missing steps of `val`."""

    def error(k):
        filled = impute(keep(train, k), val, masks)
        return float((jnp.square(filled - val) * (1 - masks)[..., None]).sum())

    return min((k for k in candidates if k <= len(train)), key=error)


@jax.jit
def impute(
    params: Neighbors, x: Float[ArrayLike, "B T D"], mask: Shaped[ArrayLike, "*B T"], key=None
) -> Float[Array, "B T D"]:
    """Fill x under mask (T,) or (B, T). `key` is ignored."""
    del key
    mask = jnp.broadcast_to(mask != 0, x.shape[:2])[..., None]
    x = jnp.where(mask, x, 0)

    def one(x, mask):
        distance = jnp.square(jnp.where(mask[None], params.sequences - x[None], 0)).sum((1, 2))
        _, nearest = jax.lax.top_k(-distance, params.weights.shape[0])
        average = jnp.tensordot(params.weights, params.sequences[nearest], axes=1)
        return jnp.where(mask, x, average)

    return jax.lax.map(lambda args: one(*args), (x, mask))


KNN = registry.register(
    Method(name="knn", title="KNN", impute=impute, fit=fit, color="#7b3294", dashes=(0, (5, 1)))
)
