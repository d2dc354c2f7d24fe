"""`impute_all`: whole data sets, a batch at a time, in the data's own units."""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from naomi_jax.data import metrics
from naomi_jax.data.transforms.standardize import Standardiser
from naomi_jax.recursion import impute as imputation

_BATCH = 128


def impute_all(
    params,
    scaler: Standardiser,
    x: chex.Array,
    mask: chex.Array,
    key=None,
    num_samples=None,
    impute=imputation.impute,
) -> np.ndarray:
    """Fill x (N, T, D), a batch at a time.

    Args:
      params: the model.
      scaler: its standardisation.
      x: values in the data's units; what stands at missing entries is ignored.
      mask: (N, T), or (N, T, D) one per entry.
      key: for stochastic models; each batch takes its own.
      num_samples: as in `impute`.
      impute: the model's function.

    Returns:
      (N, T, D), or (num_samples, N, T, D).
    """
    size = min(_BATCH, len(x))
    parts = []
    for number, begin in enumerate(range(0, len(x), size)):
        # The last batch is filled up, not recompiled.
        rows = np.arange(begin, begin + size) % len(x)
        batch_key = None if key is None else jax.random.fold_in(key, number)
        here, entries = np.asarray(x)[rows], np.asarray(mask)[rows]
        shown = entries if entries.ndim == 3 else entries[..., None]
        here = np.where(shown != 0, here, 0).astype(np.float32)
        relative, restore = scaler.relative(here, entries)
        part = impute(params, relative, entries, batch_key, num_samples=num_samples)
        part = np.where(shown != 0, here, restore(np.asarray(part)))
        parts.append(part[..., : len(x) - begin, :, :])
    return np.concatenate(parts, axis=-3)


def missing_error(x: chex.Array, filled: chex.Array, mask: chex.Array) -> float:
    """Mean squared error over all missing entries of (N, T, D), in float64."""
    pair = metrics.missing_l2(jnp.asarray(x), jnp.asarray(filled), jnp.asarray(mask))
    return metrics.mean(pair)
