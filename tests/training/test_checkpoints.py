"""Checkpoints on disk: what is damaged is noticed, in one line and nothing beside it."""

import json

import jax
import numpy as np
import pytest

from naomi_jax.errors import InputError
from naomi_jax.training.checkpoints import Checkpoints

VALUES = np.random.default_rng(0).standard_normal((50, 40)).astype(np.float32)
TREE = {"state": {"a": VALUES, "b": [np.full((), 5, np.int32)]}, "scaler": np.ones(2, np.float32)}


@pytest.fixture
def folder(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(5, TREE, 0.5)
    return tmp_path


def read(folder, target=TREE):
    with Checkpoints(folder, read_only=True) as checkpoints:
        return checkpoints.restore(checkpoints.best(), target)


def flip(path, place, bit=3):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def test_a_byte_that_has_changed_is_never_read_as_a_value(folder, capfd, caplog):
    """Any byte of any file: the same values, or an error; of the values themselves an error."""
    rng, refused = np.random.default_rng(1), set()
    for path in [p for p in (folder / "5").rglob("*") if p.is_file()]:
        size = path.stat().st_size
        for place in rng.integers(0, size, 4):
            flip(path, place)
            try:
                jax.tree.map(np.testing.assert_array_equal, read(folder), TREE)
            except InputError as error:
                assert "\n" not in str(error) and "checkpoint 5" in str(error)
                refused.add(path)
            flip(path, place)
    largest = max((folder / "5").rglob("d/*"), key=lambda path: path.stat().st_size)
    assert largest.stat().st_size > 7000 and largest in refused
    assert not caplog.records, [record.getMessage()[:99] for record in caplog.records]
    assert capfd.readouterr() == ("", "")


def test_another_validation_error_is_noticed(folder):
    """It decides which checkpoint is the best."""
    (folder / "5/metrics/metrics").write_text('{"val_error": 0.1}')
    with pytest.raises(InputError, match="5 is damaged .step 5: val_error is not what was written"):
        Checkpoints(folder, read_only=True)


def test_a_part_is_checked_alone_and_in_another_type(folder, x64):
    part = {"state": {"a": VALUES.astype(np.float64)}}
    np.testing.assert_array_equal(read(folder, part)["state"]["a"], VALUES)


def test_a_checkpoint_of_before_has_no_checksums_and_opens(folder):
    path = folder / "5/_CHECKPOINT_METADATA"
    path.write_text(json.dumps({**json.loads(path.read_text()), "custom_metadata": {}}))
    jax.tree.map(np.testing.assert_array_equal, read(folder), TREE)


@pytest.mark.parametrize("text", ["", "[]", "{}", "5", '{"custom_metadata": [1]}'])
def test_damaged_checksums(folder, text):
    (folder / "5/_CHECKPOINT_METADATA").write_text(text)
    with pytest.raises(InputError, match="checkpoint 5 is damaged .* delete its folder"):
        read(folder)
