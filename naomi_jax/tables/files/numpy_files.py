"""Read .npz and .npy. Objects are never unpickled, and no header is believed."""

import io
import math
import os
import zipfile
import zlib

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.tables.printable import printable, quoted

_RATIO = 1100  # zip's method packs no more bytes into one


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
                    raise InputError(f"{path}: {quoted(name)} in it is no array; take it out")
                if not set(name.replace("\\", "/").split("/")).isdisjoint(("", "..")):
                    raise InputError(
                        f"{path}: {quoted(name)} in it leads out of the archive; rename it"
                    )
                if name.removesuffix(".npy") in arrays:
                    raise InputError(f"{path}: {quoted(name)} stands twice in it; keep one of them")
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
    shape, fortran, dtype = _header(head, version)
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


def _header(head, version):
    """(shape, whether the first axis is the fastest, dtype) of the text behind the mark."""
    np.lib.format.read_magic(head)
    try:
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(head)
        # Versions 2 and 3 differ in the encoding of names alone, which numbers have not.
        return np.lib.format.read_array_header_2_0(head)
    except Exception as error:  # numpy parses it as Python: anything that a parser raises
        raise ValueError("its header cannot be read") from error


def _reason(error, path):
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if os.path.exists(path) and os.path.getsize(path) == 0:
        return "the file is empty"
    if "Object arrays" in str(error):
        return "holds pickled objects, which are never loaded; save plain numbers"
    reason = printable(str(error).splitlines()[0]) if str(error) else type(error).__name__
    return f"damaged, or not what its name says ({reason})"
