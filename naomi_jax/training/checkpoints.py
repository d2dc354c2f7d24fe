"""Checkpoints of a run: the latest and the best, written atomically.

Only this file uses orbax. A checkpoint's name is a number, its `step`: the updates done before it.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from naomi_jax.errors import InputError
from naomi_jax.store import checksums
from naomi_jax.training import silence

_METRIC = "val_error"


class Checkpoints:
    """The checkpoints in a folder. A context manager: leaving it waits for the last write.

    Two are kept, the latest and the one with the least validation error. A checkpoint is written
    to a temporary folder first, so killing the process never damages one that is there. One that
    was damaged on disk is noticed by its checksums.

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
            with silence.logs():
                self._manager = ocp.CheckpointManager(
                    self.folder,
                    options=ocp.CheckpointManagerOptions(
                        best_fn=lambda metrics: metrics[_METRIC],  # or metrics are not written
                        best_mode="min",
                        preservation_policy=checkpoint_managers.AnyPreservationPolicy(keep),
                        cleanup_tmp_directories=not read_only,
                        read_only=read_only,
                    ),
                    item_handlers=ocp.PyTreeCheckpointHandler(),
                )
                self._kept = {step: self._check_error(step) for step in self._manager.all_steps()}
        except OSError as error:
            raise InputError(
                f"{self.folder}: checkpoints cannot be kept here ({_first_line(error)}); "
                "choose another --workdir"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            # orbax reads what it finds, and does not say where
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
        error = None if val_error is None else float(val_error)
        metrics = None if error is None else {_METRIC: error}
        kept = checksums.make(tree, error)
        with self._writing():
            self._manager.save(
                step,
                args=ocp.args.PyTreeSave(tree),
                metrics=metrics,
                custom_metadata=kept,
                force=True,
            )
        self._kept[step] = kept

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
        silence.late_reads()
        try:
            with silence.logs():
                found = self._manager.restore(
                    step,
                    args=ocp.args.PyTreeRestore(
                        abstract,
                        restore_args=ocp.checkpoint_utils.construct_restore_args(abstract),
                        partial_restore=True,
                    ),
                )
            _check_shapes(found, abstract)
            kept = self._kept.get(step)
            if kept:
                checksums.check(kept, found)
            return found
        except Exception as error:  # orbax and tensorstore raise a dozen kinds
            raise InputError(
                f"{self.folder}: checkpoint {step} cannot be read as a checkpoint of this model "
                f"({_first_line(error)}); if it is damaged, delete {step}/ there to go on from an "
                "earlier one, or start again in another --workdir"
            ) from error

    def _check_error(self, step):
        """What was kept with a checkpoint; its validation error decides which one is best."""
        kept = checksums.read(os.path.join(self.folder, str(step)))
        if kept is None:
            return None
        error = (self._manager.metrics(step) or {}).get(_METRIC)
        if repr(error) != repr(kept.get(_METRIC)):  # as text: NaN is not equal to NaN
            raise ValueError(f"step {step}: {_METRIC} is not what was written")
        return kept

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


def _first_line(error):
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
