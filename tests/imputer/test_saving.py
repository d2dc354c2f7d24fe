"""A fitted imputer in a folder."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer
from naomi_jax.errors import InputError
from naomi_jax.imputer import saving
from naomi_jax.parallel.hiding import Hiding
from naomi_jax.store import record


def table():
    rng = np.random.default_rng(0)
    values = np.cumsum(rng.normal(size=(300, 3)), axis=0)
    values[rng.random(values.shape) < 0.1] = np.nan
    index = pd.date_range("2024", periods=300, freq="h")
    return pd.DataFrame(values, index=index, columns=["a", "b", "c"]).assign(who=["x", "y"] * 150)


@pytest.fixture(scope="module")
def fitted():
    hiding = Hiding(block=2.0, low=0.1, high=0.2)
    kept = Imputer("interpolate", window=48, hiding=hiding, bounds={"b": (-50, None)})
    return kept.fit(table(), group="who")


@pytest.fixture
def folder(fitted, tmp_path):
    fitted.save(tmp_path / "kept")
    return tmp_path / "kept"


def test_what_is_loaded_fills_the_same_bits(fitted, folder):
    found = Imputer.load(folder)
    given = table()
    one, two = (f.transform(given) for f in (fitted, found))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    for one, two in zip(fitted.sample(given, 2), found.sample(given, 2)):
        pd.testing.assert_frame_equal(one, two, check_exact=True)
    for one, two in zip(fitted.interval(given), found.interval(given)):
        pd.testing.assert_frame_equal(one, two, check_exact=True)
    pd.testing.assert_frame_equal(fitted.report_, found.report_, check_exact=True)
    assert found.get_params() == fitted.get_params()
    assert vars(found).keys() == vars(fitted).keys()
    assert found.feature_names_in_.tolist() == ["a", "b", "c"]


def test_what_is_loaded_can_be_saved_and_fitted_again(fitted, folder, tmp_path):
    Imputer.load(folder).save(tmp_path / "again")
    names = sorted(path.name for path in folder.iterdir())
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == names
    again = Imputer.load(tmp_path / "again")
    pd.testing.assert_frame_equal(again.transform(table()), fitted.transform(table()))
    refitted = again.fit(table(), group="who")
    pd.testing.assert_frame_equal(refitted.report_, fitted.report_)


def test_every_part_of_the_engine_is_saved(fitted, folder):
    found = Imputer.load(folder)._engine

    def same(one, two):
        assert type(one) is type(two)
        if dataclasses.is_dataclass(one):
            one, two = vars(one), vars(two)
        if isinstance(one, dict):
            assert one.keys() == two.keys()
            for name in one:
                same(one[name], two[name])
        elif isinstance(one, tuple):
            assert len(one) == len(two)
            for first, second in zip(one, two):
                same(first, second)
        elif isinstance(one, np.ndarray):
            assert one.dtype == two.dtype
            np.testing.assert_array_equal(one, two)
        else:
            assert one == two

    same(fitted._engine, found)


def test_names_of_columns_that_are_numbers_or_pairs(tmp_path):
    given = table().drop(columns="who")
    for number, names in enumerate(([0, 1, 2], [("a", 1), ("a", 2), ("b", 1)], [1.5, "x", 7])):
        given.columns = pd.Index(names, tupleize_cols=False)
        kept = Imputer("interpolate", window=48, bounds={names[1]: (-50, 50)}).fit(given)
        kept.save(tmp_path / str(number))
        found = Imputer.load(tmp_path / str(number))
        assert found.bounds == {names[1]: (-50, 50)}
        pd.testing.assert_frame_equal(found.transform(given), kept.transform(given))
    given.columns = pd.date_range("2024", periods=3)
    kept = Imputer("interpolate", window=48).fit(given)
    with pytest.raises(InputError, match=r"cannot be saved \(Timestamp"):
        kept.save(tmp_path / "stamps")
    assert not (tmp_path / "stamps").exists()


def test_a_record_is_kept_beside_it(fitted, tmp_path):
    saving.save(fitted, tmp_path / "kept", {"file": "a.csv"})
    assert saving.read_about(tmp_path / "kept")["record"] == {"file": "a.csv"}
    assert saving.exists(tmp_path / "kept") and not saving.exists(tmp_path)


def refused(folder, message):
    with pytest.raises(InputError, match=message) as caught:
        Imputer.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [saving.FILE, "imputer-*.npz"])
def test_a_flipped_byte_is_found_wherever_it_is(folder, name):
    (path,) = folder.glob(name)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    tried = 0
    for place in (0, len(content) - 1, *rng.integers(0, len(content), 40)):
        changed = bytearray(content)
        changed[place] ^= 0x04
        before, after = content[place : place + 1], bytes(changed[place : place + 1])
        if before.isspace() and after.isspace():
            continue  # space for space: the same JSON
        path.write_bytes(changed)
        refused(folder, "damaged")
        tried += 1
    assert tried > 30
    path.write_bytes(content)
    Imputer.load(folder)


@pytest.mark.parametrize("name", [saving.FILE, "imputer-*.npz"])
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_file_that_is_cut_short_is_found(folder, name, share):
    (path,) = folder.glob(name)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(folder, "damaged")


def test_a_file_that_was_edited_is_found(folder):
    path = folder / saving.FILE
    about = json.loads(path.read_text())
    about["fitted"]["dict"][0][1]["fields"]["window"] = 49
    path.write_text(json.dumps(about))
    refused(folder, "imputer.json: damaged or edited")
    for text in ("[]", "{}", "3", '"checksum"', "null", '{"checksum": 1}'):
        path.write_text(text)
        refused(folder, "imputer.json: damaged or edited")


def test_another_layout_of_the_same_json_is_fine(folder):
    path = folder / saving.FILE
    path.write_text(json.dumps(json.loads(path.read_text()), indent=7))
    Imputer.load(folder)


def test_what_is_not_there_is_named(folder, tmp_path):
    refused(tmp_path / "nothing", "no imputer in it")
    file = tmp_path / "file"
    file.write_text("x")
    refused(file, "no imputer in it")
    next(folder.glob("*.npz")).unlink()
    refused(folder, r"imputer-\w*.npz: cannot be read")


def test_a_file_of_another_version_is_named(fitted, folder):
    about = saving.read_about(folder)
    about["version"] = "99.0"
    about["fitted"]["dict"][0][1]["fields"]["novelty"] = 1
    (folder / saving.FILE).write_text(record.sealed(about))
    refused(folder, "saved by naomi_jax 99.0, which this version .* cannot read")


def test_folders_that_cannot_be_written(fitted, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        fitted.save(file)
    with pytest.raises(InputError, match="cannot be written"):
        fitted.save(file / "below")
    assert file.read_text() == "x"
    with pytest.raises(ValueError, match="not fitted"):
        Imputer().save(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def as_it_was(folder):
    """The folder as version 0.2 wrote it first: the arrays under one name."""
    about = saving.read_about(folder)
    (folder / about["arrays"]["file"]).rename(folder / "arrays.npz")
    about["arrays"] = about["arrays"]["sha256"]
    (folder / saving.FILE).write_text(record.sealed(about))


def test_a_folder_with_arrays_under_their_earlier_name_is_opened_and_replaced(fitted, folder):
    as_it_was(folder)
    assert all(saving.is_part(path.name) for path in folder.iterdir())
    found = Imputer.load(folder)
    pd.testing.assert_frame_equal(found.transform(table()), fitted.transform(table()))
    found.save(folder)
    assert len([*folder.iterdir()]) == 2 and not (folder / "arrays.npz").exists()
    Imputer.load(folder)
