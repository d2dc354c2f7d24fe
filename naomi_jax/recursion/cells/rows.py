"""What a tick asks for by number: rows of a buffer, and one of several branches.

The number is a scalar where the batch shares one mask, and (B,) where every sequence has its own.
This file is the only one that tells the two apart. Buffers are (rows, B, ...).

With a number for each sequence, B is a batching dimension of the gathers and scatters: XLA then
copies no whole buffer under vmap, and several devices that share a batch have nothing to exchange.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

Number = Int[Array, ""] | Int[Array, " B"]


def choose(
    number: Number | Bool[Array, ""] | Bool[Array, " B"],
    branches: Sequence[Callable],
    *,
    cheap: bool = False,
) -> Any:
    """branches[number](), a pytree of arrays (B, ...).

    With one number for the batch this is a real branch, and the others cost nothing. With one for
    each sequence all branches are computed and each sequence keeps its own result, unless all of
    them ask for branches[0]. Where the branches are `cheap` that is not tested: on a GPU a
    condition costs more than a small product.
    """
    if number.ndim == 0:
        return jax.lax.switch(number.astype(jnp.int32), branches)

    def lockstep():
        result = branches[0]()
        for k, branch in enumerate(branches[1:], start=1):
            result = where(number == k, branch(), result)
        return result

    return lockstep() if cheap else jax.lax.cond(jnp.any(number != 0), lockstep, branches[0])


def where(flag: Bool[Array, ""] | Bool[Array, " B"], then: Any, otherwise: Any) -> Any:
    """jnp.where for pytrees of arrays (B, ...), by one flag or one for each sequence."""
    return jax.tree.map(lambda a, b: jnp.where(_along(flag, a), a, b), then, otherwise)


def scale(weight: Shaped[Array, "..."], rows: Float[Array, "..."]) -> Float[Array, "..."]:
    """weight * rows, the weight's axes being the first of rows'."""
    return _along(weight, rows) * rows


def _along(a, rows):
    return a.reshape(a.shape + (1,) * (rows.ndim - a.ndim))


def read(buffer: Shaped[Array, "rows B *rest"], row: Number) -> Shaped[Array, " B *rest"]:
    """buffer[row]."""
    if row.ndim == 0:
        return jax.lax.dynamic_index_in_dim(buffer, row, 0, keepdims=False)
    return _rows_of_each(buffer, row, jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS)


def write(
    buffer: Shaped[Array, "rows B *rest"], row: Number, value: Shaped[Array, " B *rest"]
) -> Shaped[Array, "rows B *rest"]:
    """The buffer with buffer[row] = value."""
    if row.ndim == 0:
        return jax.lax.dynamic_update_index_in_dim(buffer, value, row, 0)
    numbers = jax.lax.ScatterDimensionNumbers(
        update_window_dims=tuple(range(1, value.ndim)),
        inserted_window_dims=(0,),
        scatter_dims_to_operand_dims=(0,),
        operand_batching_dims=(1,),
        scatter_indices_batching_dims=(0,),
    )
    return jax.lax.scatter(
        buffer,
        row[:, None],
        value,
        numbers,
        unique_indices=True,
        mode=jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS,
    )


def gather(array: Shaped[Array, "rows ..."], index: Int[Array, " n *B"]) -> Shaped[Array, "n ..."]:
    """Rows `index`, (n,) or (n, B), of an array (rows,) or (rows, B, ...); 0 where out of range."""
    if index.ndim == 1:
        return array.at[index].get(mode="fill", fill_value=0)
    return _rows_of_each(array, index, jax.lax.GatherScatterMode.FILL_OR_DROP)


def span(
    array: Shaped[Array, "rows ..."], first: int | Int[Array, ""], count: int
) -> Shaped[Array, "{count} ..."]:
    """array[first : first + count], `first` may be traced."""
    return jax.lax.dynamic_slice_in_dim(array, first, count)


def sum_by_row(
    values: Float[Array, "n B *rest"], index: Int[Array, " n *B"], count: int
) -> Float[Array, "{count} B *rest"]:
    """(count, B, ...): row t is the sum of the values whose index is t."""

    def add_up(index, values):
        return jnp.zeros_like(values, shape=(count, *values.shape[1:])).at[index].add(values)

    add_up = add_up if index.ndim == 1 else jax.vmap(add_up, in_axes=1, out_axes=1)
    return add_up(index, values)


def _rows_of_each(array, index, mode):
    """Rows `index`, (..., B), of an array (rows, B, ...)."""
    numbers = jax.lax.GatherDimensionNumbers(
        offset_dims=tuple(range(index.ndim, index.ndim + array.ndim - 2)),
        collapsed_slice_dims=(0,),
        start_index_map=(0,),
        operand_batching_dims=(1,),
        start_indices_batching_dims=(index.ndim - 1,),
    )
    sizes = (1, 1, *array.shape[2:])
    return jax.lax.gather(array, index[..., None], numbers, sizes, mode=mode, fill_value=0)
