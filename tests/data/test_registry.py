"""Data sets by name: each knows its metrics, its row of the paper, and how it is drawn."""

import dataclasses
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from naomi_jax.data import billiards, drawing, files, metrics, registry, traffic
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.methods import registry as methods


def test_the_built_in_ones_have_one_order_whatever_is_imported_first():
    expected = ("traffic", "billiards", "basketball", "files")
    assert registry.names()[:4] == expected
    assert tuple(kind.name for kind in registry.every())[:4] == expected
    script = (
        "from naomi_jax.data import files, basketball, registry; print(*registry.names(), sep=',')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == ",".join(expected), done.stderr


def toy(**changes):
    x = np.arange(24, dtype=np.float32).reshape(2, 6, 2)
    kind = registry.DatasetKind(
        name="toy",
        load=lambda request: Dataset("toy", f"made here for {request.path}", True, x, x, x),
        metrics=(metrics.Metric("error", 1, metrics.missing_l2),),
    )
    return dataclasses.replace(kind, **changes)


@pytest.fixture
def registered(monkeypatch):
    """A data set of the test's own."""
    registry.names()
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    return registry.register(toy())


def test_a_new_data_set_is_one_call(registered, tmp_path):
    assert registry.get("toy") is registered and registry.names()[-1] == "toy"
    dataset = registry.load("toy", str(tmp_path))
    assert (
        registry.get(dataset.name) is registered and dataset.source == f"made here for {tmp_path}"
    )
    assert registry.register(registered) is registered, "twice the same is no matter"


def test_a_name_is_taken_once(registered):
    with pytest.raises(ValueError, match="data set 'toy': there is another one of this name"):
        registry.register(toy())
    with pytest.raises(ValueError, match="data set 'traffic'"):
        registry.register(toy(name="traffic"))
    assert registry.get("toy") is registered and registry.get("traffic") is traffic.TRAFFIC


def test_the_papers_values_are_one_for_each_metric():
    with pytest.raises(ValueError, match="toy: the paper's knn has 2 values, .* 1 metrics"):
        toy(paper={"knn": (1.0, 2.0)})
    known = {method.name for method in methods.every()} | {registry.EXPERT}
    for kind in registry.every():
        assert kind.paper.keys() <= known
    assert billiards.BILLIARDS.paper["naomi"] == (1.006, 7.239, 0.023, 0.067)


def test_names_that_are_none():
    with pytest.raises(InputError, match="dataset: 'tides'; one of traffic, billiards, basketball"):
        registry.get("tides")


def test_tables_of_the_paper():
    found = [registry.of_table(number).name for number in (1, 2, 3)]
    assert found == ["traffic", "billiards", "basketball"]
    with pytest.raises(InputError, match="table: 4; one of 1, 2, 3 is needed"):
        registry.of_table(4)


def test_the_truth_has_a_row_beside_more_than_its_error():
    expected = {"traffic": False, "billiards": True, "basketball": True, "files": False}
    for name, has_expert in expected.items():
        kind = registry.get(name)
        assert kind.has_expert == has_expert == (registry.EXPERT in kind.paper)


# Loading.


def test_a_path_must_exist_and_be_of_use(tmp_path):
    for name in registry.names():
        with pytest.raises(InputError, match="--data .*nowhere: no such file or folder"):
            registry.load(name, str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="--data: billiards is simulated; .* --dataset files"):
        registry.load("billiards", str(tmp_path))
    with pytest.raises(InputError, match="--dataset files needs --data FILE"):
        registry.load("files")


def test_traffic_takes_an_archive_or_arrays(tmp_path, monkeypatch):
    day = "[0.1 0.2;0.3 0.4;0.5 0.6]\n"
    monkeypatch.setattr(traffic.pooch, "os_cache", lambda name: tmp_path / "cache")
    archive, folder, arrays = tmp_path / "pems.zip", tmp_path / "days", tmp_path / "arrays"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("PEMS_train", "PEMS_test"):
            file.writestr(name, day * 3)
    folder.mkdir()
    for name in ("PEMS_train", "PEMS_test"):
        (folder / name).write_text(day * 3)
    arrays.mkdir()
    for name in ("train", "test"):
        np.savez(arrays / f"{name}.npz", data=np.zeros((4, 5, 2)))
    np.savetxt(tmp_path / "series.csv", np.arange(40.0)[:, None])
    for path in (archive, folder):
        dataset = registry.load("traffic", str(path))
        assert registry.get(dataset.name) is traffic.TRAFFIC and dataset.train.shape == (2, 2, 3)
    # Arrays are described, measured and drawn as any user's: they need not be occupancies.
    dataset = registry.load("traffic", str(arrays))
    assert registry.get(dataset.name) is files.FILES and dataset.train.shape == (3, 5, 2)
    dataset = registry.load("traffic", str(tmp_path / "series.csv"), window=4, stride=1)
    assert registry.get(dataset.name) is files.FILES and dataset.train.shape == (29, 4, 1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="neither PEMS_train nor PEMS_train.gz"):
        registry.load("traffic", str(tmp_path / "empty"))
    assert os.listdir(tmp_path / "cache"), "the parsed days are kept"


# Drawing.


def test_labels():
    assert traffic.TRAFFIC.drawing.label(4, 963) == "sensor 5\n[occupancy, 0-1]"
    assert files.FILES.drawing.label(4, 7) == "column 5"
    box = billiards.BILLIARDS.drawing
    assert [box.label(c, 2) for c in (0, 1)] == [f"{c} [half widths of the box]" for c in "xy"]
    court = registry.get("basketball").drawing
    assert [court.label(c, 10) for c in (0, 9)] == ["x1 [of the court]", "y5 [of the court]"]
    where, words = traffic.TRAFFIC.drawing.time.ticks
    assert dict(zip(words, where))["12:00"] == 72 and words[-1] == "24:00"


def test_outlines():
    square = drawing.rectangle(-1, 0, 4, 2)
    np.testing.assert_array_equal(square, [[-1, 0], [3, 0], [3, 2], [-1, 2], [-1, 0]])
    circle = drawing.arc((1, 2), 3)
    np.testing.assert_allclose(np.linalg.norm(circle - [1, 2], axis=1), 3)
    np.testing.assert_allclose(circle[[0, -1]], [[4, 2], [4, 2]])
    np.testing.assert_allclose(
        drawing.arc((0, 0), 1, -90, 0)[[0, -1]], [[0, -1], [1, 0]], atol=1e-9
    )
    for kind in registry.every():
        if isinstance(kind.drawing, drawing.Plane):
            low, high = np.array(kind.drawing.limits).T
            for curve in kind.drawing.outline:
                assert (curve.points >= low).all() and (curve.points <= high).all()


def test_the_court_is_drawn_in_feet_as_nba_rule_1_has_it():
    court = registry.get("basketball").drawing
    (arc,) = (c.points for c in court.outline if np.ptp(c.points[:, 1]) == pytest.approx(44))
    # Three feet from the sidelines, where the straight parts begin.
    np.testing.assert_allclose(arc[[0, -1], 1], [3, 47])
    assert arc[:, 0].max() == pytest.approx(5.25 + 23.75)
    np.testing.assert_allclose(court.to_drawing(np.zeros(2, np.float32)), [25, 25])
