"""What callers hand over as arrays: lists, DataFrames and NumPy's types that JAX does not have.

JAX computes in float32 unless jax_enable_x64 is set, so that float64 values lose digits on their
way in. The observed ones are put back afterwards, as they were.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


def numeric(name: str, value: Any) -> jax.Array | np.ndarray:
    """`value` as an array of numbers in its own precision.

    Raises:
      TypeError: it is not one; the message says what to pass instead.
    """
    if hasattr(value, "__jax_array__"):
        value = jnp.asarray(value)
    if isinstance(value, jax.Array):
        if not (jnp.issubdtype(value.dtype, jnp.number) or value.dtype == np.bool_):
            raise TypeError(f"{name}: dtype {value.dtype}; numbers are needed")
        return value
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: a masked array; pass {name}.filled(np.nan), and ~{name}.mask as the mask"
        )
    array = value if isinstance(value, np.ndarray | np.generic) else _from_other(name, value)
    if isinstance(array, jax.Array):
        return array
    array = np.asarray(array)
    advice = _advice(name, array.dtype, hasattr(value, "to_numpy"))
    if advice is not None:
        raise TypeError(f"{name}: dtype {array.dtype}; numbers are needed{advice}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _from_other(name, value):
    """An array of what is none: a list, a DataFrame, an array of another library."""
    if value is None or isinstance(value, str | bytes | dict | set):
        kind = "None" if value is None else f"a {type(value).__name__}"
        raise TypeError(f"{name}: {kind}; pass a NumPy or JAX array of numbers")
    try:
        return np.asarray(value)
    except jax.errors.TracerArrayConversionError:  # a list of traced values
        return jnp.asarray(value)
    except Exception as error:  # every library has its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise TypeError(
            f"{name}: a {type(value).__name__} that is no array ({reason}); pass a NumPy or JAX "
            "array of numbers"
        ) from error


def _advice(name, dtype, is_frame):
    """What to pass in place of this dtype, behind "numbers are needed"; None where it is good."""
    if dtype.kind == "O":
        if is_frame:
            return f": pass {name}.to_numpy(dtype=float, na_value=np.nan)"
        return f": pass np.array({name}, dtype=float), which makes NaN of None"
    if dtype.kind in "mM":
        return f": pass seconds, such as ({name} - {name}[0]) / np.timedelta64(1, 's')"
    if dtype.kind == "c":
        return ", and real ones: pass real and imaginary parts as two columns"
    if dtype.kind == "f" and dtype.itemsize > 8:
        return f" in a precision that JAX has: pass {name}.astype(np.float64)"
    return None if jnp.issubdtype(dtype, jnp.number) or dtype == np.bool_ else ""


def put_back(given: jax.Array | np.ndarray, kept: Any, filled: jax.Array) -> Any:
    """`filled` with the entries of `given` wherever `kept`, where JAX could not hold them.

    Args:
      given: x as it came.
      kept: () -> bool in x's shape, the entries that are not filled.
      filled: of given's shape, or with an axis of samples before it.

    Returns:
      A NumPy array of given's dtype where that is wider than filled's and nothing is traced; else
      `filled`.
    """
    if isinstance(given, jax.Array) or given.dtype == filled.dtype or isinstance(filled, Tracer):
        return filled
    return np.where(np.asarray(kept()), given, np.asarray(filled, given.dtype))
