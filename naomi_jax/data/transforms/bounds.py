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

from naomi_jax.recursion.axes import leading

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
        low, high, width = self._beside(x)
        nearest = _CLOSEST * width
        x = jnp.clip(x, low + nearest, high - nearest)
        edge = jnp.log(-jnp.expm1(-(x - low) / width))
        return x + width * (edge - jnp.log(-jnp.expm1(-(high - x) / width)))

    def restore(self, u: Float[ArrayLike, "*B T D"]) -> Float[Array, "*B T D"]:
        """Back between the bounds, to the letter: rounding does not leave them either."""
        low, high, width = self._beside(u)
        above = jax.nn.softplus((u - low) / width) - jax.nn.softplus((u - high) / width)
        return jnp.clip(low + width * above, low, high)

    def _beside(self, x):
        """(low, high, width of the edges), with the axes of x."""
        low, high = leading(self.low, x.ndim), leading(self.high, x.ndim)
        return low, high, _EDGE * (high - low)
