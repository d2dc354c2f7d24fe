"""Checkpoints of a run: the latest and the best, written atomically.

Only this file uses orbax. A checkpoint's name is a number, its `step`: the updates done before it.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from naomi_jax.errors import InputError

_METRIC = "val_error"


class Checkpoints:
    """The checkpoints in a folder. A context manager: leaving it waits for the last write.

    Two are kept, the latest and the one with the least validation error. A checkpoint is written
    to a temporary folder first, so killing the process never damages one that is there.

    Args:
      folder: theirs.
      read_only: nothing is written or cleaned up, so that a run that is being trained is not
        disturbed.
    """

    def __init__(self, folder: str | os.PathLike, read_only: bool = False):
        self.folder = os.path.abspath(folder)
        keep = [
            checkpoint_managers.LatestN(1),
            checkpoint_managers.BestN(
                get_metric_fn=lambda metrics: metrics[_METRIC],
                reverse=True,  # the least
                n=1,
                keep_checkpoints_without_metrics=False,
            ),
        ]
        try:
            self._manager = ocp.CheckpointManager(
                self.folder,
                options=ocp.CheckpointManagerOptions(
                    best_fn=lambda metrics: metrics[_METRIC],  # without it metrics are not written
                    best_mode="min",
                    preservation_policy=checkpoint_managers.AnyPreservationPolicy(keep),
                    cleanup_tmp_directories=not read_only,
                    read_only=read_only,
                ),
                item_handlers=ocp.PyTreeCheckpointHandler(),
            )
        except OSError as error:
            raise InputError(
                f"{self.folder}: checkpoints cannot be kept here ({_first_line(error)}); "
                "choose another --workdir"
            ) from error
        except ValueError as error:  # orbax reads what it finds, and does not say where
            found = " or ".join(sorted(n for n in os.listdir(self.folder) if n.isdigit()))
            raise InputError(
                f"{self.folder}: checkpoint {found} is damaged ({_first_line(error)}); delete its "
                "folder there to go on from what is left"
            ) from error

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        with self._writing():
            self._manager.close()

    def latest(self) -> int | None:
        """The number of the latest checkpoint, or None."""
        return self._manager.latest_step()

    def best(self) -> int | None:
        """The number of the checkpoint with the least validation error; without any, the latest."""
        best = self._manager.best_step()
        return self.latest() if best is None else best

    def save(self, step: int, tree: Any, val_error: float | None) -> None:
        """Begin to write a checkpoint; it is on disk after `wait`, or when the next one begins.

        Args:
          step: updates done.
          tree: a pytree of arrays.
          val_error: the validation error there, or None where it was not measured.
        """
        metrics = None if val_error is None else {_METRIC: float(val_error)}
        with self._writing():
            self._manager.save(step, args=ocp.args.PyTreeSave(tree), metrics=metrics, force=True)

    def wait(self) -> None:
        """Return when the last checkpoint is on disk."""
        with self._writing():
            self._manager.wait_until_finished()

    def restore(self, step: int, target: Any) -> Any:
        """A checkpoint's tree; what else it holds beside `target` is not read.

        Args:
          step: the checkpoint's number.
          target: arrays, or shapes and dtypes; those with a sharding come back laid out like it.

        Raises:
          InputError: it is damaged, or of another model.
        """
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, target)
        try:
            found = self._manager.restore(
                step,
                args=ocp.args.PyTreeRestore(
                    abstract,
                    restore_args=ocp.checkpoint_utils.construct_restore_args(abstract),
                    partial_restore=True,
                ),
            )
            _check_shapes(found, abstract)
            return found
        except Exception as error:  # orbax and tensorstore raise a dozen kinds
            _drop_late_callbacks()
            raise InputError(
                f"{self.folder}: checkpoint {step} cannot be read as a checkpoint of this model "
                f"({_first_line(error)}); if it is damaged, delete {step}/ there to go on from an "
                "earlier one, or start again in another --workdir"
            ) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # as above
            raise InputError(
                f"{self.folder}: the checkpoint could not be written ({_first_line(error)}); those "
                "written before are kept: free some space and run the same command again"
            ) from error


def _check_shapes(found, wanted) -> None:
    for (path, leaf), want in zip(
        jax.tree_util.tree_leaves_with_path(found), jax.tree.leaves(wanted), strict=True
    ):
        if np.shape(leaf) != want.shape:
            name = jax.tree_util.keystr(path)
            raise ValueError(f"{name}: shape {np.shape(leaf)}, expected {want.shape}")


def _drop_late_callbacks() -> None:
    """Keep quiet about reads that end after the failed one has been reported.

    tensorstore's threads go on for a moment and call back into the event loop that orbax has
    closed. Nobody can catch that, so that Python prints it, below our one line. All else is printed
    as before.
    """
    previous = sys.unraisablehook

    def drop_late_callbacks(unraisable):
        trace = unraisable.exc_traceback
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is None or trace.tb_frame.f_code.co_name != "_check_closed":
            previous(unraisable)

    if getattr(previous, "__name__", "") != drop_late_callbacks.__name__:
        sys.unraisablehook = drop_late_callbacks


def _first_line(error):
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
