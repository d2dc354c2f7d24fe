"""PEMS-SF's text format, every kind of damage to it, the cache, and the simulation behind it."""

import gzip
import os
import threading
import time
import zipfile

import numpy as np
import pytest
import requests

from naomi_jax.data import traffic, traffic_simulation
from naomi_jax.errors import InputError

SENSORS, STEPS = 3, 4


def matrices(days, seed=0):
    return np.random.default_rng(seed).random((days, SENSORS, STEPS)).round(4)


def text(days):
    def row(values):
        return " ".join(f"{v:g}" for v in values)

    return "".join("[" + ";".join(map(row, day)) + "]\n" for day in days)


TRAIN, TEST = matrices(5), matrices(2, seed=1)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "pems"
    folder.mkdir()
    (folder / "PEMS_train").write_text(text(TRAIN))
    (folder / "PEMS_test").write_text(text(TEST))
    return folder


def load(path, tmp_path, **options):
    return traffic.load(path, cache_dir=tmp_path / "cache", **options)


def check(dataset):
    together = np.concatenate([dataset.train, dataset.val])
    expected = TRAIN.swapaxes(1, 2).astype(np.float32)
    np.testing.assert_array_equal(
        together[np.argsort(together[:, 0, 0])], expected[np.argsort(expected[:, 0, 0])]
    )
    np.testing.assert_array_equal(dataset.test, TEST.swapaxes(1, 2).astype(np.float32))
    assert not dataset.simulated and "not PEMS-SF" in dataset.source


@pytest.mark.parametrize("kind", ["plain", "gz", "zip"])
def test_every_container(folder, tmp_path, kind):
    path = folder
    if kind == "gz":
        for name in ("PEMS_train", "PEMS_test"):
            (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
            (folder / name).unlink()
    if kind == "zip":
        path = tmp_path / "pems+sf.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("PEMS_train", "PEMS_test"):
                archive.write(folder / name, f"sub/{name}")
    check(load(path, tmp_path))


def test_the_cache_is_used_until_a_file_changes(folder, tmp_path, monkeypatch):
    check(load(folder, tmp_path))
    parse = traffic._parse
    monkeypatch.setattr(traffic, "_parse", lambda *args: pytest.fail("parsed again"))
    check(load(folder, tmp_path))
    monkeypatch.setattr(traffic, "_parse", parse)
    (cached,) = (tmp_path / "cache").iterdir()
    cached.write_bytes(cached.read_bytes()[:-30])
    check(load(folder, tmp_path))  # a damaged cache is made again
    changed = TEST.copy()
    changed[0] = 0.5
    (folder / "PEMS_test").write_text(text(changed))
    assert (load(folder, tmp_path).test[0] == 0.5).all()


def test_a_cache_that_cannot_be_written_is_no_obstacle(folder, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    lines = []
    check(load(folder, tmp_path, log=lines.append))
    assert "could not be cached" in lines[0]


GOOD_DAY = text(TRAIN[:1]).strip()
DAMAGE = [
    ("", "PEMS_train is empty"),
    (GOOD_DAY[1:], "line 1: does not begin with '['"),
    (GOOD_DAY + "\n" + GOOD_DAY[:-8], "line 2: does not end with ']', it seems to be cut off"),
    ("[0.1 0.2;0.3]", "line 1: its sensors have different numbers of steps"),
    ("[0.1 0.2;0.3 x]", "line 1: could not convert string to float: b'x'"),
    ("[0.1 0.2;0.3 nan]", "line 1: values outside [0, 1]"),
    ("[0.1 0.2;0.3 1.5]", "line 1: values outside [0, 1]"),
    ("[]", "line 1: an empty matrix"),
    (GOOD_DAY + "\n[0.1 0.2;0.3 0.4]", "line 2: 2 sensors x 2 steps, but the first day has 3 x 4"),
]


@pytest.mark.parametrize("content,message", DAMAGE)
def test_damaged_text_is_named(folder, tmp_path, content, message):
    (folder / "PEMS_train").write_text(content)
    with pytest.raises(InputError) as caught:
        load(folder, tmp_path)
    assert message in str(caught.value) and "PEMS_train" in str(caught.value)
    assert "fresh copy" in str(caught.value) and "\n" not in str(caught.value)


def test_splits_of_different_sizes(folder, tmp_path):
    (folder / "PEMS_test").write_text("[0.1 0.2;0.3 0.4]")
    with pytest.raises(InputError, match=r"PEMS_train has days of \(4, 3\), PEMS_test of \(2, 2\)"):
        load(folder, tmp_path)


def test_damaged_containers_are_named(folder, tmp_path):
    (folder / "PEMS_test").unlink()
    with pytest.raises(InputError, match="neither PEMS_test nor PEMS_test.gz"):
        load(folder, tmp_path)
    whole = gzip.compress(text(TEST).encode())
    (folder / "PEMS_test.gz").write_bytes(whole[:-12])
    with pytest.raises(InputError, match="PEMS_test is cut off or damaged"):
        load(folder, tmp_path)
    archive = tmp_path / "a.zip"
    archive.write_text("not a zip")
    with pytest.raises(InputError, match="not a zip archive, or cut off"):
        load(archive, tmp_path)
    with zipfile.ZipFile(archive, "w") as z:
        z.write(folder / "PEMS_train", "PEMS_train")
    with pytest.raises(InputError, match="no member PEMS_test"):
        load(archive, tmp_path)
    damaged = bytearray(archive.read_bytes())
    damaged[60] ^= 1
    archive.write_bytes(damaged)
    with pytest.raises(InputError, match="a damaged member"):
        load(archive, tmp_path)


class Answer:
    ok = True
    status_code = 200


def test_without_a_network_it_is_simulated_and_says_so(tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise requests.ConnectionError("refused")

    monkeypatch.setattr(requests, "head", refuse)
    monkeypatch.setattr(traffic_simulation, "load", lambda: "the simulation")
    lines = []
    assert load(None, tmp_path, log=lines.append) == "the simulation"
    assert "SIMULATED traffic, not PEMS-SF" in lines[0] and "ConnectionError" in lines[0]


def test_a_network_that_hangs_is_given_up(tmp_path, monkeypatch):
    release = threading.Event()

    def hang(*args, **options):
        release.wait(60)
        raise requests.ConnectionError("too late")

    monkeypatch.setattr(requests, "head", hang)
    monkeypatch.setattr(traffic_simulation, "load", lambda: "the simulation")
    monkeypatch.setattr(traffic, "_SECONDS_TO_DECIDE", 0.2)
    began = time.monotonic()
    assert load(None, tmp_path) == "the simulation"
    assert time.monotonic() - began < 5
    release.set()


def test_a_download_that_breaks_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(requests, "head", lambda *args, **options: Answer())

    def breaks(self, url, output_file, pooch, **options):
        with open(output_file, "wb") as file:
            file.write(b"half")
        raise requests.ConnectionError("reset")

    monkeypatch.setattr(traffic.pooch.HTTPDownloader, "__call__", breaks)
    monkeypatch.setattr(traffic_simulation, "load", lambda: "the simulation")
    assert load(None, tmp_path) == "the simulation"
    assert not [name for name in os.listdir(tmp_path / "cache") if "pems" in name]


def test_a_damaged_download_is_deleted(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(requests, "head", lambda *args, **options: Answer())

    def garbage(self, url, output_file, pooch, **options):
        with open(output_file, "wb") as file:
            file.write(b"no zip")

    monkeypatch.setattr(traffic.pooch.HTTPDownloader, "__call__", garbage)
    with pytest.raises(InputError, match="was damaged and has been deleted"):
        load(None, tmp_path)
    assert not (tmp_path / "cache" / "pems+sf.zip").exists()


def test_the_simulation_is_like_traffic():
    data = traffic_simulation.simulate(28, 60, seed=0)
    assert data.shape == (28, 144, 60) and data.dtype == np.float32
    assert data.min() >= 0 and data.max() <= 1 and 0.02 < data.mean() < 0.1
    np.testing.assert_array_equal(data, traffic_simulation.simulate(28, 60, seed=0))
    assert not np.array_equal(data, traffic_simulation.simulate(28, 60, seed=1))
    weekend = np.isin(np.arange(28) % 7, (5, 6))
    commute = data[:, 42:54].mean((1, 2))  # 7 to 9 in the morning
    assert commute[~weekend].mean() > 1.5 * commute[weekend].mean()
    night = data[:, :24].mean()
    assert night < 0.5 * data[~weekend][:, 42:54].mean()
    neighbours = np.corrcoef((data - data.mean(0)).reshape(-1, 60).T)
    assert np.diag(neighbours, 1).mean() > np.diag(neighbours, 30).mean() + 0.2


def test_the_simulated_dataset():
    dataset = traffic_simulation.load(12, 4, 5)
    assert dataset.simulated and "not PEMS-SF" in dataset.source
    assert [len(s) for s in (dataset.train, dataset.val, dataset.test)] == [11, 1, 4]
