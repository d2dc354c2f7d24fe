"""Checkpoints of a run: the latest and the best, written atomically. The one file that knows orbax."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers

from naomi_jax.errors import InputError

_METRIC = "val_error"


class Checkpoints:
    """The checkpoints in a folder. A context manager: leaving it waits for the last write.

    Two are kept, the latest and the one with the least validation error. A write in progress goes to
    a temporary folder, so killing the process never damages one that is there.
    """

    def __init__(self, folder: str | os.PathLike):
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
                    cleanup_tmp_directories=True,
                ),
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
        """The step of the latest checkpoint, or None."""
        return self._manager.latest_step()

    def best(self) -> int | None:
        """The step of the checkpoint with the least validation error; without any, the latest."""
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
            self._manager.save(step, args=ocp.args.StandardSave(tree), metrics=metrics, force=True)

    def wait(self) -> None:
        """Return when the last checkpoint is on disk."""
        with self._writing():
            self._manager.wait_until_finished()

    def restore(self, step: int, target: Any) -> Any:
        """The tree of a step; `target` has its structure, shapes and dtypes.

        Raises:
          InputError: it is damaged, or of another model.
        """
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, target)
        try:
            return self._manager.restore(step, args=ocp.args.StandardRestore(abstract))
        except Exception as error:  # orbax and tensorstore raise a dozen kinds
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


def _first_line(error):
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
