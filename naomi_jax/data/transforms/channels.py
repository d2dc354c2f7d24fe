"""Channel independence: each column of a sequence becomes a sequence of its own.

One set of parameters for all of them, as in PatchTST (Nie et al., ICLR 2023). This is right where
columns say nothing about each other, such as the coordinates of a ball among four walls: the method
has D times as many examples of a simpler thing. Not in the paper.
"""

from collections.abc import Callable

import flax.struct
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Shaped

ArrayLike = Array | np.ndarray


class ChannelIndependent(flax.struct.PyTreeNode):
    """(B, T, D) to (B D, T, 1), and back."""

    def apply(
        self,
        x: Float[ArrayLike, "B T D"],
        mask: Shaped[ArrayLike, "..."],
        rows: Int[Array, " B"] | None = None,
    ) -> tuple[Float[Array, "B*D T 1"], Shaped[ArrayLike, "..."], Callable]:
        """As every transform: (columns of x, their masks, the way back).

        Args:
          x: sequences.
          mask: (T,), which all share and which stays as it is; (B, T) or (B, T, D).
          rows: not used.
        """
        del rows
        batch, steps, dim = x.shape

        def restore(filled):
            filled = filled.reshape(*filled.shape[:-3], batch, dim, steps)
            return jnp.swapaxes(filled, -1, -2)

        if mask.ndim > 1:
            entries = mask if mask.ndim == 3 else jnp.asarray(mask)[..., None]
            mask = _columns(jnp.broadcast_to(entries, x.shape))[..., 0]
        return _columns(x), mask, restore


def _columns(x):
    """(B, T, D) to (B D, T, 1); the batch stays outermost, so that devices can share it."""
    return jnp.swapaxes(x, 1, 2).reshape(-1, x.shape[1], 1)
