"""Data-parallel training: every device takes a part of each batch, and all hold the same state.

One mesh with one axis. Nothing else in the code knows how many devices there are: batches are laid out over
the mesh, and XLA adds up the gradients (jax.sharding; the result is one device's up to summation order).
"""

from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from naomi_jax.errors import InputError

_AXIS = "batch"


def mesh(batch_size: int) -> Mesh | None:
    """All devices, or None where there is only one.

    Raises:
      InputError: they cannot share a batch evenly.
    """
    count = jax.device_count()
    if count == 1:
        return None
    if batch_size % count:
        fitting = max(batch_size // count, 1) * count
        raise InputError(
            f"batch_size: {batch_size} sequences cannot be shared evenly by {count} devices; "
            f"--config.batch_size={fitting} can"
        )
    return jax.make_mesh((count,), (_AXIS,), axis_types=(AxisType.Auto,))


def replicate(tree: Any, mesh: Mesh | None) -> Any:
    """A copy of every array on every device."""
    return jax.device_put(tree, None if mesh is None else NamedSharding(mesh, PartitionSpec()))


def impute(function, mesh: Mesh | None, params, x, mask, key=None, **options):
    """A model's `impute` with the batch shared by all devices, filled up where it does not divide."""
    if mesh is None:
        return function(params, x, mask, key, **options)
    count = len(x)
    rows = np.arange(-(-count // mesh.size) * mesh.size) % count
    layout = NamedSharding(mesh, PartitionSpec(_AXIS))
    x, mask = (jax.device_put(np.asarray(a)[rows], layout) for a in (x, mask))
    return function(params, x, mask, key, **options)[..., :count, :, :]


def split(batch: Any, mesh: Mesh | None) -> Any:
    """Arrays (B, ...) with their first axis laid out over the devices; under jit."""
    if mesh is None:
        return batch
    return jax.lax.with_sharding_constraint(batch, NamedSharding(mesh, PartitionSpec(_AXIS)))
