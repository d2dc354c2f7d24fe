"""Patterns of hidden entries, drawn on the host: one kind and one share for all windows of a draw.

The kinds are those of `naomi_jax.parallel.hiding.Hiding`, which draws them on the device, one kind
for each sequence. Here windows are few and of many shapes: each would be compiled for itself.
"""

import numpy as np
from jaxtyping import Bool, Float

KINDS = ("entries", "steps", "block", "wide_block", "tail", "column", "holes")


def pattern(
    rng: np.random.Generator,
    kind: str,
    rate: float,
    shape: tuple[int, int, int],
    holes: Bool[np.ndarray, "M W D"],
) -> Bool[np.ndarray, "N W D"]:
    """True where to hide; a pattern for each window.

    Args:
      rng: of the draws.
      kind: one of KINDS.
      rate: the hidden share of entries, of steps or of columns, or the length of the last steps.
      shape: (N, W, D).
      holes: windows of the table, True in their holes.
    """
    windows, steps, columns = shape
    if kind == "entries":
        return rng.random(shape) < rate
    if kind == "steps":
        return np.broadcast_to(rng.random((windows, steps, 1)) < rate, shape)
    if kind == "tail":
        last = np.arange(steps)[:, None] >= steps - max(round(rate * steps), 1)
        return np.broadcast_to(last, shape)
    if kind == "holes":
        return holes[rng.integers(0, len(holes), windows)]
    # At least one column of each window, the others by the rate.
    one = np.arange(columns) == rng.integers(0, columns, (windows, 1, 1))
    some = one | (rng.random((windows, 1, columns)) < rate)
    if kind == "column":
        return np.broadcast_to(some, shape)
    if kind == "block":
        return some & _stretch(rng, windows, steps, columns)
    half = (rng.random((windows, 1, columns)) < 0.5) | one
    together = np.where(rng.random((windows, 1, 1)) < 0.5, True, half)
    return together & _stretch(rng, windows, steps, 1)


def _stretch(
    rng: np.random.Generator, windows: int, steps: int, columns: int
) -> Bool[np.ndarray, "N W C"]:
    """A stretch of each column, of which a part may lie outside the window.

    Short as often as long: the logarithm of the length is uniform.
    """
    length: Float[np.ndarray, "N 1 C"] = np.exp(rng.random((windows, 1, columns)) * np.log(steps))
    length = np.clip(np.round(length), 1, steps)
    first = np.floor(rng.random(length.shape) * (steps + length - 1)) - length + 1
    step = np.arange(steps)[:, None]
    return (step >= first) & (step < first + length)
