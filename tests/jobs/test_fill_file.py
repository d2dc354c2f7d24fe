"""A user's file is filled in the order of time and written in its own; what was assumed is said."""

import types

import numpy as np
import pytest

from naomi_jax.errors import InputError
from naomi_jax.jobs.fill_file import fill_file
from naomi_jax.tables.options import Options


class LastValue:
    """Stands for a trained model: repeats the value before, so that the order of rows shows."""

    transforms = types.SimpleNamespace(standardizer=types.SimpleNamespace(std=np.ones(1)))

    def fill(self, x, observed, key, num_samples):
        filled = x.copy()
        for t in range(1, x.shape[1]):
            filled[:, t] = np.where(observed[:, t], x[:, t], filled[:, t - 1])
        return filled if num_samples is None else np.stack([filled] * num_samples)


def test_rows_are_read_by_time_and_written_in_their_order(tmp_path):
    source, target = tmp_path / "x.csv", tmp_path / "y.csv"
    source.write_text("t;v\n03.01.2020;\n01.01.2020;1,5\n02.01.2020;7,5\n04.01.2020;9,5\n")
    said = fill_file(LastValue(), source, target)
    assert target.read_text() == source.read_text().replace("03.01.2020;", "03.01.2020;7,5")
    assert "separator ';', decimal mark ','" in said and "column 't': the time" in said
    assert said.endswith(f"{target}: 1 of 4 entries of {source} filled")


def test_samples_are_for_arrays_and_targets_are_checked_first(tmp_path):
    source = tmp_path / "x.csv"
    source.write_text("v\n1.5\n\n2.5\n")
    with pytest.raises(InputError, match="for samples use .npz or .npy"):
        fill_file(LastValue(), source, tmp_path / "y.csv", num_samples=2)
    with pytest.raises(InputError, match="so the output must be .csv too"):
        fill_file(LastValue(), source, tmp_path / "y.npy")
    np.save(tmp_path / "x.npy", np.array([[1.5], [np.nan]], np.float32))
    fill_file(LastValue(), tmp_path / "x.npy", tmp_path / "y.npy", num_samples=2)
    assert np.load(tmp_path / "y.npy").tolist() == [[[1.5], [1.5]]] * 2


def test_what_is_said_about_a_file_is_heard(tmp_path):
    source, target = tmp_path / "x.csv", tmp_path / "y.csv"
    source.write_text("v\n1.5\n-999\n2.5\n")
    fill_file(LastValue(), source, target, options=Options(missing=("-999",)))
    assert target.read_text() == "v\n1.5\n1.5\n2.5\n"
