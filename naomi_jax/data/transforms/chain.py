"""The chain of transforms: what is taken off the values before a method and put back after it.

    images -> Bounds -> Standardizer -> Neighbors -> ChannelIndependent -> method -> and back

Training and filling use the same chain. Training does the first three once, before the first
update, and applies the rest (`batch`) to each batch on the device; filling applies all of it but
the images (`Chain.apply`).
Every transform has

    apply(x, mask, rows=None) -> (x, mask, restore)

where restore takes what the method filled, with any leading axes of samples, back to x's values.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Array, Float, Int, Shaped

from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import neighbors, standardize
from naomi_jax.data.transforms.bounds import Bounds
from naomi_jax.data.transforms.channels import ChannelIndependent
from naomi_jax.data.transforms.neighbors import Neighbors
from naomi_jax.data.transforms.standardize import Standardizer
from naomi_jax.errors import InputError
from naomi_jax.fields import Settings, at_least, setting

ArrayLike = Array | np.ndarray


@dataclasses.dataclass(frozen=True)
class Transforms(Settings):
    """Which transforms a run has."""

    standardize: Literal["column", "step"] = setting(
        "column",
        "column: subtract one mean of each column; step: one at each step of the window, the mean "
        "day, for windows that all begin at the same time of day.",
    )
    neighbors: int = setting(
        0,
        "Similar training sequences whose mean is subtracted first; 0: none. Not in the paper.",
        at_least(0),
    )
    channel_independent: bool = setting(
        False, "Fill each column as a sequence of its own, by one model; not in the paper."
    )
    symmetries: bool = setting(
        False,
        "Train also on the images of the sequences under the data set's symmetries, such as flips "
        "and turns of a square box; not in the paper.",
    )
    time_reversal: bool = setting(
        False,
        "Train also on the sequences backwards, for data that look alike in both directions; not "
        "in the paper.",
    )

    bounds: bool = setting(
        False,
        "Keep what is filled within the data set's bounds, such as players on the court, by a "
        "smooth map; not in the paper.",
    )

    def __post_init__(self):
        super().__post_init__()
        for name in ("symmetries", "time_reversal"):
            if self.neighbors and getattr(self, name):
                raise InputError(
                    f"neighbors: not with {name}, because a sequence's images would be its "
                    "neighbors; set one of them off"
                )

    def model_dim(self, dim: int) -> int:
        """D as the method sees it."""
        return 1 if self.channel_independent else dim


class Chain(NamedTuple):
    """Transforms with their statistics.

    Attributes:
      standardizer: of values, or of what `bounds` makes of them.
      batch: those after it, in order; a pytree that can be handed to a jitted function.
      bounds: before it, or None.
    """

    standardizer: Standardizer
    batch: tuple[Any, ...] = ()
    bounds: Bounds | None = None

    def standardized(self, x: Float[ArrayLike, "N T D"]) -> Float[np.ndarray, "N T D"]:
        """Complete sequences in the data's units as training has them."""
        return np.asarray(self.standardizer(_within(self.bounds, x)))

    def apply(
        self,
        x: Float[ArrayLike, "B T D"],
        mask: Shaped[ArrayLike, "..."],
        rows: Int[Array, " B"] | None = None,
    ) -> tuple[ArrayLike, ArrayLike, Callable]:
        """What a method reads of x in the data's units, its mask, and the way back."""
        first = () if self.bounds is None else (self.bounds,)
        return apply((*first, self.standardizer, *self.batch), x, mask, rows)


def apply(
    transforms: Sequence[Any],
    x: Float[ArrayLike, "B T D"],
    mask: Shaped[ArrayLike, "..."],
    rows: Int[Array, " B"] | None = None,
) -> tuple[Any, Any, Callable]:
    """One transform after the other; the way back takes them in reverse."""
    ways_back = []
    for transform in transforms:
        x, mask, back = transform.apply(x, mask, rows)
        ways_back.append(back)

    def restore(filled):
        for back in reversed(ways_back):
            filled = back(filled)
        return filled

    return x, mask, restore


def fit(settings: Transforms, dataset: Dataset) -> tuple[Chain, Float[np.ndarray, "N T D"]]:
    """The chain for a data set's training sequences, and these and their images, standardized."""
    train = dataset.train
    if settings.symmetries:
        train = symmetries_of(dataset.name)(train)
    if settings.time_reversal:
        train = np.concatenate([train, train[:, ::-1]])
    bounds = bounds_of(dataset.name) if settings.bounds else None
    train = _within(bounds, train)
    standardizer = standardize.fit(train, settings.standardize)
    data = np.asarray(standardizer(train))
    overlap = neighbors.overlap(train) if settings.neighbors else 0
    return build(settings, standardizer, data, overlap, bounds), data


def _within(bounds, x):
    return x if bounds is None else np.asarray(bounds(x))


def bounds_of(name: str) -> Bounds:
    """The bounds of the data set of that name.

    Raises:
      InputError: it has none.
    """
    found = datasets.get(name).bounds
    if found is None:
        raise InputError(f"bounds: the data set {name} has none; set it to false")
    return Bounds(*(np.asarray(side, np.float32) for side in found))


def symmetries_of(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """(N, T, D) -> (k N, T, D), the images under the symmetries of the data set of that name.

    Raises:
      InputError: it has none.
    """
    images = datasets.get(name).symmetries
    if images is None:
        raise InputError(f"symmetries: the data set {name} has none; set it to false")
    return images


def build(
    settings: Transforms,
    standardizer: Standardizer,
    memory: Float[ArrayLike, "N T D"] | None = None,
    overlap: int = 0,
    bounds: Bounds | None = None,
) -> Chain:
    """The chain with statistics that are known already.

    Args:
      settings: which transforms.
      standardizer: fitted.
      memory: standardized training sequences; needed with neighbors.
      overlap: `neighbors.overlap` of them; matters in training alone.
      bounds: of the data set, or None.
    """
    batch: list[Any] = []
    if settings.neighbors:
        if memory is None:
            raise ValueError("memory: neighbors are looked for in the training sequences")
        batch.append(Neighbors(memory, settings.neighbors, overlap))
    if settings.channel_independent:
        batch.append(ChannelIndependent())
    return Chain(standardizer, tuple(batch), bounds)
