"""From a dataset's name and the --data flag to a Dataset."""

import os
from collections.abc import Callable

from naomi_jax.data import basketball, billiards, files, traffic
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError

NAMES = ("traffic", "billiards", "basketball", "files")


def load(
    name: str,
    path: str | None = None,
    *,
    window: int | None = None,
    stride: int | None = None,
    log: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> Dataset:
    """Load a data set.

    Args:
      name: one of NAMES.
      path: a copy of the data to use; None takes the built-in source (download or simulation).
      window, stride: how to cut one long series into sequences.
      log: receives plain lines.
      progress: show a bar for downloads.

    Raises:
      InputError: the data cannot be had; the message says why and what to do.
    """
    if path is not None and not os.path.exists(path):
        raise InputError(f"--data {path}: no such file or folder")
    if name == "billiards":
        if path is not None:
            raise InputError(
                "--data: billiards is simulated; for your own file use --dataset files"
            )
        return billiards.load()
    if name == "basketball":
        return basketball.load(path, log=log)
    if name == "files" and path is None:
        raise InputError(
            "--dataset files needs --data FILE (.npz, .npy, .csv, or a folder of them)"
        )
    if name == "traffic" and (path is None or _is_pems(path)):
        return traffic.load(path, log=log, progress=progress)
    return files.load(path, window=window, stride=stride)


def _is_pems(path):
    """A PEMS-SF archive: a zip that is not an .npz, or a folder with PEMS_ files or without arrays."""
    if os.path.isdir(path):
        return not os.path.exists(os.path.join(path, "train.npz"))
    return os.path.splitext(path)[1].lower() not in files.EXTENSIONS
