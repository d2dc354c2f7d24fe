"""Arrays of different rank that are meant to meet: the axes of size 1 are written.

The tests let JAX refuse what meets by accident (jax_numpy_rank_promotion).
"""

from typing import Any, TypeVar

import numpy as np
from jaxtyping import Array

ArrayLike = TypeVar("ArrayLike", bound=Array | np.ndarray)


def leading(array: ArrayLike, rank: int) -> ArrayLike:
    """The array with `rank` axes, of which the first have size 1: a bias beside what it moves."""
    reshaped: Any = array.reshape((1,) * (rank - array.ndim) + array.shape)
    return reshaped
