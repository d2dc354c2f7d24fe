"""Channel independence: each column of a sequence becomes a sequence of its own.

One set of parameters for all of them, as in PatchTST (Nie et al., ICLR 2023). Right where columns do
not tell of each other, as the coordinates of a ball among four walls: D times the examples of a
simpler thing. Not in the paper.
"""

from collections.abc import Callable

import chex
import flax.struct
import jax.numpy as jnp


@flax.struct.dataclass
class ChannelIndependent:
    """(B, T, D) to (B D, T, 1), and back."""

    def apply(self, x, mask, rows=None) -> tuple[chex.Array, chex.Array, Callable]:
        """As every transform: (columns of x, their masks, the way back).

        Args:
          x: (B, T, D).
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
