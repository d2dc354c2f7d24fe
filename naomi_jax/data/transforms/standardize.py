"""Standardized values: what methods train on. Reported numbers are in the data's own units."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float, Int, Shaped

from naomi_jax.recursion.axes import leading

ArrayLike = Array | np.ndarray

KINDS = ("column", "step")


class Standardizer(NamedTuple):
    """Statistics of the training data: value = standardized * std + mean.

    Attributes:
      mean: one for all steps, or one for each step of the window.
      std: of each column.
    """

    mean: Float[ArrayLike, "#T D"]
    std: Float[ArrayLike, " D"]

    def apply(
        self,
        x: Float[ArrayLike, "*B T D"],
        mask: Shaped[ArrayLike, "..."],
        rows: Int[Array, " B"] | None = None,
    ) -> tuple[Float[ArrayLike, "*B T D"], Shaped[ArrayLike, "..."], Callable]:
        """As every transform: (x standardized, mask, the way back)."""
        del rows
        return self(x), mask, self.restore

    def __call__(self, x: Float[ArrayLike, "*B T D"]) -> Float[ArrayLike, "*B T D"]:
        """Standardize. Longer sequences repeat the means from their first step on."""
        return (x - self._mean(x)) / leading(self.std, x.ndim)

    def restore(self, x: Float[ArrayLike, "*B T D"]) -> Float[ArrayLike, "*B T D"]:
        """Back to the data's units."""
        return x * leading(self.std, x.ndim) + self._mean(x)

    def _mean(self, x):
        if self.mean.shape[0] in (1, x.shape[-2]):
            return leading(self.mean, x.ndim)
        return leading(self.mean[np.arange(x.shape[-2]) % self.mean.shape[0]], x.ndim)


def fit(train: Float[np.ndarray, "N T D"], kind: str) -> Standardizer:
    """Statistics of training sequences.

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
