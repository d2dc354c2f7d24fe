"""Tables: their numbers, their two faces, and which runs may share one."""

import dataclasses
import json

import jax
import numpy as np
import pytest

from naomi_jax.data import billiards, masks, metrics
from naomi_jax.data import registry as datasets
from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms import standardize
from naomi_jax.data.transforms.chain import Chain
from naomi_jax.errors import InputError
from naomi_jax.evaluation import report, tables
from naomi_jax.methods import linear, registry
from naomi_jax.methods.fitted import Fitted
from naomi_jax.methods.method import Method
from naomi_jax.runs import record
from naomi_jax.training.settings import Data, MaskPair
from tests.settings import same_masks, small_run

MASKS = masks.MaskConfig("random", 5, 9)


def fitted(name, seed):
    method = registry.get(name)
    levels = 1 if name == "single_res" else 2
    settings = method.settings(hidden=3, layers=1, levels=levels, head_hidden=3)
    params = method.init(jax.random.key(seed), settings, 2)
    return Fitted(method, params, Chain(standardize.empty(1, 2)))


@pytest.fixture(scope="module")
def table(dataset):
    models = [fitted("naomi", 0), fitted("single_res", 2), fitted("naomi", 1)]
    return tables.make_table(models, dataset, MASKS)


def test_rows_in_the_papers_order(table):
    titles = [row.title for row in table.rows]
    assert titles[1].startswith("KNN (k = ")
    assert titles[:1] + titles[2:] == ["Linear", "SingleRes", "NAOMI (2 runs)", "Expert"]
    names = ["linear", "knn", "single_res", "naomi", datasets.EXPERT]
    assert [row.method for row in table.rows] == names
    published = datasets.get("billiards").paper
    assert [row.paper for row in table.rows] == [published[name] for name in names]
    assert published["naomi"][3] == 0.067 and published["linear"][0] == 1.121


def test_a_method_outside_the_papers_list_gets_a_row(dataset):
    """Its own title, no value of the paper; before the truth."""

    def impute(params, x, mask, key=None, *, num_samples=None):
        return np.where(np.asarray(mask)[..., None] != 0, x, params)

    last = Method(name="middle", title="The middle", impute=impute)
    models = [Fitted(last, 0.5, Chain(standardize.empty(1, 2))), fitted("naomi", 0)]
    rows = tables.make_table(models, dataset, MASKS).rows
    assert [row.method for row in rows] == ["linear", "knn", "naomi", "middle", datasets.EXPERT]
    assert rows[3].title == "The middle" and rows[3].paper is None
    assert np.isfinite(rows[3].values[3]) and rows[3].spread is None


@pytest.mark.parametrize("kind,has_paper", [("random", True), ("block", False), ("tail", False)])
def test_the_papers_numbers_stand_beside_masks_like_the_papers(kind, has_paper, dataset):
    table = tables.make_table([], dataset, masks.MaskConfig(kind, 5, 9))
    assert [row.paper is not None for row in table.rows] == [has_paper] * 3
    assert ("In brackets" in str(table)) == has_paper


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
    alone = [tables.make_table([fitted("naomi", s)], dataset, MASKS).rows[2].values for s in (0, 1)]
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


def folder(
    path, dataset, name="billiards", source="a", low=3, kind="random", finished=True, train=None
):
    """The folder of a run, without checkpoints."""
    path.mkdir(parents=True)
    test = Masks(kind=kind, missing=(low, 5))
    pair = same_masks(test) if train is None else MaskPair(train=train, test=test)
    run = small_run(data=Data(name=name), masks=pair)
    record.write(path, record.make(run, dataclasses.replace(dataset, name=name, source=source)))
    if finished:
        (path / report.RESULTS).write_text("{}")
    return str(path)


def test_which_runs_share_a_table(tmp_path, monkeypatch, dataset):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no finished runs of billiards in runs/"):
        report.collect(2, [])
    one = folder(tmp_path / "runs" / "one", dataset)
    folder(tmp_path / "runs" / "two", dataset, train=Masks(missing=(4, 5)))
    folder(tmp_path / "runs" / "unfinished", dataset, finished=False)
    folder(tmp_path / "runs" / "later", dataset, kind="tail")
    other = folder(tmp_path / "runs" / "traffic", dataset, name="traffic")
    assert report.collect(2, []) == ["runs/one", "runs/two"]
    assert report.collect(1, []) == ["runs/traffic"]
    with pytest.raises(InputError, match="a run on traffic; table 2 is about billiards"):
        report.collect(2, [one, other])
    for number, change in enumerate(({"source": "b"}, {"low": 4}, {"kind": "tail"})):
        name = folder(tmp_path / f"other{number}", dataset, **change)
        with pytest.raises(InputError, match="other data or masks"):
            report.collect(2, [one, name])
    with pytest.raises(InputError, match="not the folder of a run"):
        report.collect(2, [one, str(tmp_path)])
    with pytest.raises(InputError, match="table: 4; one of 1, 2, 3 is needed"):
        report.collect(4, [])


def test_runs_on_one_page_share_their_data(tmp_path, dataset):
    imputes = folder(tmp_path / "a", dataset)
    forecasts = folder(tmp_path / "b", dataset, kind="tail")
    assert report.by_task([forecasts, imputes]) == ([imputes], [forecasts])
    with pytest.raises(InputError, match="c: other data than .*a"):
        report.by_task([imputes, folder(tmp_path / "c", dataset, source="elsewhere")])
