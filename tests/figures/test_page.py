"""The page about runs: its numbers are those of the tables, its animation follows the schedule."""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import naomi_jax
from naomi_jax.data import masks, metrics
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import standardize as standardise
from naomi_jax.errors import InputError
from naomi_jax.evaluation import recursion, report, robustness, samples, tables
from naomi_jax.figures import drawing as figures
from naomi_jax.figures import page
from naomi_jax.methods import linear

MASKS = masks.MaskConfig("random", 5, 9)


@pytest.fixture(scope="module")
def model():
    params = naomi_jax.init(jax.random.key(0), naomi_jax.ModelConfig(2, 3, 1, 2, 3))
    return tables.Fitted("NAOMI", naomi_jax.impute, params, standardise.empty(1, 2))


@pytest.fixture(scope="module")
def curves(dataset, model):
    return robustness.curves([model], dataset, MASKS, np.array([4, 8]))


def test_quartiles_are_those_of_the_metrics(curves, dataset):
    keys = jax.random.split(jax.random.key(2020), 30)
    assert curves.columns == tuple(column.name for column in tables.COLUMNS["billiards"])
    for i, count in enumerate((4, 8)):
        mask = np.stack([masks.hide(key, "random", count, 12) for key in keys])
        assert (mask.sum(1) == 12 - count).all() and (mask[:, 0] == 1).all()
        filled = linear.impute((), dataset.test, mask)
        # Squared distance per missing step, of each sequence.
        error = np.square(filled - dataset.test).sum(-1)
        each = 100 * (error * (mask == 0)).sum(1) / count
        np.testing.assert_allclose(
            curves.quartiles["Linear"][3, i], np.percentile(each, [25, 50, 75]), rtol=1e-4
        )
        total, number = metrics.step_change(jnp.asarray(dataset.test))
        np.testing.assert_allclose(
            curves.quartiles["Expert"][1, i],
            np.percentile(1e3 * total / number, [25, 50, 75]),
            rtol=1e-5,
        )


def test_counts_end_where_training_did():
    np.testing.assert_array_equal(robustness.sensible_counts(MASKS, 12, 4), [6, 7, 8, 9])
    assert robustness.sensible_counts(masks.MaskConfig("file", 0, 0), 12)[-1] == 10


def test_fewer_missing_steps_are_some_of_the_more():
    fewer, more = (np.asarray(masks.hide(jax.random.key(3), "random", n, 20)) for n in (5, 12))
    assert ((more == 1) <= (fewer == 1)).all()


@pytest.mark.parametrize("levels", [1, 3])
def test_frames_follow_the_schedule(levels):
    mask = np.zeros(12)
    mask[[0, 9]] = 1
    schedule = naomi_jax.make_schedule(mask, levels)
    frames = recursion.frames(schedule, mask)
    lines = [line for line in str(schedule).splitlines() if "g_" in line]
    assert len(frames) == len(lines) == 10
    known = {0, 9}
    for frame, line in zip(frames, lines):
        assert f"x_{frame.step} = g_{frame.level}(hf_{frame.left}, hb_{frame.right})" in line
        assert frame.known == tuple(sorted(known))
        known.add(frame.step)
    assert known == set(range(12))


def test_a_page_shows_the_tables_numbers(dataset, model, tmp_path):
    measured = page.Measured(
        tables.make_table([model], dataset, MASKS),
        figures.example([model], dataset, MASKS),
        robustness.curves([model], dataset, MASKS, np.array([4, 8])),
        False,
    )
    tail = masks.MaskConfig("tail", 5, 9)
    forecast = page.Measured(
        tables.make_table([model], dataset, tail),
        figures.example([model], dataset, tail),
        robustness.curves([model], dataset, tail, np.array([5, 9])),
        True,
    )
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
        recursion.of_models([model], measured.shown.known),
        ["python", "eval.py", "run & run"],
        ("NAOMI", drawn),
        forecast,
    )
    text = page.document(dataset.source, sections)
    for part in (measured, forecast):
        for _, *cells in list(part.table.cells())[1:]:
            for cell in cells:
                assert f"<td>{cell}</td>" in text
    assert "Forward prediction" in text and forecast.table.test_set in text
    assert (
        "SIMULATED" in text
        and "data:image/gif" in text
        and text.count("data:image/png") == text.count("data:image/svg+xml") == 6
    )
    assert "run &amp; run" in text
    crps = samples.crps(drawn.samples[0], drawn.truth, drawn.mask[0])
    assert f"<td>{crps:.4g}</td>" in text
    assert "http" not in text, "nothing is fetched"


def test_every_kind_of_data_is_drawn(tmp_path):
    rng = np.random.default_rng(0)
    for name, dim in (("basketball", 10), ("traffic", 5)):
        x = rng.uniform(-0.4, 0.4, (4, 12, dim)).astype(np.float32)
        data = Dataset(name, name, False, x, x, x)
        shown = figures.Example(x[0], np.arange(12) % 4 == 0, {"Linear": x[1], "NAOMI": x[2]})
        figures.style.save(figures.filled(data, shown), tmp_path / f"{name}.svg")
        drawn = samples.Distribution(
            np.array([3]), x[:1], np.arange(12)[None, None] % 4 == 0, x[None, :, None]
        )
        figures.style.save(figures.distribution(data, drawn), tmp_path / f"{name}_samples.svg")
        assert (tmp_path / f"{name}.svg").stat().st_size > 5000


def test_a_film_is_written_and_what_cannot_be_is_said(dataset, model, tmp_path, monkeypatch):
    shown = figures.example([model], dataset, MASKS)
    film = dataset, shown, *recursion.of_models([model], shown.known)
    figures.animation(*film, str(tmp_path / "film.gif"))
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.format == "GIF" and gif.n_frames == len(film[-1]) + 1
    monkeypatch.setattr(figures, "has_ffmpeg", lambda: False)
    with pytest.raises(InputError, match="needs ffmpeg installed; .gif needs nothing more"):
        figures.animation(*film, str(tmp_path / "film.mp4"))
    with pytest.raises(InputError, match="the film cannot be written"):
        figures.animation(*film, str(tmp_path / "nowhere/film.gif"))


def test_every_frame_of_the_film_is_a_tick_of_the_schedule(dataset, model):
    shown = figures.example([model], dataset, MASKS)
    title, frames = recursion.of_models([model], shown.known)
    figure, draw = figures._film(dataset, shown, title, frames)
    axis = figure.axes[0]
    *lines, left, right, here = axis.lines
    column = int(np.argmax(shown.truth.std(0)))
    for number, frame in enumerate(frames):
        draw(number)
        assert axis.get_title().startswith(f"level {frame.level}: step {frame.step} from")
        assert left.get_xdata()[0] == frame.left and right.get_xdata()[0] == frame.right
        np.testing.assert_array_equal(
            here.get_data(), [[frame.step], [shown.fills[title][frame.step, column]]]
        )
        squares = [x for line in lines if line.get_marker() == "s" for x in line.get_xdata()]
        observed = np.flatnonzero(shown.known).tolist()
        assert sorted(squares + observed) == list(frame.known)
    draw(len(frames))
    assert not here.get_visible() and axis.get_title() == f"{len(frames)} steps filled"
    figures.style.pyplot().close(figure)


def test_losses_below_zero_are_drawn_too():
    for losses, scale in (((3.0, 0.1), "log"), ((3.0, -0.5), "linear")):
        lines = [{"step": n, "loss": loss} for n, loss in enumerate(losses)]
        figure = figures.training({"run": [*lines, {"step": 1, "val_error": 0.2}]})
        assert figure.axes[0].get_yscale() == scale
        np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), losses)
        figures.style.pyplot().close(figure)


def test_only_a_recursion_is_filmed(model):
    other = model._replace(title="RNN")
    known = np.arange(12) % 4 == 0
    assert recursion.of_models([other], known) is None
    assert recursion.of_models([other, model], known)[0] == "NAOMI"
    assert recursion.of_models([model], np.ones(12, bool)) is None


def test_runs_on_one_page_share_their_data(tmp_path):
    def folder(name, task, **data):
        record = {"config": {"task": task, "masks": {}}, "data": data, "versions": {}}
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(record))
        return str(tmp_path / name)

    imputes, forecasts = folder("a", "impute"), folder("b", "forecast")
    assert report.by_task([forecasts, imputes]) == ([imputes], [forecasts])
    with pytest.raises(InputError, match="c: other data than .*a"):
        report.by_task([imputes, folder("c", "forecast", source="elsewhere")])


def test_without_matplotlib_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install 'naomi_jax\[plot\]'"):
        figures.style.pyplot()
