"""A run's folder: created for a new run, or resumed by the same one."""

import os
from typing import Literal

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.data import npy, registry
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.runs import record
from naomi_jax.training import devices, loop
from naomi_jax.training.checkpoints import Checkpoints
from naomi_jax.training.settings import Run

_IMPUTER = "imputer.json"  # of imputer.saving
MEMORY = "training_sequences.npy"  # where neighbors are looked for


def name_of_file(path: str) -> str:
    """The name of a run on a user's file: series of /data/series.csv.gz.

    A name that the runs on a data set have gets `files_` before it.
    """
    name = os.path.basename(os.path.abspath(path))
    stem = os.path.splitext(name.removesuffix(".gz"))[0] or "files"
    taken = any(stem == known or stem.startswith(f"{known}_") for known in registry.names())
    return f"files_{stem}" if taken and stem != "files" else stem


def make(workdir: str | os.PathLike) -> None:
    """Make the folder if it is not there.

    Raises:
      InputError: it cannot be made.
    """
    try:
        os.makedirs(workdir, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{workdir}: cannot be written ({error.strerror}); choose another --workdir"
        ) from error


def create_or_resume(workdir: str | os.PathLike, run: Run, dataset: Dataset) -> bool:
    """Make the folder (the main process does), or check that it holds a run with these settings.

    Args:
      workdir: the folder.
      run: all settings, checked against the data.
      dataset: the data; its description is kept with the settings.

    Returns:
      Whether there was a run.

    Raises:
      InputError: it cannot be written, or holds a run with other settings or other data.
    """
    now = record.make(run, dataset)
    if record.exists(workdir):
        found = record.differences(record.read(workdir), now)
        if found:
            raise InputError(
                f"{workdir} holds a run with other settings ({'; '.join(found[:3])}); choose "
                "another --workdir, or delete this one to start again"
            )
        return True
    if not devices.is_main_process():
        return False
    make(workdir)
    if run.transforms.neighbors:
        with atomic_write(os.path.join(workdir, MEMORY), mode="wb") as file:
            np.save(file, dataset.train)
    record.write(workdir, now)
    return False


def read_memory(workdir: str | os.PathLike, shape: tuple[int, int, int]) -> np.ndarray:
    """The training sequences, in the data's units, of a run with neighbors.

    Args:
      workdir: the run's folder.
      shape: (N, T, D) of them, as the run's record has it.

    Raises:
      InputError: they are missing or damaged.
    """
    path = os.path.join(workdir, MEMORY)
    try:
        found = npy.read(path, key="data")
    except InputError as error:
        raise InputError(f"{error}; put it back, or train again in another folder") from None
    if found.dtype != np.float32 or found.shape != shape:
        raise InputError(
            f"{path}: {found.dtype} of shape {found.shape}, but the run was trained on float32 of "
            f"shape {shape}; put it back, or train again in another folder"
        )
    return found


def has_checkpoint(workdir: str | os.PathLike) -> bool:
    """Whether a run in the folder has saved something to go on from."""
    folder = os.path.join(workdir, loop.CHECKPOINTS)
    if not os.path.isdir(folder):
        return False
    with Checkpoints(folder, read_only=True) as checkpoints:
        return checkpoints.latest() is not None


def kind(workdir: str | os.PathLike) -> Literal["method", "imputer"] | None:
    """What a run in the folder was made by: a method, or an imputer; None: no run is in it."""
    if record.exists(workdir):
        return "method"
    return "imputer" if os.path.exists(os.path.join(workdir, _IMPUTER)) else None


def check_kind(workdir: str | os.PathLike, wanted: Literal["method", "imputer"]) -> None:
    """Raise InputError where the folder holds a run of another kind than is to be made in it."""
    found = kind(workdir)
    if found not in (None, wanted):
        words = {"method": "a training", "imputer": "what was learned from a table with holes"}
        raise InputError(
            f"{workdir} holds {words[found]}; choose another --workdir, or delete this one"
        )
