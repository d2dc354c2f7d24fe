"""PEMS-SF's text format, every kind of damage to it, the cache, and the simulation behind it."""

import gzip
import os
import threading
import time
import zipfile

import numpy as np
import pytest
import requests

from naomi_jax.data import traffic
from naomi_jax.data.simulation import traffic as traffic_simulation
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


def in_order(days):
    return days[np.argsort(days[:, 0, 0])]


def check(dataset):
    together = np.concatenate([dataset.train, dataset.val])
    expected = TRAIN.swapaxes(1, 2).astype(np.float32)
    np.testing.assert_array_equal(in_order(together), in_order(expected))
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
    assert list((tmp_path / "cache").iterdir()) == [cached]  # nothing stale, nothing temporary


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
    (
        "[0.1 0.2;0.3]",
        "line 1: its sensors have different numbers of steps, sensor 1 2 and sensor 2 1",
    ),
    ("[0.1 0.2;0.3 x]", "line 1: could not convert string to float: b'x'"),
    ("[0.1 0.2;0.3 nan]", "line 1: a value is NaN"),
    ("[0.1 0.2;0.3 -0.1]", "line 1: values outside [0, 1]"),
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


def test_spaces_between_values_do_not_matter(folder, tmp_path):
    spaced = text(TRAIN).replace(";", " ; ").replace("[", "[ ", 2).replace("\n", "\r\n")
    (folder / "PEMS_train").write_bytes(spaced.encode() + b"\n")
    check(load(folder, tmp_path))


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
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        load(tmp_path / "nowhere", tmp_path)


def test_damaged_archives_are_named(folder, tmp_path):
    archive = tmp_path / "a.zip"

    def check_damage(content, message):
        archive.write_bytes(content)
        with pytest.raises(InputError, match=message) as caught:
            load(archive, tmp_path)
        assert str(archive) in str(caught.value) and "\n" not in str(caught.value)

    check_damage(b"", "an empty file")
    check_damage(b"not a zip", "not a zip archive")
    with zipfile.ZipFile(archive, "w") as z:
        z.write(folder / "PEMS_train", "PEMS_train")
    whole = archive.read_bytes()
    check_damage(whole, "no member PEMS_test")
    check_damage(whole[:-40], "a zip archive that is cut off")
    place = whole.index(b"0.") + 2  # in a value: the text stays well formed, or not
    for byte in (b"\x00", b"x"):
        damaged = whole[:place] + byte + whole[place + 1 :]
        check_damage(damaged, "PEMS_train is cut off or damaged .Bad CRC-32")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_any_damaged_byte_of_an_archive_is_noticed_or_harmless(folder, tmp_path, compression):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", compression) as z:
        for name in ("PEMS_train", "PEMS_test"):
            z.write(folder / name, name)
    whole = archive.read_bytes()
    for place in range(len(whole)):
        archive.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            members = traffic._members(os.fspath(archive))
            parsed = [traffic._parse(*members[name], name) for name in ("PEMS_train", "PEMS_test")]
        except InputError as error:
            assert "\n" not in str(error)
            continue
        for days, expected in zip(parsed, (TRAIN, TEST), strict=True):
            np.testing.assert_array_equal(days, expected.swapaxes(1, 2).astype(np.float32))


class Answer:
    ok = True
    status_code = 200


def test_without_a_network_it_is_simulated_and_says_so(tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise requests.ConnectionError("refused")

    monkeypatch.setattr(requests, "head", refuse)
    monkeypatch.setattr(traffic_simulation, "load", lambda seed: f"simulation {seed}")
    lines = []
    assert load(None, tmp_path, log=lines.append, seed=3) == "simulation 3"
    assert "SIMULATED traffic, not PEMS-SF" in lines[0] and "ConnectionError" in lines[0]


def test_a_network_that_hangs_is_given_up(tmp_path, monkeypatch):
    release = threading.Event()

    def hang(*args, **options):
        release.wait(60)
        raise requests.ConnectionError("too late")

    monkeypatch.setattr(requests, "head", hang)
    monkeypatch.setattr(traffic_simulation, "load", lambda seed: f"simulation {seed}")
    monkeypatch.setattr(traffic, "_SECONDS_TO_DECIDE", 0.2)
    began = time.monotonic()
    assert load(None, tmp_path) == "simulation 0"
    assert time.monotonic() - began < 5
    release.set()


def test_a_download_that_breaks_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(requests, "head", lambda *args, **options: Answer())

    def breaks(self, url, output_file, pooch, **options):
        with open(output_file, "wb") as file:
            file.write(b"half")
        raise requests.ConnectionError("reset")

    monkeypatch.setattr(traffic.pooch.HTTPDownloader, "__call__", breaks)
    monkeypatch.setattr(traffic_simulation, "load", lambda seed: f"simulation {seed}")
    lines = []
    assert load(None, tmp_path, log=lines.append) == "simulation 0"
    assert "the connection broke off" in lines[-1]
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


def deliver(folder, monkeypatch):
    """Have the network answer with a sound archive of `folder`'s files."""
    monkeypatch.setattr(requests, "head", lambda *args, **options: Answer())

    def send(self, url, output_file, pooch, **options):
        with zipfile.ZipFile(output_file, "w") as archive:
            for name in ("PEMS_train", "PEMS_test"):
                archive.write(folder / name, name)

    monkeypatch.setattr(traffic.pooch.HTTPDownloader, "__call__", send)


def test_a_download_is_kept_and_used_again(folder, tmp_path, monkeypatch, capfd):
    deliver(folder, monkeypatch)
    monkeypatch.setattr(traffic, "DAYS", {"PEMS_train": len(TRAIN), "PEMS_test": len(TEST)})
    monkeypatch.setattr(traffic, "SENSORS", SENSORS)
    monkeypatch.setattr(traffic, "STEPS", STEPS)
    lines = []
    first = load(None, tmp_path, log=lines.append)
    assert first.source == "PEMS-SF (UCI archive)" and not first.simulated
    assert len(lines) == 1 and "Downloading" in lines[0]
    monkeypatch.setattr(requests, "head", lambda *args, **options: pytest.fail("asked again"))
    np.testing.assert_array_equal(load(None, tmp_path).test, first.test)
    assert capfd.readouterr() == ("", "")


def test_a_sound_download_of_something_else_is_deleted(folder, tmp_path, monkeypatch):
    deliver(folder, monkeypatch)
    with pytest.raises(InputError, match="not the sizes of PEMS-SF"):
        load(None, tmp_path)
    assert not (tmp_path / "cache" / "pems+sf.zip").exists()


@pytest.mark.parametrize("status,reason", [(200, None), (405, None), (404, "answered 404")])
def test_what_counts_as_reachable(monkeypatch, status, reason):
    answer = requests.Response()
    answer.status_code = status
    monkeypatch.setattr(requests, "head", lambda *args, **options: answer)
    found = traffic._unreachable()
    assert found is None if reason is None else reason in found


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
    neighbors = np.corrcoef((data - data.mean(0)).reshape(-1, 60).T)
    assert np.diag(neighbors, 1).mean() > np.diag(neighbors, 30).mean() + 0.2


def test_the_simulated_dataset():
    dataset = traffic_simulation.load(12, 4, 5)
    assert dataset.simulated and "not PEMS-SF" in dataset.source
    assert [len(s) for s in (dataset.train, dataset.val, dataset.test)] == [11, 1, 4]


def test_near_days_fill_simulated_gaps_better_than_lines_do():
    dataset = traffic_simulation.load(120, 12, 80)
    train = np.concatenate([dataset.train, dataset.val])
    rng = np.random.default_rng(0)
    linear = nearest = 0.0
    for day in dataset.test:
        missing = np.sort(rng.choice(np.arange(1, 144), 131, replace=False))
        seen = np.setdiff1d(np.arange(144), missing)
        lines = np.stack([np.interp(missing, seen, values) for values in day[seen].T], 1)
        near = np.square(train[:, seen] - day[seen]).sum((1, 2)).argsort()[:10]
        linear += np.square(lines - day[missing]).mean() / len(dataset.test)
        nearest += np.square(train[near][:, missing].mean(0) - day[missing]).mean() / 12
    assert 1e-4 < nearest < linear / 2
