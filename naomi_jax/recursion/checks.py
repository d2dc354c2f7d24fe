"""Checks of the public functions' arguments: a mistake gets a message that names the argument.

Shapes and dtypes are checked always, values only where they are concrete: under jit, vmap and grad
they cannot be seen.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


def concrete(array: jax.Array | np.ndarray) -> np.ndarray | None:
    """The array's values, or None while it is traced or in part on another machine."""
    if isinstance(array, Tracer):
        return None
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
        return None
    return np.asarray(array)


def as_array(name: str, value: Any) -> jax.Array:
    """`value` as a JAX array.

    Raises:
      TypeError: it is not an array of numbers.
    """
    dtype = getattr(value, "dtype", None)
    if dtype is not None and not (jnp.issubdtype(dtype, jnp.number) or dtype == np.bool_):
        raise TypeError(f"{name}: dtype {dtype}; numbers are needed")
    return jnp.asarray(value)


def check_sequences(x: jax.Array, dim: int) -> None:
    """x: (T, D) or (B, T, D), floating point, of the model's D = dim.

    Raises:
      TypeError: dtype. ValueError: shape.
    """
    if not jnp.issubdtype(jnp.result_type(x), jnp.floating):
        raise TypeError(f"x: dtype {jnp.result_type(x)}; floating-point values are needed")
    if x.ndim not in (2, 3):
        raise ValueError(f"x: shape {x.shape}; (T, D) or (B, T, D) is needed")
    if x.shape[-1] != dim:
        raise ValueError(f"x: shape {x.shape} ends in {x.shape[-1]}; the model has D = {dim}")
    if 0 in x.shape:
        raise ValueError(f"x: shape {x.shape} is empty")


def check_mask(mask: jax.Array, x: jax.Array) -> None:
    """mask: (T,), (B, T), or x's own shape; bool or numbers 0 and 1.

    Raises:
      ValueError: shape, or a value other than 0 and 1.
    """
    dtype = jnp.result_type(mask)
    accepted = [x.shape[-2:-1], x.shape[:-1], x.shape]
    if mask.shape not in accepted:
        options = " or ".join(str(shape) for shape in dict.fromkeys(accepted))
        raise ValueError(
            f"mask: shape {mask.shape} does not match x {x.shape}; {options} is needed"
        )
    values = concrete(mask)
    if values is not None and dtype != np.bool_:
        wrong = values[(values != 0) & (values != 1)]
        if wrong.size:
            raise ValueError(
                f"mask: value {wrong[0]}; only 0 (missing) and 1 (observed) are accepted"
            )


def check_observed(x: jax.Array, known: jax.Array) -> None:
    """No NaN or infinity where `known`, which has x's shape.

    Raises:
      ValueError: naming the first bad entry.
    """
    values, where = concrete(x), concrete(known)
    if values is None or where is None:
        return
    bad = where & ~np.isfinite(values)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"x: {values[place]} at {place}, which the mask says is observed; "
            "mark it missing (0) in the mask, or repair it"
        )


def check_lengths(lengths: jax.Array, x: jax.Array) -> None:
    """lengths: (B,) integers from 1 to T.

    Raises:
      TypeError: dtype. ValueError: shape or range.
    """
    if not jnp.issubdtype(jnp.result_type(lengths), jnp.integer):
        raise TypeError(f"lengths: dtype {jnp.result_type(lengths)}; integers are needed")
    if x.ndim != 3 or lengths.shape != x.shape[:1]:
        raise ValueError(
            f"lengths: shape {lengths.shape} does not match x {x.shape}; (B,) is needed"
        )
    values = concrete(lengths)
    if values is not None and ((values < 1) | (values > x.shape[1])).any():
        raise ValueError(f"lengths: {values.tolist()}; from 1 to T = {x.shape[1]} is accepted")


def check_samples(num_samples: Any) -> None:
    """num_samples: None or a positive int."""
    if num_samples is not None and (not isinstance(num_samples, int) or num_samples < 1):
        raise ValueError(f"num_samples: {num_samples!r} is not a positive integer")


def check_key(key: Any) -> None:
    """key: of jax.random.key, or an array of jax.random.PRNGKey.

    Raises:
      TypeError: it is something else, such as a seed.
    """
    dtype = getattr(key, "dtype", None)
    typed = dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key)
    if not typed and (dtype != np.uint32 or key.ndim != 1):
        seed = key if isinstance(key, int) and not isinstance(key, bool) else 0
        raise TypeError(f"key: {key!r} is not a random key; say jax.random.key({seed})")
