"""Standardised values: what models train on. Reported numbers are in the data's own units."""

from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import numpy as np

from naomi_jax.data.transforms import neighbors as neighbours
from naomi_jax.errors import InputError

_neighbours = jax.jit(neighbours.mean_of_any_length, static_argnums=3)
KINDS = ("feature", "step")


class Standardiser(NamedTuple):
    """Statistics of the training data: value = standardised * std + mean (+ neighbours).

    Attributes:
      mean: (1, D), or (T, D) one for each step of the window.
      std: (D,).
      memory: (N, T, D) standardised training sequences to look for neighbours in, or None.
      neighbours: how many of them are averaged.
    """

    mean: chex.Array
    std: chex.Array
    memory: chex.Array | None = None
    neighbours: int = 0

    def relative(self, x: chex.Array, mask: chex.Array) -> tuple[chex.Array, Callable]:
        """What a model reads, (N, T, D), and the way from there back to the data's units.

        Args:
          x: (N, T, D) finite; its values at missing entries do not matter.
          mask: (N, T) or (N, T, D), 1 = observed.
        """
        x = self(x)
        if self.memory is None:
            return x, self.invert
        near = _neighbours(self.memory, x, mask, self.neighbours)
        return x - near, lambda filled: self.invert(filled + near)

    def statistics(self) -> dict:
        """What a checkpoint holds of it."""
        return {"mean": self.mean, "std": self.std}

    def __call__(self, x: chex.Array) -> chex.Array:
        """Standardise (..., T, D). Longer sequences repeat the means from their first step on."""
        return (x - self._mean(x)) / self.std

    def invert(self, x: chex.Array) -> chex.Array:
        """Back to the data's units, (..., T, D)."""
        return x * self.std + self._mean(x)

    def _mean(self, x):
        if self.mean.shape[0] in (1, x.shape[-2]):
            return self.mean
        return self.mean[np.arange(x.shape[-2]) % self.mean.shape[0]]


def fit(train: np.ndarray, kind: str) -> Standardiser:
    """Statistics of (N, T, D).

    Args:
      train: training sequences.
      kind: "feature", a mean for each value; "step", a mean for each value at each step of the
        window, for windows that begin at the same phase (midnight, say).
    """
    if kind not in KINDS:
        raise InputError(f"standardise: {kind!r}; one of {', '.join(KINDS)} is needed")
    axes = (0, 1) if kind == "feature" else (0,)
    mean = train.mean(axes, keepdims=True, dtype=np.float64)[0]
    variance = np.square(train - mean.astype(train.dtype)).mean((0, 1), dtype=np.float64)
    # A constant value stays at its mean.
    std = np.sqrt(np.where(variance > 0, variance, 1))
    return Standardiser(mean.astype(np.float32), std.astype(np.float32))


def empty(rows: int, dim: int) -> Standardiser:
    """A Standardiser that changes nothing; the shapes of a checkpoint's."""
    return Standardiser(np.zeros((rows, dim), np.float32), np.ones(dim, np.float32))
