"""How dense layers start: as torch.nn.Linear's do."""

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import PRNGKeyArray


def start(
    key: PRNGKeyArray, inputs: int, outputs: int, dtype: DTypeLike = jnp.float32
) -> dict[str, jax.Array]:
    """The parameters {"kernel", "bias"} of a flax.linen.Dense, uniform in +-1/sqrt(inputs).

    Drawn here and not by the module: linen's initializer of a bias does not know how many inputs
    there are.
    """
    kernel, bias = jax.random.split(key)
    bound = inputs**-0.5
    return {
        "kernel": jax.random.uniform(kernel, (inputs, outputs), dtype, -bound, bound),
        "bias": jax.random.uniform(bias, (outputs,), dtype, -bound, bound),
    }
