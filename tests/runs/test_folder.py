"""A run's folder: created once, resumed by the same settings, damage named."""

import dataclasses
import errno
import json
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest

from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.errors import InputError
from naomi_jax.fields import with_values
from naomi_jax.runs import folder, lock, record
from tests.settings import small_run


@pytest.fixture(scope="module")
def walk():
    x = np.random.default_rng(0).standard_normal((9, 7, 2)).astype(np.float32)
    return Dataset("files", "a walk", False, x, x[:2], x[:2])


def test_a_folder_is_created_once_and_resumed(tmp_path, walk):
    workdir = tmp_path / "run"
    assert not folder.create_or_resume(workdir, small_run(), walk)
    assert folder.create_or_resume(workdir, small_run(), walk)
    assert record.read(workdir).run == small_run()
    changed = with_values(small_run(), {("method", "hidden"): 8})
    with pytest.raises(InputError, match=r"other settings \(method.hidden: 4, now 8\)"):
        folder.create_or_resume(workdir, changed, walk)
    other = dataclasses.replace(walk, source="another walk")
    with pytest.raises(InputError, match="data: 'a walk', now 'another walk'"):
        folder.create_or_resume(workdir, small_run(), other)
    moved = with_values(small_run(), {("data", "path"): "elsewhere"})
    assert folder.create_or_resume(workdir, moved, walk), "where the data lie does not matter"


def test_more_or_fewer_phases_are_another_run(tmp_path, walk):
    folder.create_or_resume(tmp_path / "run", small_run(), walk)
    fewer = small_run(phases=small_run().phases[:1])
    with pytest.raises(InputError, match="phases.squared_error.objective: .*, now 'absent'"):
        folder.create_or_resume(tmp_path / "run", fewer, walk)


def test_a_damaged_record_is_named(tmp_path, walk):
    folder.create_or_resume(tmp_path / "run", small_run(), walk)
    path = tmp_path / "run" / "config.json"
    whole = path.read_text()
    for text in ("{", "[]", "{}", whole.replace('"hidden"', '"hiden"')):
        path.write_text(text)
        with pytest.raises(InputError, match="config.json: (damaged|hiden: there is no such)"):
            record.read(tmp_path / "run")
    with pytest.raises(InputError, match="not the folder of a run"):
        record.read(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path, walk):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written .* choose another --workdir"):
        folder.create_or_resume(tmp_path / "file" / "run", small_run(), walk)


def test_neighbors_are_kept_with_the_run(tmp_path, walk):
    run = small_run(transforms=Transforms(neighbors=3))
    folder.create_or_resume(tmp_path / "run", run, walk)
    shape = walk.train.shape
    np.testing.assert_array_equal(folder.read_memory(tmp_path / "run", shape), walk.train)
    path = tmp_path / "run" / folder.MEMORY
    for content in (walk.train[1:], walk.train.astype(np.float64)):
        np.save(path, content)
        with pytest.raises(InputError, match="but the run was trained on float32 of shape .9, 7"):
            folder.read_memory(tmp_path / "run", shape)
    path.write_bytes(b"x")
    with pytest.raises(InputError, match="training_sequences.npy: not a readable .*; put it back"):
        folder.read_memory(tmp_path / "run", shape)
    path.unlink()
    with pytest.raises(InputError, match="training_sequences.npy: no such file; put it back"):
        folder.read_memory(tmp_path / "run", shape)


def test_other_values_of_the_same_name_and_shape_are_other_data(tmp_path, walk):
    folder.create_or_resume(tmp_path / "run", small_run(), walk)
    for split in ("train", "val", "test"):
        values = getattr(walk, split).copy()
        values[-1, -1, -1] += 1e-3
        changed = dataclasses.replace(walk, **{split: values})
        with pytest.raises(InputError, match="data: other values than before in 'a walk'"):
            folder.create_or_resume(tmp_path / "run", small_run(), changed)
        assert record.other_data(record.describe(walk), record.describe(changed))


def test_a_record_of_before_does_not_know_the_values(tmp_path, walk):
    folder.create_or_resume(tmp_path / "run", small_run(), walk)
    path = tmp_path / "run" / "config.json"
    written = json.loads(path.read_text())
    del written["data"]["sha256"]
    path.write_text(json.dumps(written))
    assert folder.create_or_resume(tmp_path / "run", small_run(), walk)


def test_simulated_values_are_not_compared_to_the_last_bit(walk):
    assert "sha256" not in record.describe(dataclasses.replace(walk, simulated=True))


def leaves(tree, path=()):
    """Paths of everything in a tree of dicts and lists."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in pairs:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))


def with_leaf(tree, path, value):
    tree = json.loads(json.dumps(tree))
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return tree


def test_a_record_with_any_value_of_any_other_type_is_one_line_or_a_run(tmp_path, walk):
    """Every value of config.json in turn becomes something else: read, compared, or refused."""
    folder.create_or_resume(tmp_path / "run", small_run(), walk)
    path = tmp_path / "run" / "config.json"
    whole = json.loads(path.read_text())
    now, refused = record.read(tmp_path / "run"), 0
    for place in leaves(whole):
        for value in (None, [], {}, [1], "x", 5, -1, 2**70, True, float("nan"), float("inf")):
            path.write_text(json.dumps(with_leaf(whole, place, value)))
            try:
                found = record.read(tmp_path / "run")
                record.differences(found, now), found.shape
            except InputError as error:
                assert "config.json: " in str(error) and "\n" not in str(error)
                refused += 1
    assert refused > 300


@pytest.mark.parametrize("length", [0, 1, 20, 700])
def test_a_record_cut_off(tmp_path, walk, length):
    folder.create_or_resume(tmp_path / "run", small_run(), walk)
    path = tmp_path / "run" / "config.json"
    path.write_text(path.read_text()[:length])
    with pytest.raises(InputError, match="config.json: damaged .*; put it back, or train again"):
        folder.create_or_resume(tmp_path / "run", small_run(), walk)


HOLD = """
import sys, time
from naomi_jax.runs import lock
with lock.training_in(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_training_a_folder(tmp_path):
    with lock.training_in(tmp_path / "run"):
        with (
            pytest.raises(InputError, match="another training is going on in .*run; wait for it"),
            lock.training_in(tmp_path / "run"),
        ):
            pass
        with lock.training_in(tmp_path / "other"):
            pass
    with lock.training_in(tmp_path / "run"):
        pass


def test_kill_9_ends_the_lock(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="another training"), lock.training_in(tmp_path):
            pass
        other.kill()
        other.wait()
    with lock.training_in(tmp_path):
        pass


def test_a_lock_that_was_taken_away_is_made_again(tmp_path, monkeypatch):
    """A training that fails deletes what it made, between another one's opening and locking."""
    workdir, flock, calls = tmp_path / "run", lock.fcntl.flock, []

    def late(file, how):
        if not calls:
            shutil.rmtree(workdir)
        calls.append(file)
        flock(file, how)

    monkeypatch.setattr(lock.fcntl, "flock", late)
    refused = pytest.raises(InputError, match="another training")
    with lock.training_in(workdir), refused, lock.training_in(workdir):
        pass
    assert len(calls) == 3


def test_without_locks_nothing_is_checked(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    for fcntl in (None, types.SimpleNamespace(flock=no_locks, LOCK_EX=1, LOCK_NB=2)):
        monkeypatch.setattr(lock, "fcntl", fcntl)
        with lock.training_in(tmp_path), lock.training_in(tmp_path):
            pass


def test_a_folder_that_cannot_be_locked(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "run" / lock.FILE).mkdir(parents=True)
    for name in ("file/run", "run"):
        with (
            pytest.raises(InputError, match="cannot be written .* choose another --workdir"),
            lock.training_in(tmp_path / name),
        ):
            pass
