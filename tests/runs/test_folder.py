"""A run's folder: created once, resumed by the same settings, damage named."""

import dataclasses

import numpy as np
import pytest

from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.errors import InputError
from naomi_jax.fields import with_values
from naomi_jax.runs import folder, record
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
    np.testing.assert_array_equal(folder.read_memory(tmp_path / "run"), walk.train)
    (tmp_path / "run" / folder.MEMORY).write_bytes(b"x")
    with pytest.raises(InputError, match="training_sequences.npy: missing or damaged"):
        folder.read_memory(tmp_path / "run")
