"""Masks: which steps are missing, 1 = shown.

Drawn on device from a key, with shapes that depend on nothing drawn, so that a training step draws
its own. Step 0 is always shown.
"""

import dataclasses
import os

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from naomi_jax.data import npy
from naomi_jax.errors import InputError
from naomi_jax.fields import Settings, setting

ArrayLike = Array | np.ndarray

KINDS = ("random", "block", "tail")
FILES = (".npy", ".npz")


@dataclasses.dataclass(frozen=True)
class Masks(Settings):
    """How steps are hidden, as a run states it; `resolve` fits it to sequences of T steps."""

    kind: str = setting(
        "random",
        "random: steps anywhere (the paper's); block: one gap; tail: the last steps, a forecast; "
        "several of them, separated by commas, equally often; or a mask file (.npy or .npz with "
        "key mask, (T,) or (M, T), 1 = shown).",
    )
    missing: tuple[int, int] | None = setting(
        None, "Fewest and most missing steps; the number is uniform between them."
    )
    share: tuple[float, float] | None = setting(
        None, "The same as shares of the sequence, instead of `missing`."
    )

    def __post_init__(self):
        super().__post_init__()
        if not self._drawn and not self.kind.endswith(FILES):
            raise InputError(
                f"kind: {self.kind!r}; one of {', '.join(KINDS)}, several of them separated by "
                "commas, or a file ending in .npy or .npz is needed"
            )
        if self._drawn and (self.missing is None) == (self.share is None):
            raise InputError("missing: either missing or share is needed, and not both")
        if self.share and not 0 < self.share[0] <= self.share[1] < 1:
            raise InputError(
                f"share: {self.share}; two numbers between 0 and 1 are needed, in order"
            )

    @property
    def _drawn(self) -> bool:
        """Whether masks are drawn, not read from a file."""
        return all(kind in KINDS for kind in self.kind.split(","))

    def resolve(self, steps: int) -> "MaskConfig":
        """The counts for sequences of T steps.

        Raises:
          InputError: they do not fit.
        """
        if not self._drawn:
            return MaskConfig("file", 0, 0)
        low, high = self.missing or (0, 0)
        if self.share:
            low, high = (round(share * steps) for share in self.share)
            low, high = max(low, 1), min(high, steps - 1)
        if not 1 <= low <= high <= steps - 1:
            raise InputError(
                f"missing: {low} to {high} missing steps do not fit sequences of {steps} steps; "
                f"two numbers between 1 and {steps - 1} are needed, in order"
            )
        return MaskConfig(self.kind, low, high)

    def rows(self, steps: int) -> Float[np.ndarray, "M T"] | None:
        """The masks of the mask file, or None where there is none."""
        return None if self._drawn else load(self.kind, steps)


@dataclasses.dataclass(frozen=True)
class MaskConfig:
    """How to hide steps.

    Attributes:
      kind: "random", so many steps at random places (the paper's); "block", one contiguous gap;
        "tail", the last steps (a forecast); several of these, separated by commas, equally often;
        "file", rows of a given array.
      low, high: the number of missing steps is uniform in low .. high, both included.
    """

    kind: str
    low: int
    high: int


def draw(
    key: PRNGKeyArray, config: MaskConfig, steps: int, given: Float[ArrayLike, "M T"] | None = None
) -> Float[Array, " T"]:
    """One mask, float32.

    Args:
      key: random key.
      config: what to draw.
      steps: T.
      given: the rows to draw from; needed when config.kind is "file".
    """
    count_key, place_key = jax.random.split(key)
    if config.kind == "file":
        if given is None:
            raise ValueError("given: masks of the kind 'file' are drawn from given rows")
        row = jax.random.randint(count_key, (), 0, given.shape[0])
        return jnp.asarray(given)[row]  # a traced place, and maybe an array of the host
    count = jax.random.randint(count_key, (), config.low, config.high + 1)
    return hide(place_key, config.kind, count, steps)


def hide(
    key: PRNGKeyArray, kind: str, count: int | Int[Array, ""], steps: int
) -> Float[Array, " T"]:
    """A mask with `count` missing steps, float32."""
    index = jnp.arange(steps)
    kinds = kind.split(",")
    if len(kinds) > 1:
        kind_key, key = jax.random.split(key)
        each = jnp.stack([hide(key, one, count, steps) for one in kinds])
        return each[jax.random.randint(kind_key, (), 0, len(kinds))]
    if kind == "tail":
        missing = index >= steps - count
    elif kind == "block":
        first = jax.random.randint(key, (), 1, steps - count + 1)
        missing = (index >= first) & (index < first + count)
    else:
        # The ranks of random numbers are a random permutation; step 0 is given the last rank.
        order = jax.random.uniform(key, (steps,)).at[0].set(2.0)
        missing = jnp.argsort(jnp.argsort(order)) < count
    return 1.0 - missing.astype(jnp.float32)


def draw_many(
    key: PRNGKeyArray,
    config: MaskConfig,
    count: int,
    steps: int,
    given: Float[ArrayLike, "M T"] | None = None,
) -> Float[Array, "N T"]:
    """N = `count` independent masks, float32."""
    keys = jax.random.split(key, count)
    return jax.vmap(lambda k: draw(k, config, steps, given))(keys)


def hide_many(
    key: PRNGKeyArray, kind: str, counts: Int[ArrayLike, " C"], sequences: int, steps: int
) -> Float[Array, "C N T"]:
    """For each of `counts` missing steps N = `sequences` masks, float32.

    A sequence's masks share their random places: of "random" ones, more missing steps contain the
    fewer.
    """
    keys = jax.random.split(key, sequences)
    of_count = jax.vmap(lambda key, count: hide(key, kind, count, steps), (0, None))
    return jax.vmap(of_count, (None, 0))(keys, jnp.asarray(counts))


def load(path: str | os.PathLike, steps: int) -> Float[np.ndarray, "M T"]:
    """A mask file: .npy, or .npz with key `mask`, of shape (T,) or (M, T); 0 and 1.

    Raises:
      InputError: naming the file and what is wrong with it.
    """
    loaded = npy.read(path, key="mask")
    if loaded.dtype.kind not in "biuf":
        raise InputError(f"{path}: dtype {loaded.dtype}; the numbers 0 and 1 are needed")
    if loaded.ndim not in (1, 2) or loaded.shape[-1] != steps or loaded.size == 0:
        raise InputError(
            f"{path}: shape {loaded.shape}; masks of {steps} steps are needed, (T,) or (M, T)"
        )
    if not np.isin(loaded, (0, 1)).all():
        raise InputError(f"{path}: values other than 0 (missing) and 1 (shown)")
    return np.atleast_2d(loaded).astype(np.float32)
