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


def write(path, content):
    if isinstance(content, dict):
        np.savez(path, **content)
    elif isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=True)
    else:
        path.write_text(content)


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
            files.load(tmp_path / name)


def test_a_series_is_put_in_the_order_of_time(tmp_path):
    lines = [f"2020-01-{day:02},{day / 2}" for day in range(1, 31)]
    (tmp_path / "x.csv").write_text("\n".join(["date,v", *lines[15:], *lines[:15]]))
    assert files.load(tmp_path / "x.csv", window=3).train[0].tolist() == [[0.5], [1], [1.5]]
