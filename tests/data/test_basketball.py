"""Plays from files and from the simulation."""

import re

import numpy as np
import pytest

from naomi_jax.data import basketball
from naomi_jax.data.simulation import basketball as basketball_simulation
from naomi_jax.errors import InputError


def plays(count, steps=50, seed=0):
    """Random plays in the left half court, (count, steps, 22) feet."""
    rng = np.random.default_rng(seed)
    return rng.uniform(1, 46, (count, steps, 22)).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    np.savez_compressed(tmp_path / "train.npz", data=plays(30))
    np.savez_compressed(tmp_path / "test.npz", data=plays(7, seed=1))
    return tmp_path


def test_the_offense_in_model_units(folder):
    data = basketball.load(folder)
    assert (data.name, data.simulated) == ("basketball", False)
    assert data.source == f"basketball, STATS layout, {folder.name}"
    assert data.train.shape == (27, 50, 10) and data.test.shape == (7, 50, 10)
    feet = plays(7, seed=1)
    np.testing.assert_allclose(data.test[..., 0], (feet[..., 2] - 25) / 94, atol=1e-6)
    np.testing.assert_allclose(data.test[..., 9], (feet[..., 11] - 25) / 50, atol=1e-6)


def test_the_end_of_train_validates(folder):
    data = basketball.load(folder)
    expected = basketball.normalize(plays(30)[..., 2:12])
    np.testing.assert_array_equal(data.train, expected[:27])
    np.testing.assert_array_equal(data.val, expected[27:])


def test_plays_in_the_right_half_are_rotated(folder):
    expected = basketball.load(folder).test
    mixed = plays(7, seed=1)
    mixed[::2] = np.tile([94, 50], 11) - mixed[::2]
    np.savez(folder / "test.npz", data=mixed)
    np.testing.assert_allclose(basketball.load(folder).test, expected, atol=1e-6)


def test_any_number_of_steps(tmp_path):
    np.savez(tmp_path / "train.npz", data=plays(2, 13).astype(np.float64))
    np.savez(tmp_path / "test.npz", data=plays(1, 13))
    data = basketball.load(str(tmp_path) + "/")
    assert data.train.shape == data.val.shape == data.test.shape == (1, 13, 10)
    assert data.source.endswith(tmp_path.name)


def holes(value):
    data = plays(5)
    data[3, 2, 4] = value
    return data


@pytest.mark.parametrize(
    ("name", "arrays", "message"),
    [
        ("test", {"data": holes(np.nan)}, "1 of 5 plays have missing or infinite .* play 3 "),
        ("train", {"data": holes(np.inf)}, "1 of 5 plays have missing or infinite .* play 3 "),
        ("train", {"data": plays(5)[0]}, r"shape \(50, 22\) is not \(N, T, 22\)"),
        ("test", {"data": plays(5)[..., :10]}, r"shape \(5, 50, 10\) is not \(N, T, 22\)"),
        ("train", {"data": plays(0)}, r"shape \(0, 50, 22\)"),
        ("test", {"plays": plays(5)}, r"no key 'data'; keys found: \['plays'\]"),
        ("test", {"data": plays(5).astype(str)}, "numbers are needed"),
        ("test", {"data": plays(5).astype(object)}, "pickled objects, which are never loaded"),
        ("train", {"data": plays(1)}, "1 play, but one is held out"),
        ("test", {"data": plays(5, 49)}, "50 steps in train.npz, but of 49 in test.npz"),
    ],
)
def test_what_is_wrong_with_an_array(folder, name, arrays, message):
    np.savez(folder / f"{name}.npz", **arrays)
    check(folder, name, message)


@pytest.mark.parametrize("name", ["train", "test"])
def test_a_missing_file(folder, name):
    (folder / f"{name}.npz").unlink()
    check(folder, name, "no such file")


def test_a_damaged_file(folder):
    whole = (folder / "test.npz").read_bytes()
    middle = len(whole) // 2
    damages = {
        b"": "the file is empty",
        b"no zip": "damaged",
        whole[:middle]: "damaged",
        whole[:middle] + b"\xff" * 100 + whole[middle + 100 :]: "damaged",
    }
    for content, message in damages.items():
        (folder / "test.npz").write_bytes(content)
        check(folder, "test", message)


def check(folder, name, message):
    with pytest.raises(InputError) as error:
        basketball.load(folder)
    text = str(error.value)
    assert re.search(message, text), text
    assert f"{name}.npz" in text.split("; --data")[0] and str(folder) in text
    assert "--data must be a folder with train.npz and test.npz" in text and "\n" not in text


def test_units_and_back():
    feet = plays(3)[..., 2:12]
    x = basketball.normalize(feet)
    assert x.dtype == np.float32
    np.testing.assert_allclose(basketball.to_feet(x), feet, atol=1e-5)
    np.testing.assert_allclose(basketball.normalize([[25, 50, 72, 0]]), [[0, 0.5, 0.5, -0.5]])


def test_without_files_it_is_simulated_and_says_so():
    lines = []
    data = basketball.load(None, lines.append)
    assert data.simulated and "SIMULATED" in data.source
    sizes = [split.shape for split in (data.train, data.val, data.test)]
    assert sizes == [(2000, 50, 10), (200, 50, 10), (500, 50, 10)]
    assert len(lines) == 1 and "SIMULATED" in lines[0] and "--data FOLDER" in lines[0]


def test_the_simulation_is_seeded_and_its_splits_differ():
    one, other = (basketball_simulation.load(6, 5, 4, 20) for _ in range(2))
    for a, b in zip(one, other):
        np.testing.assert_array_equal(a, b)
    assert [len(split) for split in one] == [6, 5, 4]
    assert not np.isclose(one[0][:4], one[2]).all(axis=(1, 2)).any()
    changed = basketball_simulation.load(6, 5, 4, 20, seed=1)
    assert not np.isclose(one[0], changed[0]).all(axis=(1, 2)).any()


def test_the_simulation_looks_like_real_plays():
    """Within 15 % of what real plays measure, or the middle of it where it is a range."""
    feet = basketball_simulation.simulate(2000, 50, 7)
    assert feet.shape == (2000, 50, 10) and feet.dtype == np.float32
    place = feet.reshape(2000, 50, 5, 2).astype(np.float64)
    assert place.min() > -3 and place[..., 0].max() < 48 and place[..., 1].max() < 53
    speed = np.linalg.norm(np.diff(place, axis=1), axis=-1) / 0.16
    assert speed.max() < 25, "feet per second"

    x = basketball.normalize(feet).reshape(2000, 50, 5, 2).astype(np.float64)
    step = np.linalg.norm(np.diff(x, axis=1), axis=-1)  # (plays, 49, players)
    path = step.sum(1)
    one, other = np.triu_indices(5, 1)
    distance = np.linalg.norm(x[:, :, one] - x[:, :, other], axis=-1)
    assert path.mean() == pytest.approx(0.59, rel=0.15)
    assert (path.max(1) - path.min(1)).mean() == pytest.approx(0.59, rel=0.15)
    assert np.abs(np.diff(step, axis=1)).mean() == pytest.approx(1.8e-3, rel=0.15)
    assert distance.mean() == pytest.approx(0.425, rel=0.15)
    assert (np.abs(x) > 0.51).mean() < 1e-3
