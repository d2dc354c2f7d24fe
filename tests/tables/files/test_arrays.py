"""Arrays: types and observed entries come back bit for bit, and nothing in a file is believed."""

import io
import warnings
import zipfile

import numpy as np
import pytest

from naomi_jax.errors import InputError
from naomi_jax.tables.files import reading, writing
from naomi_jax.tables.options import Options


def holed(dtype, shape=(3, 6, 2)):
    data = (np.arange(np.prod(shape)).reshape(shape) / 3 + 1.7e4).astype(dtype)
    data[..., 1, 0] = {"f": np.nan, "i": -999, "u": 65000}[data.dtype.kind]
    return data


TYPES = ["<f2", "<f4", "<f8", ">f4", ">f8", "<i4", ">i8", "<u2", "longdouble"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_types_and_observed_entries_come_back(tmp_path, name, dtype):
    data = holed(dtype)
    if name == "x.npy":
        np.save(tmp_path / name, data)
    else:
        np.savez(tmp_path / name, data=data, names=np.array(["a", "b"]))
    code = str(int(data[0, 1, 0])) if data.dtype.kind in "iu" else "-999"
    table = reading.read(tmp_path / name, Options(missing=(code,)))
    assert table.values.dtype == np.float64 and table.stacked.shape == data.shape
    assert table.names == ("0", "1") and table.time is None and table.groups is None
    assert table.whole.tolist() == [data.dtype.kind in "iu"] * 2
    holes = np.isnan(table.stacked)
    assert holes.sum() == 3
    np.testing.assert_array_equal(table.stacked[~holes], data[~holes].astype(float))
    samples = np.stack([np.where(holes, fill, table.stacked) for fill in (1.6, 2.4)])
    for values, filled in ((samples[0], [2]), (samples, [2, 2]), (table.stacked, [])):
        writing.write(tmp_path / f"out-{name}", table, values)
        back = np.load(tmp_path / f"out-{name}")
        if name == "x.npz":
            assert list(back["names"]) == ["a", "b"]
            back = back["data"]
        assert back.dtype == data.dtype and back.dtype.byteorder == data.dtype.byteorder
        kept = np.broadcast_to(~holes, back.shape)
        same = np.broadcast_to(data, back.shape)
        assert back[kept].tobytes() == same[kept].tobytes()
        if filled and data.dtype.kind in "iu":
            assert set(back[~kept].tolist()) == {2}


def test_values_that_no_integer_of_the_type_holds(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1, 2], [3, 250]], np.uint8))
    table = reading.read(tmp_path / "x.npy", Options(missing=("3",)))
    for value, expected in ((-5, 0), (400, 255)):
        filled = np.where(np.isnan(table.values), value, table.values)
        writing.write(tmp_path / "y.npy", table, filled)
        assert np.load(tmp_path / "y.npy").tolist() == [[1, 2], [expected, 250]]


def test_a_single_array_of_any_name(tmp_path):
    np.savez(tmp_path / "x.npz", series=np.array([[1.0, np.nan], [2, 3]]))
    table = reading.read(tmp_path / "x.npz")
    writing.write(tmp_path / "y.npz", table, np.nan_to_num(table.values, nan=9.0))
    assert np.load(tmp_path / "y.npz")["series"].tolist() == [[1, 9], [2, 3]]
    codes = np.array([[-999.0 if i % 5 == 0 else i / 7] for i in range(40)])
    np.save(tmp_path / "x.npy", codes)
    assert "--missing -999" in reading.read(tmp_path / "x.npy").notes[0]


def header(shape, dtype="<f8", version=(1, 0)):
    file = io.BytesIO()
    fields = {"descr": dtype, "fortran_order": False, "shape": shape}
    if version == (1, 0):
        np.lib.format.write_array_header_1_0(file, fields)
    else:
        np.lib.format.write_array_header_2_0(file, fields)
    return file.getvalue()


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("_", "."), content)


HUGE = header((10**6, 10**6)) + b"\x00" * 80
BAD = [
    ("x.npy", b"", "the file is empty"),
    ("x.npz", b"", "the file is empty"),
    ("x.npy", b"no array", "damaged, or not what its name says"),
    ("x.npz", b"no archive", "damaged, or not what its name says"),
    ("x.npy", HUGE, "its header claims 8000000000000 bytes, and it has 80"),
    ("x.npy", header((10**6, 10**6), version=(2, 0)), "its header claims 8000000000000 bytes"),
    ("x.npy", header((-1, 5)) + b"\x00" * 80, "its header claims the shape (-1, 5)"),
    ("x.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "its header is longer than the file"),
    ("x.npy", b"\x93NUMPY\x09\x00\x10\x00" + b"x" * 20, "damaged, or not what its name says"),
    ("x.npy", b"\x93NUMPY\x01\x00\x04\x00((((" + bytes(80), "its header cannot be read"),
    ("x.npy", np.array([{}, 1], object), "pickled objects, which are never loaded"),
    ("x.npy", np.array([["a"]]), "numbers are needed"),
    ("x.npy", np.array([[True]]), "dtype bool; numbers are needed"),
    ("x.npy", np.zeros((2, 3), complex), "dtype complex128; numbers are needed"),
    ("x.npy", np.zeros((2, 3), [("a", "f8")]), "numbers are needed"),
    ("x.npy", np.zeros(3), "shape (3,); (T, D) or (N, T, D)"),
    ("x.npy", np.zeros((0, 3)), "shape (0, 3); (T, D) or (N, T, D)"),
    ("x.npy", np.array([[1, np.inf]]), "infinite value at (0, 1)"),
    ("x.npz", {"data_npy": HUGE}, "its header claims 8000000000000 bytes"),
    ("x.npz", {"data_npy": b"\x00" * 10**7}, "damaged, or not what its name says"),
    ("x.npz", {"data_txt": b"1,2"}, "'data.txt' in it is no array; take it out"),
    ("x.npz", {}, "no key 'data'; keys found: []"),
]


@pytest.mark.parametrize("name,content,message", BAD)
def test_a_bad_file_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=True)
    elif isinstance(content, dict):
        archive(path, **content)
    else:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        reading.read(path)
    assert message in str(caught.value) and str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_bad_archives(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros((2, 3)), b=np.zeros(3))
    with pytest.raises(InputError, match=r"no key 'data'; keys found: \['a', 'b'\]"):
        reading.read(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", data=np.arange(6.0).reshape(2, 3))
    whole = (tmp_path / "x.npz").read_bytes()
    broken = [whole[: len(whole) // 2], whole.replace(np.float64(4).tobytes(), b"12345678")]
    for content in broken:
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(InputError, match="damaged, or not what its name says"):
            reading.read(tmp_path / "x.npz")


def test_options_and_outputs_that_do_not_fit(tmp_path):
    np.save(tmp_path / "x.npy", holed(float))
    with pytest.raises(InputError, match="--freq is for tables"):
        reading.read(tmp_path / "x.npy", Options(freq="h"))
    table = reading.read(tmp_path / "x.npy")
    with pytest.raises(InputError, match="the output must have the format"):
        writing.write(tmp_path / "x.npz", table, table.stacked)
    with pytest.raises(InputError, match="flags"):
        writing.write(tmp_path / "y.npy", table, table.stacked, np.isnan(table.stacked))


def test_other_arrays_of_any_name_come_back(tmp_path):
    """numpy's own writer takes names as arguments: `file` and `allow_pickle` are some of its."""
    others = {name: np.arange(3.0) for name in ("file", "allow_pickle", "kwds", "a/b", "ä")}

    def member(array):
        file = io.BytesIO()
        np.save(file, array)
        return file.getvalue()

    data = member(np.array([[1.0], [np.nan], [3]]))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        for name, array in others.items():
            file.writestr(f"{name}.npy", member(array))
        file.writestr("data.npy", data)
    table = reading.read(tmp_path / "x.npz")
    writing.write(tmp_path / "y.npz", table, np.nan_to_num(table.stacked, nan=2))
    with np.load(tmp_path / "y.npz") as back:
        assert back["data"].tolist() == [[1], [2], [3]] and len(back.files) == 6
        assert all(back[name].tolist() == [0, 1, 2] for name in others)
    for names, message in (
        (["data", "data"], "'data.npy' stands twice in it"),
        (["data", "../x"], "'../x.npy' in it leads out of the archive"),
        (["data", "/x"], "leads out"),
        (["data", "a\\..\\x"], "leads out"),
    ):
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile's, on a name that is there
            for name in names:
                file.writestr(f"{name}.npy", data)
        with pytest.raises(InputError, match=message):
            reading.read(tmp_path / "x.npz")


ENDS = {"<i8": 2**63 - 1, "<u8": 2**64 - 1, ">i4": 2**31 - 1}


@pytest.mark.parametrize("dtype", ENDS)
def test_the_greatest_number_of_a_type_stays_it(tmp_path, dtype):
    np.save(tmp_path / "x.npy", np.array([[ENDS[dtype]], [5]], dtype))
    table = reading.read(tmp_path / "x.npy", Options(missing=("5",)))
    for fill in (float(ENDS[dtype]), 1e30):
        writing.write(tmp_path / "y.npy", table, np.array([[1.0], [fill]]))
        assert np.load(tmp_path / "y.npy").tolist() == [[ENDS[dtype]]] * 2
