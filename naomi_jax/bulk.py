"""`impute_all`: whole data sets, a batch at a time, in the data's own units."""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from naomi_jax import metrics
from naomi_jax.data.standardise import Standardiser
from naomi_jax.imputation import impute

_BATCH = 128


def impute_all(
    params, scaler: Standardiser, x: chex.Array, mask: chex.Array, key=None, num_samples=None
) -> np.ndarray:
    """Fill x (N, T, D), a batch at a time.

    Args:
      params: the model.
      scaler: its standardisation.
      x: values in the data's units; what stands at missing entries is ignored.
      mask: (N, T), or (N, T, D) one per entry.
      key: for stochastic models; each batch takes its own.
      num_samples: as in `impute`.

    Returns:
      (N, T, D), or (num_samples, N, T, D).
    """
    size = min(_BATCH, len(x))
    parts = []
    for number, begin in enumerate(range(0, len(x), size)):
        rows = np.arange(begin, begin + size) % len(
            x
        )  # the last batch is filled up, not recompiled
        batch_key = None if key is None else jax.random.fold_in(key, number)
        part = _impute_batch(
            params, scaler, x[rows], np.asarray(mask)[rows], batch_key, num_samples
        )
        parts.append(np.asarray(part)[..., : len(x) - begin, :, :])
    return np.concatenate(parts, axis=-3)


def _impute_batch(params, scaler, x, mask, key, num_samples):
    entries = mask if mask.ndim == 3 else mask[..., None]
    x = np.where(entries != 0, x, 0).astype(np.float32)
    filled = impute(params, scaler(x), mask, key, num_samples=num_samples)
    return np.where(entries != 0, x, scaler.invert(np.asarray(filled)))


def missing_error(x: chex.Array, filled: chex.Array, mask: chex.Array) -> float:
    """Mean squared error over all missing entries of (N, T, D), in float64."""
    error, entries = metrics.missing_l2(jnp.asarray(x), jnp.asarray(filled), jnp.asarray(mask))
    return float(np.asarray(error, np.float64).sum() / max(float(entries.sum()), 1))
