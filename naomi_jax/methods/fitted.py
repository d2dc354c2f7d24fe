"""`Fitted`: a trained method that fills sequences in the data's own units, a batch at a time."""

from typing import Any, NamedTuple

import jax
import numpy as np

from naomi_jax.data.transforms.chain import Chain
from naomi_jax.methods.method import Method

_BATCH = 128
_SAMPLES = 1600  # of all sequences of a batch: memory grows with them


class Fitted(NamedTuple):
    """A trained method.

    Attributes:
      method: what it is.
      params: its parameters.
      transforms: from the data's units to what the method reads, and back.
    """

    method: Method
    params: Any
    transforms: Chain

    def fill(self, x, mask, key=None, num_samples: int | None = None) -> np.ndarray:
        """Fill x (N, T, D) in the data's own units.

        Args:
          x: floating point; what stands at missing entries is ignored, NaN included.
          mask: (N, T), or (N, T, D) one per entry; 1 = shown.
          key: a JAX random key, for stochastic models; each batch takes its own.
          num_samples: n draws n imputations with a leading axis; None draws one without it.

        Returns:
          (N, T, D) in x's dtype, or (n, N, T, D); shown entries are x's, bit for bit.
        """
        size = max(min(_BATCH, len(x), _SAMPLES // (num_samples or 1)), 1)
        parts = []
        for number, begin in enumerate(range(0, len(x), size)):
            # The last batch is filled up, not recompiled.
            rows = np.arange(begin, begin + size) % len(x)
            batch_key = None if key is None else jax.random.fold_in(key, number)
            part = self._fill(np.asarray(x)[rows], np.asarray(mask)[rows], batch_key, num_samples)
            parts.append(part[..., : len(x) - begin, :, :])
        return np.concatenate(parts, axis=-3)

    def _fill(self, x, mask, key, num_samples):
        shown = np.broadcast_to((mask if mask.ndim == 3 else mask[..., None]) != 0, x.shape)
        given = x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float32)
        x = np.where(shown, x, 0).astype(np.float32)
        relative, entries, restore = self.transforms.apply(x, mask)
        filled = self.method.impute(self.params, relative, entries, key, num_samples=num_samples)
        return np.where(shown, given, np.asarray(restore(filled), given.dtype))
