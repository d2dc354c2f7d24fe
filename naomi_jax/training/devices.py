"""Data-parallel training: every device takes a part of each batch, and all hold the same state.

One mesh with one axis. Nothing else in the code knows how many devices there are: batches are laid
out over the mesh, and XLA adds up the gradients (jax.sharding; the result is that of one device, up
to the order of sums). Several processes run the same program on the same data (jax.distributed);
only the main process writes.
"""

import dataclasses
import functools
import re
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from naomi_jax.errors import InputError
from naomi_jax.methods.method import Method

_AXIS = "batch"


def join(processes: str) -> None:
    """Become one of several processes of a run; before anything else is computed.

    Args:
      processes: "auto" where JAX finds the others (TPU pods, Slurm, Open MPI), or
        "HOST:PORT,COUNT,NUMBER": where process 0 listens, how many processes there are, and which
        one this is.

    Raises:
      InputError: they cannot be joined.
    """
    given = re.fullmatch(r"([^,]+:\d+),(\d+),(\d+)", processes)
    if given is None and processes != "auto":
        raise InputError(f"{processes!r}: auto, or HOST:PORT,COUNT,NUMBER is needed")
    try:
        if given is None:
            jax.distributed.initialize()
        else:
            jax.distributed.initialize(
                coordinator_address=given[1], num_processes=int(given[2]), process_id=int(given[3])
            )
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"the other processes cannot be joined ({reason})") from error


def is_main_process() -> bool:
    """Whether this process is the one that writes and prints."""
    return jax.process_index() == 0


def sync(size: int, asked: bool) -> tuple[int, bool]:
    """What all do next: the `size` of the main process, and to stop where any was `asked` to."""
    if jax.process_count() == 1:
        return size, asked
    every = multihost_utils.process_allgather(np.array([size, asked]))
    return int(every[0, 0]), bool(every[:, 1].any())


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
            f"--batch_size={fitting} can"
        )
    return jax.make_mesh((count,), (_AXIS,), axis_types=(AxisType.Auto,))


def replicate(tree: Any, mesh: Mesh | None) -> Any:
    """A copy of every array on every device."""
    if mesh is None:
        return jax.device_put(tree)
    if jax.process_count() > 1:
        # To other processes' devices device_put takes arrays from the host alone.
        tree = jax.tree.map(np.asarray, tree)
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))


@functools.cache  # or every call compiles
def _collect(mesh):
    """A function that brings an array laid out over the mesh to every device."""
    return jax.jit(lambda array: array, out_shardings=NamedSharding(mesh, PartitionSpec()))


def on_mesh(method: Method, mesh: Mesh | None) -> Method:
    """The method with each batch that it fills shared by all devices."""
    if mesh is None:
        return method

    def impute(params, x, mask, key=None, **options):
        count = len(x)
        # Filled up where the devices do not divide it.
        rows = np.arange(-(-count // mesh.size) * mesh.size) % count
        layout = NamedSharding(mesh, PartitionSpec(_AXIS))
        x, mask = (jax.device_put(np.asarray(a)[rows], layout) for a in (x, mask))
        filled = method.impute(params, x, mask, key, **options)
        return _collect(mesh)(filled)[..., :count, :, :]

    return dataclasses.replace(method, impute=impute)


def split(batch: Any, mesh: Mesh | None) -> Any:
    """Arrays (B, ...) with their first axis laid out over the devices; under jit."""
    if mesh is None:
        return batch
    return jax.lax.with_sharding_constraint(batch, NamedSharding(mesh, PartitionSpec(_AXIS)))
