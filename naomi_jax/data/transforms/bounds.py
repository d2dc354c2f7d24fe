"""Bounds: values that cannot leave an interval, such as players a court, whatever a method fills.

A method reads and fills u on the whole line, and x = f(u) lies between the bounds, with w the width
of the soft edge:

    f(u) = low + w softplus((u - low) / w) - w softplus((u - high) / w)
    u    = x + w (L(x - low) - L(high - x)),    L(d) = log(1 - exp(-d / w))

f is smooth, strictly increasing, and the identity but for exp(-d / w) at a distance d from both
bounds: inside, a meter stays a meter. A bound that is infinite is none. Not in the paper.
"""

from collections.abc import Callable

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Shaped

ArrayLike = Array | np.ndarray

_EDGE = 0.01  # w as a share of the interval
_CLOSEST = 1e-3  # of w, from a bound: values on it or beyond are taken for so near


class Bounds(flax.struct.PyTreeNode):
    """The interval of each column.

    Attributes:
      low, high: (D,), low < high; both finite.
    """

    low: Float[ArrayLike, " D"]
    high: Float[ArrayLike, " D"]

    def apply(
        self,
        x: Float[ArrayLike, "*B T D"],
        mask: Shaped[ArrayLike, "..."],
        rows: Int[Array, " B"] | None = None,
    ) -> tuple[Float[Array, "*B T D"], Shaped[ArrayLike, "..."], Callable]:
        """As every transform: (u, mask, the way back)."""
        del rows
        return self(x), mask, self.restore

    def __call__(self, x: Float[ArrayLike, "*B T D"]) -> Float[Array, "*B T D"]:
        """To the whole line. Values outside are taken for the nearest inside."""
        width = self._width
        nearest = _CLOSEST * width
        x = jnp.clip(x, self.low + nearest, self.high - nearest)
        edge = jnp.log(-jnp.expm1(-(x - self.low) / width))
        return x + width * (edge - jnp.log(-jnp.expm1(-(self.high - x) / width)))

    def restore(self, u: Float[ArrayLike, "*B T D"]) -> Float[Array, "*B T D"]:
        """Back between the bounds, to the letter: rounding does not leave them either."""
        width = self._width
        above = jax.nn.softplus((u - self.low) / width) - jax.nn.softplus((u - self.high) / width)
        return jnp.clip(self.low + width * above, self.low, self.high)

    @property
    def _width(self):
        return _EDGE * (self.high - self.low)
