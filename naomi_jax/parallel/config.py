"""Sizes of a level-parallel model."""

import dataclasses
import math
from typing import Literal

from naomi_jax.fields import Settings, at_least, between, setting
from naomi_jax.parallel.inputs import features

HEADS = 4  # of the attention between pairs
SLOWEST = 1e-3  # decay at the start of the slowest state: a memory of a thousand units of time


def _decays(value):
    return None if value > SLOWEST else f"a number over {SLOWEST} is needed"


@dataclasses.dataclass(frozen=True)
class ParallelSizes(Settings):
    """What a level-parallel model's sizes are, beside the numbers of its columns and covariates."""

    width: int = setting(
        64, "Width of the events' features between blocks; the MLPs are twice as wide.", at_least(1)
    )
    depth: int = setting(2, "Blocks of recurrences in both directions.", at_least(1))
    states: int = setting(32, "N, oscillators a direction and block.", at_least(1))
    passes: int = setting(
        1,
        "R: 1 fills everything at once; ceil(log2(T + 1)) or more is the full recursion, coarse to "
        "fine.",
        between(1, 31),
    )
    stochastic: bool = setting(
        False, "A Gaussian's mean and standard deviation for each entry instead of a value."
    )
    components: int = setting(
        1, "Gaussians in the mixture that a stochastic model predicts.", between(1, 8)
    )
    columns: Literal["joint", "shared", "pairs"] = setting(
        "joint",
        "joint: one dense layer reads all columns; shared: the same weights for each column, which "
        "suits many columns with few rows; pairs: the same weights for each two columns (x and y "
        "of a player), in whatever order the pairs stand.",
    )
    frequency: float = setting(
        0.3,
        "Fastest oscillator at the start, radians per unit of time: about 2 pi over the shortest "
        "period of interest.",
        between(0, math.pi),
    )
    decay: float = setting(0.05, "Fastest decay at the start, per unit of time.", _decays)


@dataclasses.dataclass(frozen=True)
class _Columns(Settings):
    dim: int = setting(dataclasses.MISSING, "D, columns.", at_least(1))


@dataclasses.dataclass(frozen=True)
class ParallelConfig(ParallelSizes, _Columns):
    """Static sizes of a level-parallel model: ParallelConfig(dim, width=64, depth=2, ...).

    All but frequency and decay, which matter to `init` alone, can be read off its parameters.

    Attributes:
      dim: D, columns.
      covariates: C, values known at every step beside x (hour, weekday, weather).

    The others are those of `ParallelSizes`.

    Raises:
      ValueError: naming the size that cannot be.
    """

    covariates: int = setting(0, "C, values known at every step beside x.", at_least(0))

    def __post_init__(self):
        super().__post_init__()
        if self.columns == "pairs" and self.dim % 2:
            raise ValueError(f"columns: pairs of {self.dim} columns; an even number is needed")
        if self.columns == "pairs" and self.width % HEADS:
            raise ValueError(f"width: {self.width}; with pairs a multiple of {HEADS} is needed")

    @property
    def lane(self) -> int:
        """Columns that are read and predicted together, by the same weights as the others."""
        return {"joint": self.dim, "shared": 1, "pairs": 2}[self.columns]

    @property
    def detailed(self) -> bool:
        """Whether the features of a column include its own distances and slopes."""
        return self.lane <= features.DETAILED_COLUMNS
