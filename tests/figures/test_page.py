"""The page about runs: its numbers are those of the tables."""

import argparse
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.cli.commands import page as command
from naomi_jax.data import masks, metrics, registry
from naomi_jax.evaluation import report, robustness, samples, scores, tables
from naomi_jax.figures import drawing, film, page, parts
from naomi_jax.methods import linear


@pytest.fixture(scope="module")
def curves(dataset, model, hidden):
    return robustness.curves([model], dataset, hidden, np.array([4, 8]))


def test_quartiles_are_those_of_the_metrics(curves, dataset):
    keys = jax.random.split(jax.random.key(2020), 30)
    assert curves.columns == tuple(metric.name for metric in registry.get(dataset.name).metrics)
    assert list(curves.quartiles) == ["linear", "naomi", "expert"]
    for i, count in enumerate((4, 8)):
        mask = np.stack([masks.hide(key, "random", count, 12) for key in keys])
        assert (mask.sum(1) == 12 - count).all() and (mask[:, 0] == 1).all()
        filled = linear.impute((), dataset.test, mask)
        # Squared distance per missing step, of each sequence.
        error = np.square(filled - dataset.test).sum(-1)
        each = 100 * (error * (mask == 0)).sum(1) / count
        np.testing.assert_allclose(
            curves.quartiles["linear"][3, i], np.percentile(each, [25, 50, 75]), rtol=1e-4
        )
        total, number = metrics.step_change(jnp.asarray(dataset.test))
        np.testing.assert_allclose(
            curves.quartiles["expert"][1, i],
            np.percentile(1e3 * total / number, [25, 50, 75]),
            rtol=1e-5,
        )


def test_counts_end_where_training_did(hidden):
    np.testing.assert_array_equal(robustness.sensible_counts(hidden, 12, 4), [6, 7, 8, 9])
    assert robustness.sensible_counts(masks.MaskConfig("file", 0, 0), 12)[-1] == 10


def test_fewer_missing_steps_are_some_of_the_more():
    fewer, more = (np.asarray(masks.hide(jax.random.key(3), "random", n, 20)) for n in (5, 12))
    assert ((more == 1) <= (fewer == 1)).all()


def measure(model, dataset, hidden, counts, forecast):
    return page.Measured(
        tables.make_table([model], dataset, hidden),
        drawing.fill_example([model], dataset, hidden),
        robustness.curves([model], dataset, hidden, np.array(counts)),
        forecast,
    )


def test_a_page_shows_the_tables_numbers(dataset, model, hidden, tmp_path):
    measured = measure(model, dataset, hidden, [4, 8], False)
    forecast = measure(model, dataset, masks.MaskConfig("tail", 5, 9), [5, 9], True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/metrics.jsonl").write_text(
        "".join(json.dumps({"step": n, "loss": 1 / n, "val_error": 2 / n}) + "\n" for n in (1, 2))
    )
    rng = np.random.default_rng(0)
    mask = np.arange(12) % 5 == 0
    drawn = samples.Distribution(
        np.array([3]),
        dataset.test[:2],
        np.broadcast_to(mask, (1, 2, 12)),
        rng.standard_normal((1, 9, 2, 12, 2)).astype(np.float32),
    )
    sections = page.sections(
        {str(tmp_path / "run"): {"config": {}, "data": {}, "versions": {}}},
        dataset,
        measured,
        film.recursion([model], measured.example.shown),
        ["python", "eval.py", "run & run"],
        ("naomi", drawn),
        forecast,
    )
    text = parts.document(dataset.source, sections)
    for part in (measured, forecast):
        for _, *cells in list(part.table.cells())[1:]:
            for cell in cells:
                assert f"<td>{cell}</td>" in text
    assert "Forward prediction" in text and forecast.table.test_set in text
    assert (
        "SIMULATED" in text
        and "data:image/gif" in text
        and text.count("data:image/png") == text.count("data:image/svg+xml") == 7
    )
    assert "NAOMI on the same sequence" in text and "NAOMI: 9 samples of one" in text
    assert "run &amp; run" in text
    crps = scores.crps(drawn.samples[0], drawn.truth, drawn.mask[0])
    assert f"<td>{crps:.4g}</td>" in text
    assert "http" not in text, "nothing is fetched"


def test_the_command_hands_on_which_runs_impute_and_which_forecast(monkeypatch):
    tasks, given = (["runs/a"], ["runs/b"]), []
    monkeypatch.setattr(report, "by_task", lambda folders: tasks)
    monkeypatch.setattr(report, "dataset_of", lambda folder: None)
    monkeypatch.setattr(page, "write", lambda *arguments: given.append(arguments[0]))
    asked = argparse.Namespace(out="x.html", data=None, missing=None, time=None, group=None)
    asked.__dict__.update(dict.fromkeys(("header", "separator", "decimal", "freq", "dayfirst")))
    command._of_methods(["runs/b", "runs/a"], asked)
    assert given == [tasks]


def test_the_page_brings_its_looks():
    text = parts.document("a & b", ["<h1>x</h1>"])
    assert "<title>a &amp; b</title>" in text and "<h1>x</h1>" in text
    assert "prefers-color-scheme: dark" in text and 'content: "scroll sideways \\2192"' in text
