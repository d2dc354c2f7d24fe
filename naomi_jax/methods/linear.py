"""Linear interpolation between the shown steps on both sides; constant beyond the outermost."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped

from naomi_jax.methods import registry
from naomi_jax.methods.method import Method
from naomi_jax.recursion import gaps

ArrayLike = Array | np.ndarray


def fit(train, val, val_masks) -> tuple[tuple, str]:
    """There is nothing to fit."""
    del train, val, val_masks
    return (), ""


def impute(
    params: tuple, x: Float[ArrayLike, "B T D"], mask: Shaped[ArrayLike, "*B T"], key=None
) -> Float[Array, "B T D"]:
    """Fill x under mask (T,) or (B, T); zeros where nothing is shown.

    `params` and `key` are ignored.
    """
    del params, key
    known = jnp.atleast_2d(mask != 0).T[..., None]
    return jnp.swapaxes(gaps.line(jnp.swapaxes(x, 0, 1), known), 0, 1)


LINEAR = registry.register(
    Method(name="linear", title="Linear", impute=impute, fit=fit, color="#4a90c2", dashes=":")
)
