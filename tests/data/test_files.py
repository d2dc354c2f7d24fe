"""Users' files: what is accepted, what is said of the rest, and that nothing but holes changes."""

import numpy as np
import pytest

from naomi_jax.data import files
from naomi_jax.errors import InputError


def sequences(n=40, steps=6, dim=2):
    return np.arange(n * steps * dim, dtype=np.float64).reshape(n, steps, dim)


def test_a_folder(tmp_path):
    for name, n in (("train", 5), ("val", 2), ("test", 3)):
        np.savez(tmp_path / f"{name}.npz", data=sequences(n))
    dataset = files.load(tmp_path)
    assert [len(s) for s in (dataset.train, dataset.val, dataset.test)] == [5, 2, 3]
    assert dataset.train.dtype == np.float32 and not dataset.simulated
    (tmp_path / "val.npz").unlink()
    assert [len(s) for s in (files.load(tmp_path).train, files.load(tmp_path).val)] == [4, 1]


@pytest.mark.parametrize("name", ["x.npz", "x.npy"])
def test_one_array_is_split_at_random(tmp_path, name):
    data = sequences()
    np.save(tmp_path / name, data) if name == "x.npy" else np.savez(tmp_path / name, data=data)
    dataset = files.load(tmp_path / name)
    parts = [dataset.train, dataset.val, dataset.test]
    assert [len(p) for p in parts] == [32, 4, 4]
    together = np.concatenate(parts)
    np.testing.assert_array_equal(np.sort(together[:, 0, 0]), data[:, 0, 0])
    np.testing.assert_array_equal(dataset.train, files.load(tmp_path / name).train)


def test_named_splits(tmp_path):
    np.savez(tmp_path / "x.npz", train=sequences(5), test=sequences(2))
    dataset = files.load(tmp_path / "x.npz")
    assert [len(s) for s in (dataset.train, dataset.val, dataset.test)] == [4, 1, 2]


def test_a_long_series_is_split_by_time(tmp_path):
    path = tmp_path / "x.csv"
    np.savetxt(path, np.arange(200.0)[:, None], delimiter=",")
    dataset = files.load(path, window=10, stride=3)
    train, val, test = (set(s.ravel()) for s in (dataset.train, dataset.val, dataset.test))
    assert not train & val and not val & test and not train & test
    assert max(train) < min(val) < max(val) < min(test)
    assert len(dataset.val) == len(dataset.test) == 2
    np.testing.assert_array_equal(dataset.train[1, :, 0], np.arange(3, 13))
    assert len(files.load(path, window=10).train) > len(
        files.load(path, window=10, stride=20).train
    )


CSV = "time,a,b\n2015-01-01 00:00,1.50,\n2015-01-01 01:00,NaN,-2e-3\n2015-01-01 02:00, 3,NA\n"


def test_a_csv_changes_in_its_holes_only(tmp_path):
    (tmp_path / "in.csv").write_text(CSV)
    table, values = files.read_series(tmp_path / "in.csv")
    np.testing.assert_array_equal(values, [[1.5, np.nan], [np.nan, -2e-3], [3, np.nan]])
    filled = np.where(np.isnan(values), 0.1, values)
    files.write_series(tmp_path / "out.csv", table, filled)
    expected = CSV.replace("1.50,", "1.50,0.1").replace("NaN", "0.1").replace("NA", "0.1")
    assert (tmp_path / "out.csv").read_text() == expected


@pytest.mark.parametrize(
    "text,shape",
    [
        ("1,2\n3,\n", (2, 2)),
        ("a,b\n1,2\n", (1, 2)),
        ("t,v\nmon,1\ntue,2\n", (2, 1)),
        (",\n1,2\n", (2, 2)),
    ],
)
def test_headers_and_labels_are_told_from_values(tmp_path, text, shape):
    (tmp_path / "in.csv").write_text(text)
    _, values = files.read_series(tmp_path / "in.csv")
    assert values.shape == shape


@pytest.mark.parametrize("name", ["x.npz", "x.npy"])
def test_arrays_come_back_with_all_else(tmp_path, name):
    data = sequences(3).astype(np.float32)
    data[1, 2, 0] = np.nan
    if name == "x.npy":
        np.save(tmp_path / name, data)
    else:
        np.savez(tmp_path / name, data=data, names=np.array(["a", "b"]))
    table, values = files.read_series(tmp_path / name)
    np.testing.assert_array_equal(values, data)
    samples = np.stack([np.nan_to_num(values)] * 4)
    files.write_series(tmp_path / f"out{name}", table, samples)
    _, back = (None, np.load(tmp_path / f"out{name}"))
    if name == "x.npz":
        assert list(back["names"]) == ["a", "b"]
        back = back["data"]
    np.testing.assert_array_equal(back, samples)
    assert back.dtype == np.float32


def save(path, **arrays):
    np.savez(path, **arrays)


BAD = [
    ("x.csv", "", "the file is empty"),
    ("x.csv", "a,b\n", "a header and nothing else"),
    ("x.csv", "1,2\n3\n", "row 2: 1 columns, but the first has 2"),
    ("x.csv", "a,b\n1,2\n3,four\n", "row 3, column 2: 'four' is not a number"),
    ("x.csv", "a,b\nx,y\n", "no column of numbers"),
    ("x.csv", "1,2\ninf,3\n", "infinite value at (1, 0)"),
    ("x.txt", "1", "unknown format; .npz, .npy, .csv are accepted"),
    ("x.npy", "", "the file is empty"),
    ("x.npy", "no array", "damaged, or not what its name says"),
    ("x.npz", "no archive", "damaged, or not what its name says"),
    ("x.npy", np.array([{}, 1], object), "pickled objects, which are never loaded"),
    ("x.npy", np.array(["a"]), "numbers are needed"),
    ("x.npy", np.zeros(3), "shape (3,); (T, D) or (N, T, D)"),
    ("x.npy", np.zeros((2, 3), complex), "dtype complex128; numbers are needed"),
    ("x.npz", {"other": np.zeros(3)}, "no key 'data'; keys found: ['other']"),
]


def write(path, content):
    if isinstance(content, dict):
        np.savez(path, **content)
    elif isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=True)
    else:
        path.write_text(content)


@pytest.mark.parametrize("name,content,message", BAD)
def test_a_bad_file_is_named(tmp_path, name, content, message):
    write(tmp_path / name, content)
    with pytest.raises(InputError) as caught:
        files.read_series(tmp_path / name)
    assert message in str(caught.value) and str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


HOLED = sequences()
HOLED[3, 2, 1] = np.nan
BAD_TRAINING = [
    ("x.npy", HOLED, {}, "1 missing values, the first at (3, 2, 1) (sequence, step, column"),
    ("x.npz", {"train": sequences()}, {}, "key 'train' without 'test'"),
    ("x.npz", {"train": sequences(), "test": np.zeros((3, 6, 9))}, {}, "test has shape (3, 6, 9)"),
    ("x.npz", {"train": np.zeros((3, 4)), "test": sequences()}, {}, "train has shape (3, 4)"),
    ("x.npy", sequences(2), {}, "at least 3 are needed"),
    ("x.csv", "1\n" * 20, {}, "needs a window"),
    ("x.csv", "1\n" * 20, {"window": 1}, "needs a window of at least 2"),
    ("x.csv", "1\n" * 20, {"window": 10}, "20 steps are too few for windows of 10: at least 30"),
    ("x.csv", "1\n" * 20, {"window": 4, "stride": 0}, "stride: 0"),
    (
        "x.csv",
        "1\nnan\n" * 10,
        {"window": 4},
        "10 missing values, the first at (1, 0) (row, column",
    ),
]


@pytest.mark.parametrize("name,content,options,message", BAD_TRAINING)
def test_bad_training_data_is_named(tmp_path, name, content, options, message):
    write(tmp_path / name, content)
    with pytest.raises(InputError) as caught:
        files.load(tmp_path / name, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_arrays_and_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="train.npz and test.npz are needed"):
        files.load(tmp_path)
    for name in ("x.npz", "x.npy", "x.csv"):
        with pytest.raises(InputError, match="no such file"):
            files.read_series(tmp_path / name)


def test_a_truncated_archive(tmp_path):
    np.savez(tmp_path / "x.npz", data=sequences())
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged, or not what its name says"):
        files.read_series(tmp_path / "x.npz")


def test_output_that_cannot_be_written(tmp_path):
    np.save(tmp_path / "x.npy", sequences())
    (tmp_path / "in.csv").write_text(CSV)
    table, values = files.read_series(tmp_path / "x.npy")
    with pytest.raises(InputError, match="so the output must be .npy too"):
        files.write_series(tmp_path / "x.csv", table, values)
    with pytest.raises(InputError, match="cannot be written"):
        files.write_series(tmp_path / "nowhere" / "x.npy", table, values)
    table, values = files.read_series(tmp_path / "in.csv")
    with pytest.raises(InputError, match="for samples use .npz or .npy"):
        files.write_series(tmp_path / "x.csv", table, values[None])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "x.npy"]
