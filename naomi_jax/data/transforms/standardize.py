"""Standardized values: what methods train on. Reported numbers are in the data's own units."""

from collections.abc import Callable
from typing import NamedTuple

import chex
import numpy as np

KINDS = ("column", "step")


class Standardizer(NamedTuple):
    """Statistics of the training data: value = standardized * std + mean.

    Attributes:
      mean: (1, D), or (T, D) one for each step of the window.
      std: (D,).
    """

    mean: chex.Array
    std: chex.Array

    def apply(self, x, mask, rows=None) -> tuple[chex.Array, chex.Array, Callable]:
        """As every transform: (x standardized, mask, the way back)."""
        del rows
        return self(x), mask, self.restore

    def __call__(self, x: chex.Array) -> chex.Array:
        """Standardize (..., T, D). Longer sequences repeat the means from their first step on."""
        return (x - self._mean(x)) / self.std

    def restore(self, x: chex.Array) -> chex.Array:
        """Back to the data's units, (..., T, D)."""
        return x * self.std + self._mean(x)

    def _mean(self, x):
        if self.mean.shape[0] in (1, x.shape[-2]):
            return self.mean
        return self.mean[np.arange(x.shape[-2]) % self.mean.shape[0]]


def fit(train: np.ndarray, kind: str) -> Standardizer:
    """Statistics of (N, T, D).

    Args:
      train: training sequences.
      kind: "column", a mean for each column; "step", a mean for each column at each step of the
        window, for windows that begin at the same phase (midnight, say): the mean day.
    """
    axes = (0, 1) if kind == "column" else (0,)
    mean = train.mean(axes, keepdims=True, dtype=np.float64)[0]
    variance = np.square(train - mean.astype(train.dtype)).mean((0, 1), dtype=np.float64)
    # A constant value stays at its mean.
    std = np.sqrt(np.where(variance > 0, variance, 1))
    return Standardizer(mean.astype(np.float32), std.astype(np.float32))


def empty(rows: int, dim: int) -> Standardizer:
    """A Standardizer that changes nothing; the shapes of a checkpoint's."""
    return Standardizer(np.zeros((rows, dim), np.float32), np.ones(dim, np.float32))
