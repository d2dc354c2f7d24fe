"""Arrays of numbers in .npz and .npy as tables, and back in their own types."""

import dataclasses
import zipfile
from collections.abc import Sequence

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError
from naomi_jax.tables import casting
from naomi_jax.tables.columns import cells, roles
from naomi_jax.tables.files.numpy_files import read_npy, read_npz
from naomi_jax.tables.options import Options
from naomi_jax.tables.printable import listed
from naomi_jax.tables.table import Table

_KEY = "data"


@dataclasses.dataclass(frozen=True)
class Source:
    """How an array was written.

    Attributes:
      values: the array as it was, of its own type.
      key: its name in an .npz; None for an .npy.
      others: the other arrays of the .npz.
    """

    values: np.ndarray
    key: str | None
    others: dict[str, np.ndarray]


def read(path: str, options: Options) -> Table:
    """Read (T, D) or (N, T, D) numbers: an .npy, or the key `data` or only array of an .npz.

    Raises:
      InputError: naming the file and what is wrong with it.
    """
    for name in ("time", "group", "header", "separator", "decimal", "freq", "dayfirst"):
        if getattr(options, name) is not None:
            raise InputError(f"{path}: --{name} is for tables with named columns, not for arrays")
    if path.lower().endswith(".npy"):
        source = Source(read_npy(path), None, {})
    else:
        arrays = read_npz(path)
        key = _KEY if _KEY in arrays or len(arrays) != 1 else next(iter(arrays))
        if key not in arrays:
            raise InputError(f"{path}: no key {key!r}; keys found: [{listed(sorted(arrays))}]")
        source = Source(arrays.pop(key), key, arrays)
    values = as_numbers(source.values, path)
    if values.ndim not in (2, 3) or values.size == 0:
        raise InputError(f"{path}: shape {values.shape}; (T, D) or (N, T, D) is needed")
    if np.isinf(values).any():
        place = tuple(int(i) for i in np.argwhere(np.isinf(values))[0])
        raise InputError(f"{path}: infinite value at {place}; repair it, or write NaN to fill it")
    for marker in cells.numeric(options.missing):
        values[values == marker] = np.nan
    return _table(values, source)


def _table(values, source):
    shape, rows = values.shape, values.reshape(-1, values.shape[-1])
    names = tuple(map(str, range(shape[-1])))
    count = shape[0] if len(shape) == 3 else 1
    return Table(
        rows,
        names,
        np.repeat(np.arange(count), len(rows) // count),
        tuple(range(count)),
        None,
        np.zeros((len(rows), 0)),
        {"time": None, "group": None, "covariates": None},
        casting.whole(rows) | (source.values.dtype.kind in "iu"),
        source,
        shape,
        tuple(roles.suspicious(rows, names)),
    )


def write(
    path: str, table: Table, values: np.ndarray, sides: Sequence[np.ndarray] | None = None
) -> None:
    """Write the array with its holes filled; it may have a leading axis of samples.

    An .npz has room for `sides`: two further arrays, `low` and `high`.

    Observed entries come back bit for bit, in the type that they had.

    Raises:
      InputError: the file cannot be written.
    """
    source = table.source
    old = source.values
    fill = np.isnan(table.stacked) & ~np.isnan(values)
    filled = np.array(np.broadcast_to(old, values.shape), old.dtype, order="K")
    filled[fill] = casting.cast(values[fill], old.dtype)
    with atomic_write(path, mode="wb") as file:
        if source.key is None:
            np.save(file, filled, allow_pickle=False)
        else:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
                # np.savez takes names as arguments: an array called "file" would be one of its own.
                more = dict(zip(("low", "high"), sides or ()))
                for name, array in {**source.others, source.key: filled, **more}.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, allow_pickle=False)


def as_numbers(values: np.ndarray, name: str) -> np.ndarray:
    """A float64 copy.

    Raises:
      InputError: it holds no real numbers.
    """
    if values.dtype.kind not in "fiu":
        raise InputError(f"{name}: dtype {values.dtype}; numbers are needed")
    return values.astype(np.float64)
