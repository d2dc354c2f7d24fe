"""Read and write .npz and .npy. Objects are never unpickled, and no header is believed."""

import dataclasses
import io
import math
import os
import zipfile
import zlib
from collections.abc import Sequence

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError
from naomi_jax.tables import cells, roles
from naomi_jax.tables.options import Options
from naomi_jax.tables.table import Table

_RATIO = 1100  # zip's method packs no more bytes into one
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
            raise InputError(f"{path}: no key {key!r}; keys found: {sorted(arrays)}")
        source = Source(arrays.pop(key), key, arrays)
    values = as_numbers(source.values, path)
    if values.ndim not in (2, 3) or values.size == 0:
        raise InputError(f"{path}: shape {values.shape}; (T, D) or (N, T, D) is needed")
    if np.isinf(values).any():
        place = tuple(int(i) for i in np.argwhere(np.isinf(values))[0])
        raise InputError(f"{path}: infinite value at {place}; repair it, or write NaN to fill it")
    for marker in cells.numeric(options.missing):
        values[values == marker] = np.nan
    dim = values.shape[-1]
    integer = np.full(dim, source.values.dtype.kind in "iu")
    names = tuple(map(str, range(dim)))
    notes = roles.suspicious(values.reshape(-1, dim), names)
    return Table(values, names, None, None, None, tuple(notes), integer, source)


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
    fill = np.isnan(table.values) & ~np.isnan(values)
    new = np.where(fill, values, 0)  # no cast of NaN to integers
    if old.dtype.kind in "iu":
        new = np.clip(np.round(new), np.iinfo(old.dtype).min, np.iinfo(old.dtype).max)
    filled = np.array(np.broadcast_to(old, values.shape), old.dtype, order="K")
    np.copyto(filled, new.astype(old.dtype), where=fill)
    with atomic_write(path, mode="wb") as file:
        if source.key is None:
            np.save(file, filled, allow_pickle=False)
        else:
            more = dict(zip(("low", "high"), sides or ()))
            np.savez_compressed(file, **{**source.others, source.key: filled, **more})


def as_numbers(values: np.ndarray, name: str) -> np.ndarray:
    """A float64 copy.

    Raises:
      InputError: it holds no real numbers.
    """
    if values.dtype.kind not in "fiu":
        raise InputError(f"{name}: dtype {values.dtype}; numbers are needed")
    return values.astype(np.float64)


def read_npy(path: str) -> np.ndarray:
    """The array of an .npy, of any type but objects.

    Raises:
      InputError: naming the file and what is wrong with it.
    """
    try:
        with open(path, "rb") as file:
            return _array(file, os.path.getsize(path))
    except (ValueError, EOFError, OSError, TypeError, MemoryError) as error:
        raise InputError(f"{path}: {_reason(error, path)}") from None


def read_npz(path: str) -> dict[str, np.ndarray]:
    """All arrays of an .npz, of any types but objects.

    Raises:
      InputError: naming the file and what is wrong with it.
    """
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = member.filename
                if not name.endswith(".npy"):
                    raise InputError(f"{path}: {name!r} in it is no array; take it out")
                if member.file_size > _RATIO * (member.compress_size + 1):
                    raise ValueError(f"{name} claims {member.file_size} bytes")
                with archive.open(member) as file:
                    arrays[name.removesuffix(".npy")] = _array(file, member.file_size)
    except InputError:
        raise
    except (
        ValueError, EOFError, OSError, TypeError, MemoryError, RuntimeError, NotImplementedError,
        zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise InputError(f"{path}: {_reason(error, path)}") from None
    return arrays


def _array(file, size):
    """Read an array from a stream that holds `size` bytes and no more."""
    start = file.read(12)
    version = tuple(start[6:8])
    length = start[8:10] if version == (1, 0) else start[8:12]
    width = 10 + int.from_bytes(start[8:10], "little") if version == (1, 0) else 0
    width = width or 12 + int.from_bytes(length, "little")
    if width > size:
        raise ValueError("its header is longer than the file")
    head = io.BytesIO(start + file.read(width - len(start)))
    np.lib.format.read_magic(head)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(head)
    else:  # versions 2 and 3 differ in the encoding of names alone, which numbers have not
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(head)
    if dtype.hasobject:
        raise ValueError("Object arrays")
    claimed = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0:
        raise ValueError(f"its header claims the shape {shape}")
    if claimed > size - width:
        raise ValueError(f"its header claims {claimed} bytes, and it has {size - width}")
    data = bytearray(file.read(claimed))
    if len(data) < claimed:
        raise ValueError(f"its header claims {claimed} bytes, and it has {len(data)}")
    array = np.frombuffer(data, dtype) if claimed else np.zeros(math.prod(shape), dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def _reason(error, path):
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if os.path.exists(path) and os.path.getsize(path) == 0:
        return "the file is empty"
    if "Object arrays" in str(error):
        return "holds pickled objects, which are never loaded; save plain numbers"
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"damaged, or not what its name says ({reason})"
