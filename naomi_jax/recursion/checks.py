"""Checks of the public functions' arguments: a mistake gets a message that names the argument.

Shapes and dtypes are checked always, values only where they are concrete: under jit, vmap and grad
they cannot be seen.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from naomi_jax.recursion import arrays


def concrete(array: jax.Array | np.ndarray) -> np.ndarray | None:
    """The array's values, or None while it is traced or in part on another machine."""
    if isinstance(array, Tracer):
        return None
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
        return None
    return np.asarray(array)


def as_array(name: str, value: Any) -> jax.Array | np.ndarray:
    """`value` as an array of a dtype that JAX computes in; what is not JAX's yet stays NumPy's.

    The checks read it where it is, and it goes to the device once, with the program's call.

    Raises:
      TypeError: it is not an array of numbers; the message says what to pass instead.
    """
    array = arrays.numeric(name, value)
    if isinstance(array, jax.Array):
        return array
    with np.errstate(over="ignore"):  # what is too large for float32 matters where it is observed
        return array.astype(jax.dtypes.canonicalize_dtype(array.dtype), copy=False)


def hosted(*given: jax.Array | np.ndarray | None) -> tuple[Any, ...]:
    """All of them in NumPy if all are concrete, else as they are. None stays None."""
    values = tuple(None if array is None else concrete(array) for array in given)
    missed = any(v is None and a is not None for v, a in zip(values, given))
    return given if missed else values


def check_sequences(x: jax.Array | np.ndarray, dim: int) -> None:
    """x: (T, D) or (B, T, D), floating point, of the model's D = dim.

    Raises:
      TypeError: dtype. ValueError: shape.
    """
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"x: dtype {x.dtype}; floating-point values are needed")
    if x.ndim not in (2, 3):
        raise ValueError(f"x: shape {x.shape}; (T, D) or (B, T, D) is needed")
    if x.shape[-1] != dim:
        raise ValueError(f"x: shape {x.shape} ends in {x.shape[-1]}; the model has D = {dim}")
    if 0 in x.shape:
        raise ValueError(f"x: shape {x.shape} is empty")


def check_mask(mask: jax.Array | np.ndarray, x: jax.Array | np.ndarray) -> None:
    """mask: (T,), (B, T), or x's own shape; bool or numbers 0 and 1.

    Raises:
      ValueError: shape, or a value other than 0 and 1.
    """
    accepted = [x.shape[-2:-1], x.shape[:-1], x.shape]
    if mask.shape not in accepted:
        options = " or ".join(str(shape) for shape in dict.fromkeys(accepted))
        raise ValueError(
            f"mask: shape {mask.shape} does not match x {x.shape}; {options} is needed"
        )
    _check_binary(mask)


def _check_binary(mask):
    values = concrete(mask)
    if values is not None and values.dtype != np.bool_:
        wrong = values[(values != 0) & (values != 1)]
        if wrong.size:
            raise ValueError(
                f"mask: value {wrong[0]}; only 0 (missing) and 1 (observed) are accepted"
            )


def check_steps(mask: jax.Array | np.ndarray) -> None:
    """mask: (T,) of one sequence; bool or numbers 0 and 1.

    Raises:
      ValueError: shape, or a value other than 0 and 1.
    """
    if mask.ndim != 1:
        many = "; for one a row use jax.vmap" if mask.ndim == 2 else ""
        raise ValueError(f"mask: shape {mask.shape}; (T,) is needed, one sequence{many}")
    if not mask.size:
        raise ValueError("mask: no steps; (T,) with T of 1 or more is needed")
    _check_binary(mask)


def check_length(length: Any, steps: int) -> None:
    """length: a whole number from 0 to T = `steps`.

    Raises:
      TypeError: dtype. ValueError: shape or range.
    """
    length = as_array("length", length)
    if not jnp.issubdtype(length.dtype, jnp.integer):
        raise TypeError(f"length: dtype {length.dtype}; an integer is needed")
    if length.ndim:
        raise ValueError(f"length: shape {length.shape}; one integer is needed")
    value = concrete(length)
    if value is not None and not 0 <= value <= steps:
        raise ValueError(f"length: {value}; from 0 to T = {steps} is accepted")


def check_observed(
    x: jax.Array | np.ndarray,
    known: jax.Array | np.ndarray,
    given: jax.Array | np.ndarray | None = None,
) -> None:
    """No NaN or infinity where `known`, which has x's shape; `given` is x before it was cast.

    Raises:
      ValueError: naming the first bad entry.
    """
    values, where = concrete(x), concrete(known)
    if values is None or where is None:
        return
    bad = where & ~np.isfinite(values)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        if isinstance(given, np.ndarray) and np.isfinite(given[place]):
            raise ValueError(
                f"x: {given[place]} at {place} is too large for {values.dtype}; standardize x, or "
                "set jax_enable_x64"
            )
        raise ValueError(
            f"x: {values[place]} at {place}, which the mask says is observed; "
            "mark it missing (0) in the mask, or repair it"
        )


def check_lengths(lengths: jax.Array | np.ndarray, x: jax.Array | np.ndarray) -> None:
    """lengths: (B,) integers from 1 to T.

    Raises:
      TypeError: dtype. ValueError: shape or range.
    """
    if not jnp.issubdtype(lengths.dtype, jnp.integer):
        raise TypeError(f"lengths: dtype {lengths.dtype}; integers are needed")
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
    if typed and key.ndim:
        raise TypeError(f"key: an array of {key.size} keys; pass one of them, such as key[0]")
    if not typed and (dtype != np.uint32 or key.ndim != 1):
        whole = isinstance(key, int | np.integer) and not isinstance(key, bool)
        words = repr(key)[:40].splitlines()[0]
        raise TypeError(
            f"key: {words} is not a random key; use jax.random.key({int(key) if whole else 0})"
        )
