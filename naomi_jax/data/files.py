"""The user's own files: .npz, .npy and .csv. Never unpickled.

`load` reads complete training data; `read_series` and `write_series` read a file with holes and
write it back in the same format, changing nothing but the holes.
"""

import contextlib
import csv
import dataclasses
import math
import os
import zipfile

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.data import metrics, registry
from naomi_jax.data.dataset import Dataset, hold_out
from naomi_jax.errors import InputError

EXTENSIONS = (".npz", ".npy", ".csv")
_HOLES = {"", "nan", "na", "null", "none"}
_HELD_OUT = 0.1  # share of the data for validation, and again for testing


@dataclasses.dataclass(frozen=True)
class Table:
    """How a file was written, so that it can be written back.

    Attributes:
      kind: ".npz", ".npy" or ".csv".
      dtype: of its values.
      arrays: the other arrays of an .npz.
      cells: the rows of a .csv as text, header and labels included.
      first_row, first_column: where the values of a .csv begin.
    """

    kind: str
    dtype: np.dtype
    arrays: dict = dataclasses.field(default_factory=dict)
    cells: tuple[list[str], ...] = ()
    first_row: int = 0
    first_column: int = 0


def load(
    path: str | os.PathLike, *, window: int | None = None, stride: int | None = None, seed: int = 0
) -> Dataset:
    """Training data from a file or a folder.

    Args:
      path: a folder with train.npz, test.npz and perhaps val.npz (key `data`, (N, T, D)); an .npz
        with the keys train, test and perhaps val, or with the key `data`; an .npy; or a .csv with a
        row for each time step. One array of sequences is split at random, one long series (T, D) by
        time: the last tenth tests, the tenth before it validates.
      window, stride: length of the sequences cut from a long series, and steps from one to the next
        in the training part; half a window by default.
      seed: of the random split.

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
        splits = _split(path, window, stride, seed)
    for name, data in splits.items():
        if data.ndim != 3:
            raise InputError(f"{path}: {name} has shape {data.shape}; (N, T, D) is needed")
        _check_complete(data, f"{path}, {name}")
    if "val" not in splits:
        splits["train"], splits["val"] = hold_out(splits["train"], _HELD_OUT, seed)
    n, steps, dim = splits["train"].shape
    source = (
        f"{os.path.basename(os.path.normpath(path))}, {n} training sequences of {steps} x {dim}"
    )
    splits = {name: np.ascontiguousarray(data, np.float32) for name, data in splits.items()}
    return Dataset("files", source, False, **splits)


def read_series(path: str | os.PathLike) -> tuple[Table, np.ndarray]:
    """Read a file that may have holes.

    Returns:
      How to write it back, and its values (T, D) or (N, T, D) with NaN in the holes.

    Raises:
      InputError: naming the file and what is wrong with it.
    """
    path = os.fspath(path)
    kind = _kind(path)
    if kind == ".csv":
        table, values = _read_csv(path)
    elif kind == ".npy":
        values = _numbers(_open_numpy(path), path)
        table = Table(kind, values.dtype)
    else:
        arrays = _open_npz(path)
        values = _numbers(_key(arrays, "data", path), path)
        table = Table(kind, values.dtype, {k: v for k, v in arrays.items() if k != "data"})
    if values.ndim not in (2, 3) or values.size == 0:
        raise InputError(f"{path}: shape {values.shape}; (T, D) or (N, T, D) is needed")
    if np.isinf(values).any():
        place = tuple(int(i) for i in np.argwhere(np.isinf(values))[0])
        raise InputError(
            f"{path}: infinite value at {place}; repair it, or leave it empty to be filled"
        )
    return table, values


def write_series(path: str | os.PathLike, table: Table, values: np.ndarray) -> None:
    """Write values in the format of the file that they were read from, atomically.

    Args:
      path: its extension must be the table's.
      table: from `read_series`.
      values: in the shape that was read; for .npz and .npy a leading axis of samples may be added.
        Cells of a .csv that held a value are written back as they were, to the letter.

    Raises:
      InputError: the extension differs, samples for a .csv, or the file cannot be written.
    """
    path = os.fspath(path)
    if _kind(path) != table.kind:
        raise InputError(
            f"{path}: the input is {table.kind}, so the output must be {table.kind} too"
        )
    if table.kind == ".csv" and values.ndim != 2:
        raise InputError(f"{path}: a .csv holds one filled series; for samples use .npz or .npy")
    if table.kind == ".csv":
        with atomic_write(path, mode="w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(_filled_cells(table, values))
        return
    with atomic_write(path, mode="wb") as file:
        if table.kind == ".npy":
            np.save(file, values.astype(table.dtype), allow_pickle=False)
        else:
            np.savez_compressed(file, **table.arrays, data=values.astype(table.dtype))


def _kind(path):
    kind = os.path.splitext(path)[1].lower()
    if kind not in EXTENSIONS:
        raise InputError(f"{path}: unknown format; {', '.join(EXTENSIONS)} are accepted")
    return kind


# Splits.


def _split(path, window, stride, seed):
    if _kind(path) == ".npz":
        arrays = _open_npz(path)
        if "train" in arrays:
            names = [name for name in ("train", "val", "test") if name in arrays]
            if "test" not in names:
                raise InputError(
                    f"{path}: key 'train' without 'test'; keys found: {sorted(arrays)}"
                )
            return {name: _numbers(arrays[name], f"{path}, {name}") for name in names}
    values = read_series(path)[1]
    _check_complete(values, path)
    if values.ndim == 2:
        return _windows(values, path, window, stride)
    if len(values) < 3:
        raise InputError(
            f"{path}: {len(values)} sequence(s); at least 3 are needed for three splits"
        )
    rest, test = hold_out(values, _HELD_OUT, seed)
    train, val = hold_out(rest, _HELD_OUT / (1 - _HELD_OUT), seed + 1)
    return {"train": train, "val": val, "test": test}


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


def _check_complete(values, name):
    missing = np.isnan(values)
    if missing.any():
        place = tuple(int(i) for i in np.argwhere(missing)[0])
        words = "sequence, step, column" if len(place) == 3 else "row, column"
        raise InputError(
            f"{name}: {missing.sum()} missing values, the first at {place} ({words}, from 0); "
            "missing values in training data are not supported yet: fill or drop those sequences "
            "first"
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
    return _numbers(_key(_open_npz(path), key, path), path)


def _key(arrays, key, path):
    if key not in arrays:
        raise InputError(f"{path}: no key {key!r}; keys found: {sorted(arrays)}")
    return arrays[key]


def _numbers(values, name):
    if not (np.issubdtype(values.dtype, np.floating) or np.issubdtype(values.dtype, np.integer)):
        raise InputError(f"{name}: dtype {values.dtype}; numbers are needed")
    return values if np.issubdtype(values.dtype, np.floating) else values.astype(np.float32)


def _open_npz(path):
    with (
        _reading(path),
        open(path, "rb") as stream,
        np.load(stream, allow_pickle=False) as file,
    ):
        return {key: file[key] for key in file.files}


def _open_numpy(path):
    with _reading(path), open(path, "rb") as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


@contextlib.contextmanager
def _reading(path):
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, TypeError) as error:
        if os.path.exists(path) and os.path.getsize(path) == 0:
            raise InputError(f"{path}: the file is empty") from None
        if "Object arrays" in str(error):
            raise InputError(
                f"{path}: holds pickled objects, which are never loaded; save plain numbers"
            ) from None
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: damaged, or not what its name says ({reason})") from None


# CSV.


def _read_csv(path):
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            cells = [row for row in csv.reader(file) if row]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a readable .csv file ({error})") from None
    if not cells:
        raise InputError(f"{path}: the file is empty")
    first_row = 0 if any(_number(cell) is not None for cell in cells[0]) else 1
    if len(cells) == first_row:
        raise InputError(f"{path}: a header and nothing else")
    width = len(cells[0])
    for number, row in enumerate(cells, 1):
        if len(row) != width:
            raise InputError(f"{path}, row {number}: {len(row)} columns, but the first has {width}")
    first_column = _labels(cells[first_row:])
    if first_column == width:
        raise InputError(f"{path}: no column of numbers")
    values = _parse_cells(cells[first_row:], first_column, first_row, path)
    return Table(".csv", values.dtype, {}, tuple(cells), first_row, first_column), values


def _labels(rows):
    """Leading columns that hold text, such as a time stamp, and not one number."""
    column = 0
    while column < len(rows[0]):
        cells = [_number(row[column]) for row in rows]
        if all(cell is not None for cell in cells):  # numbers, or holes alone
            break
        if any(cell is not None and not math.isnan(cell) for cell in cells):
            break
        column += 1
    return column


def _parse_cells(rows, first_column, first_row, path):
    try:  # the usual case, at numpy's speed
        text = [
            ["nan" if c.strip().lower() in _HOLES else c for c in r[first_column:]] for r in rows
        ]
        return np.array(text, dtype=np.float64)
    except ValueError:
        for number, row in enumerate(rows, first_row + 1):
            for column, cell in enumerate(row[first_column:], first_column + 1):
                if _number(cell) is None:
                    raise InputError(
                        f"{path}, row {number}, column {column}: {cell!r} is not a number; leave "
                        "the cell empty if it is missing"
                    ) from None
        raise


def _is_hole(cell):
    number = _number(cell)
    return number is not None and math.isnan(number)


def _number(cell):
    """The cell's value, NaN for a hole, None for text."""
    cell = cell.strip()
    if cell.lower() in _HOLES:
        return math.nan
    try:
        return float(cell)
    except ValueError:
        return None


def _filled_cells(table, values):
    for number, row in enumerate(table.cells):
        if number < table.first_row:
            yield row
            continue
        new = values[number - table.first_row]
        labels, cells = row[: table.first_column], row[table.first_column :]
        yield labels + [
            str(np.float32(value)) if _is_hole(cell) else cell for cell, value in zip(cells, new)
        ]


# The data set.


def _load(request: registry.Request) -> Dataset:
    if request.path is None:
        raise InputError(
            "--dataset files needs --data FILE (.npz, .npy, .csv, or a folder of them)"
        )
    return load(request.path, window=request.window, stride=request.stride)


FILES = registry.register(
    registry.DatasetKind(
        name="files",
        load=_load,
        metrics=(metrics.Metric("mean squared error", 1, metrics.missing_l2),),
    )
)
