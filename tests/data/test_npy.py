"""Arrays of .npy and .npz: what a file claims is not believed."""

import io
import zipfile

import numpy as np
import pytest

from naomi_jax.data import npy
from naomi_jax.errors import InputError


def header(**changes):
    """A .npy that claims 7 TiB."""
    file = io.BytesIO()
    claim = {"descr": "<f8", "fortran_order": False, "shape": (2**40, 1), **changes}
    np.lib.format.write_array_header_1_0(file, claim)
    return file.getvalue() + b"\0" * 64


@pytest.mark.parametrize("array", [np.eye(3), np.asfortranarray(np.arange(6.0).reshape(2, 3))])
def test_both_formats(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", other=np.ones(2), mask=array)
    for name in ("a.npy", "a.npz"):
        np.testing.assert_array_equal(npy.read(tmp_path / name, "mask"), array)


BAD = {
    "7 TiB": (header(), "its header says shape .1099511627776, 1. of float64, but there are"),
    "sizes that overflow": (header(shape=(2**62, 2**62)), "but there are"),
    "negative size": (header(shape=(-1, 2)), "not a readable"),
    "objects": (header(descr="|O", shape=(1,)), "dtype object; plain numbers are needed"),
    "columns with names": (header(descr=[("a", "<f8")], shape=(1,)), "plain numbers are needed"),
    "no array": (b"hello", "not a readable"),
    "header of nothing": (b"\x93NUMPY\x01\0\x04\0(((\n", "not a readable"),
    "version 9": (b"\x93NUMPY\x09\0" + header()[8:], "not a readable"),
    "cut": (header(shape=(4, 2))[:-3], "not a readable"),
    "empty": (b"", "not a readable"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("archive", [False, True])
def test_what_is_no_array_is_one_line(tmp_path, name, archive):
    content, message = BAD[name]
    path = tmp_path / "a.npz"
    if archive:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("mask.npy", content)
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        npy.read(path, "mask")
    assert "\n" not in str(caught.value)


def test_members_that_are_not_there_or_broken(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, other=np.ones(3))
    with pytest.raises(InputError, match=r"no key 'mask', found \['other'\]"):
        npy.read(path, "mask")
    np.savez(path, mask=np.arange(99.0))
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a readable .* CRC"):
        npy.read(path, "mask")
    with pytest.raises(InputError, match="no such file"):
        npy.read(tmp_path / "no.npy", "mask")
    with pytest.raises(InputError, match="not a readable"):
        npy.read(tmp_path, "mask")
