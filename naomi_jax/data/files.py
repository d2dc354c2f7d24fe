"""Training data from the user's own files: tables of text, .parquet, .npz and .npy."""

import os
from collections.abc import Callable

import numpy as np

from naomi_jax import calling
from naomi_jax.data import metrics, registry
from naomi_jax.data.dataset import Dataset, hold_out
from naomi_jax.errors import InputError
from naomi_jax.tables.files import numpy_files, reading

_HELD_OUT = 0.1  # share of the data for validation, and again for testing


def load(
    path: str | os.PathLike,
    *,
    window: int | None = None,
    stride: int | None = None,
    seed: int = 0,
    log: Callable[[str], None] = lambda line: None,
) -> Dataset:
    """Training data from a file or a folder.

    Args:
      path: a folder with train.npz, test.npz and perhaps val.npz (key `data`, (N, T, D)); an .npz
        with the keys train, test and perhaps val, or with the key `data`; an .npy; or a table
        (reading.EXTENSIONS) with a row for each time step. One array of sequences is split at
        random, one long series (T, D) by time: the last tenth tests, the tenth before validates.
      window, stride: length of the sequences cut from a long series, and steps from one to the next
        in the training part; half a window by default.
      seed: of the random split.
      log: receives lines on what was assumed of a table.

    Raises:
      InputError: naming the file, what is wrong with it and what is accepted.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        splits = {
            name: read_array(os.path.join(path, f"{name}.npz"))
            for name in ("train", "val", "test")
            if os.path.exists(os.path.join(path, f"{name}.npz"))
        }
        if not {"train", "test"} <= splits.keys():
            raise InputError(f"{path}: train.npz and test.npz are needed in this folder")
    else:
        splits = _split(path, window, stride, seed, log)
    for name, data in splits.items():
        if data.ndim != 3:
            raise InputError(f"{path}: {name} has shape {data.shape}; (N, T, D) is needed")
        file = os.path.join(path, f"{name}.npz") if os.path.isdir(path) else None
        _check_complete(data, f"{path}, {name}", file)
    if "val" not in splits:
        splits["train"], splits["val"] = hold_out(splits["train"], _HELD_OUT, seed)
    n, steps, dim = splits["train"].shape
    source = (
        f"{os.path.basename(os.path.normpath(path))}, {n} training sequences of {steps} x {dim}"
    )
    splits = {name: np.ascontiguousarray(data, np.float32) for name, data in splits.items()}
    return Dataset("files", source, False, **splits)


# Splits.


def _split(path, window, stride, seed, log):
    if reading.extension(path) == ".npz":
        found = numpy_files.read_npz(path)
        if "train" in found:
            names = [name for name in ("train", "val", "test") if name in found]
            if "test" not in names:
                raise InputError(f"{path}: key 'train' without 'test'; keys found: {sorted(found)}")
            return {name: _numbers(found[name], f"{path}, {name}") for name in names}
    table = reading.read(path)
    for note in table.notes:
        log(f"{path}: {note}")
    values = _in_order(table)
    _check_complete(values, path, path)
    if values.ndim == 2:
        return _windows(values, path, window, stride)
    if len(values) < 3:
        raise InputError(
            f"{path}: {len(values)} sequence(s); at least 3 are needed for three splits"
        )
    rest, test = hold_out(values, _HELD_OUT, seed)
    train, val = hold_out(rest, _HELD_OUT / (1 - _HELD_OUT), seed + 1)
    return {"train": train, "val": val, "test": test}


def _in_order(table):
    """The values, by time where the table has times."""
    return table.stacked if table.time is None else table.values[np.argsort(table.time)]


def _windows(series, path, window, stride):
    """Cut one long series by time; no step is in two splits."""
    if window is None or window < 2:
        raise InputError(
            f"{path}: one long series needs a window of at least 2 steps: --data.window=LENGTH"
        )
    stride = max(window // 2, 1) if stride is None else stride
    if stride < 1:
        raise InputError(f"stride: {stride} is not a positive number of steps (--data.stride)")
    held = max(round(_HELD_OUT * len(series)) // window, 1) * window
    begin = len(series) - 2 * held
    if begin < window:
        raise InputError(
            f"{path}: {len(series)} steps are too few for windows of {window}: at least "
            f"{3 * window} are needed for three splits; lower --data.window"
        )

    def cut(part, step):
        starts = range(0, len(part) - window + 1, step)
        return np.stack([part[s : s + window] for s in starts])

    return {
        "train": cut(series[:begin], stride),
        "val": cut(series[begin : begin + held], window),
        "test": cut(series[begin + held :], window),
    }


def _check_complete(values, name, file=None):
    """Raise InputError where something is missing; `file` is one that could be filled."""
    missing = np.isnan(values)
    if missing.any():
        place = tuple(int(i) for i in np.argwhere(missing)[0])
        words = "sequence, step, column" if len(place) == 3 else "row, column"
        remedy = "fill or drop those sequences first"
        if file is not None:
            filled = f"FILLED{reading.extension(file)}"
            remedy = f"to fill the holes: {calling.fill(calling.quoted(file), filled)}"
        raise InputError(
            f"{name}: {missing.sum()} missing values, the first at {place} ({words}, from 0); this "
            f"training needs complete sequences; {remedy}"
        )
    if np.isinf(values).any():
        raise InputError(f"{name}: infinite values; repair or drop them")


# Arrays.


def read_array(path: str | os.PathLike, key: str = "data") -> np.ndarray:
    """One array of numbers of an .npz.

    Raises:
      InputError: naming the file and what is wrong with it.
    """
    path = os.fspath(path)
    found = numpy_files.read_npz(path)
    if key not in found:
        raise InputError(f"{path}: no key {key!r}; keys found: {sorted(found)}")
    return _numbers(found[key], path)


def _numbers(values, name):
    if not (np.issubdtype(values.dtype, np.floating) or np.issubdtype(values.dtype, np.integer)):
        raise InputError(f"{name}: dtype {values.dtype}; numbers are needed")
    return values if np.issubdtype(values.dtype, np.floating) else values.astype(np.float32)


# The data set.


def _load(request: registry.Request) -> Dataset:
    if request.path is None:
        raise InputError(
            "--dataset files needs --data FILE (a table, an .npz or .npy, or a folder of .npz)"
        )
    return load(request.path, window=request.window, stride=request.stride, log=request.log)


FILES = registry.register(
    registry.DatasetKind(
        name="files",
        load=_load,
        metrics=(metrics.Metric("mean squared error", 1, metrics.missing_l2),),
    )
)
