"""What every loader returns."""

import dataclasses

import numpy as np

from naomi_jax.errors import InputError


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Complete sequences in the data set's own units, split once and for all.

    Attributes:
      name: of its kind, "billiards"; `registry.get` has its metrics and how it is drawn.
      source: plain words on where the values come from, printed beside every number.
      simulated: whether the values come from a simulator rather than from the world.
      train: (N, T, D) float32, sequences to learn from.
      val: (N, T, D) float32, sequences to choose by.
      test: (N, T, D) float32, sequences to report on.
    """

    name: str
    source: str
    simulated: bool
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray

    def __post_init__(self):
        shape = self.train.shape[1:]
        for split in ("train", "val", "test"):
            data = getattr(self, split)
            if data.ndim != 3 or data.shape[1:] != shape or data.shape[0] == 0 or 0 in shape:
                raise InputError(
                    f"{self.name}: {split} has shape {data.shape}; every split must be (N, T, D) "
                    f"with at least one sequence and the (T, D) of train, {shape}"
                )
            if data.dtype != np.float32:
                raise TypeError(f"{self.name}: {split} is {data.dtype}, not float32")
            if not np.isfinite(data).all():
                raise InputError(
                    f"{self.name}: {split} has missing or infinite values; training needs complete "
                    "sequences, so drop or fill those windows first"
                )

    @property
    def steps(self) -> int:
        """T, time steps in a sequence."""
        return self.train.shape[1]

    @property
    def dim(self) -> int:
        """D, values at a time step."""
        return self.train.shape[2]


def hold_out(data: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split sequences (N, T, D) at random into (rest, held out); at least one in each."""
    if len(data) < 2:
        raise InputError(f"{len(data)} sequence(s): at least 2 are needed to hold one out")
    count = min(max(1, round(share * len(data))), len(data) - 1)
    order = np.random.default_rng(seed).permutation(len(data))
    return data[np.sort(order[count:])], data[np.sort(order[:count])]
