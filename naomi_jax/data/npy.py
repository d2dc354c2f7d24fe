"""One array of a .npy or .npz file, which may be damaged or not what its name says."""

import math
import os
import zipfile
from typing import IO

import numpy as np

from naomi_jax.errors import InputError


def read(path: str | os.PathLike, key: str) -> np.ndarray:
    """The array of a .npy, or the one called `key` of an .npz; which it is, its content says.

    A header may claim more than there is: memory is taken only for what the file can fill.

    Raises:
      InputError: naming the file and what is wrong with it.
    """
    try:
        if zipfile.is_zipfile(path):
            return _of_archive(path, key)
        with open(path, "rb") as stream:
            return _array(stream, os.path.getsize(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except InputError:
        raise
    except Exception as error:  # numpy and zipfile raise a dozen kinds
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: not a readable .npy or .npz file ({reason})") from None


def _of_archive(path, key):
    with zipfile.ZipFile(path) as archive:
        names = {name.removesuffix(".npy"): name for name in archive.namelist()}
        if key not in names:
            raise InputError(f"{path}: no key {key!r}, found {sorted(names)}")
        member = archive.getinfo(names[key])
        with archive.open(member) as stream:
            return _array(stream, member.file_size)


def _array(stream: IO[bytes], size: int) -> np.ndarray:
    """The array in `size` bytes."""
    version = np.lib.format.read_magic(stream)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:  # 3.0 is for columns with names
        raise ValueError(f"version {version} of the format; plain numbers are needed")
    shape, columns_first, dtype = readers[version](stream)
    if dtype.hasobject or dtype.fields:
        raise ValueError(f"dtype {dtype}; plain numbers are needed")
    count = math.prod(shape)
    if min(shape, default=0) < 0 or count * dtype.itemsize > size:
        raise ValueError(f"its header says shape {shape} of {dtype}, but there are {size} bytes")
    content = stream.read(count * dtype.itemsize)
    array = np.frombuffer(content, dtype, count)
    return array.reshape(shape, order="F" if columns_first else "C")
