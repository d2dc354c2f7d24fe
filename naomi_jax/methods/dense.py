"""Dense layers that start as torch.nn.Linear's do."""

import flax.linen as nn
import jax
from jaxtyping import Array, Float


def _uniform(inputs: int):
    """Uniform in +-1/sqrt(inputs)."""

    def init(key, shape, dtype):
        return jax.random.uniform(key, shape, dtype, -(inputs**-0.5), inputs**-0.5)

    return init


class Dense(nn.Module):
    """x W + b with W and b uniform in +-1/sqrt(inputs); parameters {"kernel", "bias"}.

    Attributes:
      features: width of what comes out.
    """

    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "*B I"]) -> Float[Array, "*B O"]:
        """x W + b."""
        start = _uniform(x.shape[-1])
        kernel = self.param("kernel", start, (x.shape[-1], self.features), x.dtype)
        bias = self.param("bias", start, (self.features,), x.dtype)
        return x @ kernel + bias
