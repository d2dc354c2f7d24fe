"""Tables: their numbers, their two faces, and which runs may share one."""

import json

import jax
import numpy as np
import pytest

import naomi_jax
from naomi_jax.data import billiards, masks, metrics
from naomi_jax.data.transforms import standardize as standardise
from naomi_jax.errors import InputError
from naomi_jax.evaluation import paper, report, tables
from naomi_jax.methods import linear

MASKS = masks.MaskConfig("random", 5, 9)


def fitted(title, seed):
    params = naomi_jax.init(jax.random.key(seed), naomi_jax.ModelConfig(2, 3, 1, 2, 3))
    return tables.Fitted(title, naomi_jax.impute, params, standardise.empty(1, 2))


@pytest.fixture(scope="module")
def table(dataset):
    models = [fitted("NAOMI", 0), fitted("SingleRes", 2), fitted("NAOMI", 1)]
    return tables.make_table(models, dataset, MASKS)


def test_rows_in_the_papers_order(table):
    titles = [row.title for row in table.rows]
    assert titles[1].startswith("KNN (k = ")
    assert titles[:1] + titles[2:] == ["Linear", "SingleRes", "NAOMI (2 runs)", "Expert"]
    assert [row.paper for row in table.rows] == [
        paper.TABLES["billiards"][name]
        for name in ("Linear", "KNN", "SingleRes", "NAOMI", "Expert")
    ]


def test_numbers(table, dataset):
    x = np.tile(dataset.test, (7, 1, 1))
    key = jax.random.split(jax.random.key(2019), 3)[0]
    mask = masks.draw_many(key, MASKS, len(x), 12)
    filled = linear.impute((), x, mask)
    expected = [
        metrics.mean(metrics.sinuosity(filled, x)),
        1e3 * metrics.mean(metrics.step_change(filled)),
        metrics.mean(metrics.reflection_to_wall(filled, billiards.WALL)),
        # Squared distance per missing step, written out.
        1e2 * (np.square(filled - x).sum(-1)[np.asarray(mask) == 0]).mean(),
    ]
    np.testing.assert_allclose(table.rows[0].values, expected, rtol=1e-5)
    assert table.rows[0].spread is None
    alone = [tables.make_table([fitted("NAOMI", s)], dataset, MASKS).rows[2].values for s in (0, 1)]
    np.testing.assert_allclose(table.rows[3].values, np.mean(alone, 0), rtol=1e-5)
    np.testing.assert_allclose(table.rows[3].spread, np.std(alone, 0, ddof=1), rtol=1e-3)
    assert table.rows[-1].values[3] == 0 and table.rows[-1].values[0] == pytest.approx(1, abs=1e-3)


def test_two_faces(table, tmp_path):
    text, document = str(table), table.markdown()
    for face in (text, document):
        for words in ("simulated here", "5-9 missing at random places (mask seed 2019)", "(1.588)"):
            assert words in face
        assert "L2 [1e-2 per step] (simulated)" in face and "30 sequences" in face
    lines = [line for line in document.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {6} and len(lines) == 2 + 5
    tables.write_json(table, tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text())["rows"][0]["title"] == "Linear"
    with pytest.raises(InputError, match="cannot be written"):
        tables.write_json(table, tmp_path / "nowhere" / "t.json")


def folder(path, dataset="billiards", source="a", low=3, finished=True, task="impute", **masks):
    path.mkdir(parents=True)
    record = {
        "config": {"dataset": dataset, "masks": {"low": low, **masks}, "task": task},
        "data": {"source": source},
        "versions": {},
    }
    (path / "config.json").write_text(json.dumps(record))
    if finished:
        (path / "results.json").write_text("{}")
    return str(path)


def test_which_runs_share_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no finished runs of billiards in runs/"):
        report.collect(2, [])
    one = folder(tmp_path / "runs" / "one")
    folder(tmp_path / "runs" / "two", training_low=4, per_sequence=True)
    folder(tmp_path / "runs" / "unfinished", finished=False)
    folder(tmp_path / "runs" / "later", task="forecast")
    other = folder(tmp_path / "runs" / "traffic", dataset="traffic")
    assert report.collect(2, []) == ["runs/one", "runs/two"]
    assert report.collect(1, []) == ["runs/traffic"]
    with pytest.raises(InputError, match="a run on traffic; table 2 is about billiards"):
        report.collect(2, [one, other])
    for change in ({"source": "b"}, {"low": 4}, {"task": "forecast"}):
        name = folder(tmp_path / f"other{len(change)}{list(change)[0]}", **change)
        with pytest.raises(InputError, match="other data, masks or task"):
            report.collect(2, [one, name])
    with pytest.raises(InputError, match="not the folder of a run"):
        report.collect(2, [one, str(tmp_path)])
