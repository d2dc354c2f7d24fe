"""Which entries to hide in training: a mixture of patterns, drawn on the device."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool


@dataclasses.dataclass(frozen=True)
class Hiding:
    """Shares of the patterns, which need not add up to 1, and how much is hidden.

    Attributes:
      entries: single entries anywhere.
      steps: whole steps anywhere.
      block: a stretch of one column.
      wide_block: a stretch of all columns.
      tail: the last steps (a forecast).
      column: one whole column.
      holes: the holes of another window of the same data.
      low, high: the hidden share of entries, of steps or of the stretch's length is uniform between
        the two.
    """

    entries: float = 1.0
    steps: float = 1.0
    block: float = 1.0
    wide_block: float = 1.0
    tail: float = 0.0
    column: float = 0.0
    holes: float = 0.0
    low: float = 0.1
    high: float = 0.9

    def __post_init__(self):
        shares = self.shares
        if min(shares) < 0 or sum(shares) <= 0:
            raise ValueError(f"shares: {shares}; none negative and not all 0 are needed")
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f"low, high: {self.low}, {self.high}; 0 <= low <= high <= 1 is needed")

    @property
    def shares(self) -> tuple[float, ...]:
        """In the order of the attributes."""
        return (
            *(self.entries, self.steps, self.block, self.wide_block),
            *(self.tail, self.column, self.holes),
        )


def hide(
    key: Array,
    config: Hiding,
    shape: tuple[int, int, int],
    holes: Bool[Array, "N T D"] | None = None,
) -> Bool[Array, "B T D"]:
    """True where to hide; one pattern for each sequence.

    Args:
      key: random key.
      config: the mixture.
      shape: (B, T, D).
      holes: True where windows of the data have none; needed where `config.holes` is over 0.

    Raises:
      ValueError: no `holes` where they are asked for.
    """
    if config.holes and holes is None:
        raise ValueError("holes: none; the mixture takes holes from other windows")
    batch, steps, columns = shape
    keys = jax.random.split(key, 7)
    rate = jax.random.uniform(keys[0], (batch, 1, 1), minval=config.low, maxval=config.high)
    step = jnp.arange(steps)[:, None]
    length = jnp.maximum(jnp.round(rate * steps), 1)
    first = jnp.floor(jax.random.uniform(keys[1], (batch, 1, 1)) * (steps - length + 1))
    stretch = (step >= first) & (step < first + length)
    one = jnp.arange(columns) == jax.random.randint(keys[2], (batch, 1, 1), 0, columns)
    patterns = [
        jax.random.uniform(keys[3], shape) < rate,
        jax.random.uniform(keys[4], (batch, steps, 1)) < rate,
        stretch & one,
        stretch,
        step >= steps - length,
        one,
        jnp.zeros((1, 1, 1), bool),
    ]
    if holes is not None:
        patterns[-1] = holes[jax.random.randint(keys[5], (batch,), 0, holes.shape[0])]
    shares = jnp.array(config.shares)
    kind = jax.random.categorical(keys[6], jnp.log(shares), shape=(batch,))[:, None, None]
    hidden = jnp.zeros(shape, bool)
    for number, pattern in enumerate(patterns):
        hidden = jnp.where(kind == number, pattern, hidden)
    return hidden
