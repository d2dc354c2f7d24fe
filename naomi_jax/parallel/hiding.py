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
      block: stretches of some columns, each of a length and at a time of its own (outages).
      wide_block: one stretch of all columns, or of half of them (a logger, a player's x and y).
      tail: the last steps (a forecast).
      column: whole columns, one or some.
      holes: the holes of another window of the same data.
      low, high: the hidden share of entries, of steps or of columns, and the length of the last
        steps, is uniform between the two. Stretches are short as often as long: the logarithm of
        their length is uniform.
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
    keys = jax.random.split(key, 10)
    rate = jax.random.uniform(keys[0], (batch, 1, 1), minval=config.low, maxval=config.high)
    # At least one column of each sequence, the others by the rate.
    one = jnp.arange(columns)[None, None] == jax.random.randint(keys[1], (batch, 1, 1), 0, columns)
    some = one | (jax.random.uniform(keys[2], (batch, 1, columns)) < rate)
    half = jax.random.bernoulli(keys[3], 0.5, (batch, 1, columns)) | one
    together = jnp.where(jax.random.bernoulli(keys[4], 0.5, (batch, 1, 1)), True, half)
    patterns = [
        jax.random.uniform(keys[5], shape) < rate,
        jax.random.uniform(keys[6], (batch, steps, 1)) < rate,
        some & _stretch(keys[7], batch, steps, columns),
        together & _stretch(keys[7], batch, steps, 1),
        jnp.arange(steps)[None, :, None] >= steps - jnp.maximum(jnp.round(rate * steps), 1),
        some,
        jnp.zeros((1, 1, 1), bool),
    ]
    if holes is not None:
        patterns[-1] = holes[jax.random.randint(keys[8], (batch,), 0, holes.shape[0])]
    shares = jnp.array(config.shares)
    kind = jax.random.categorical(keys[9], jnp.log(shares), shape=(batch,))[:, None, None]
    hidden = jnp.zeros(shape, bool)
    for number, pattern in enumerate(patterns):
        hidden = jnp.where(kind == number, pattern, hidden)
    return hidden


def _stretch(key, batch, steps, columns):
    """A stretch of each column (B, T, columns), of which a part may lie outside the sequence."""
    length_key, first_key = jax.random.split(key)
    shape = (batch, 1, columns)
    length = jnp.exp(jax.random.uniform(length_key, shape) * jnp.log(steps))
    length = jnp.clip(jnp.round(length), 1, steps).astype(jnp.int32)
    share = jax.random.uniform(first_key, shape)
    first = jnp.floor(share * (steps + length - 1)).astype(jnp.int32) - length + 1
    step = jnp.arange(steps)[None, :, None]
    return (step >= first) & (step < first + length)
