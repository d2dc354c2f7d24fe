"""Figures show each data set as it says, and each method as it says."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

from naomi_jax.data import drawing as shapes
from naomi_jax.data import metrics, registry
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import robustness, samples
from naomi_jax.figures import curves, drawing, picture, style
from naomi_jax.methods import registry as methods

SHOWN = np.arange(12) % 4 == 0


def make(name, dim, fills=("linear", "naomi")):
    """A data set of that kind, one of its sequences filled, and samples of it."""
    x = np.random.default_rng(0).uniform(-0.4, 0.4, (4, 12, dim)).astype(np.float32)
    example = drawing.Example(x[0], SHOWN, {name: x[i + 1] for i, name in enumerate(fills)})
    drawn = samples.Distribution(np.array([3]), x[:1], SHOWN[None, None], x[None, :, None])
    return Dataset(name, name, False, x, x, x), example, drawn


@pytest.mark.parametrize(
    "name,dim", [("basketball", 10), ("billiards", 2), ("traffic", 5), ("files", 3)]
)
def test_every_kind_of_data_is_drawn(tmp_path, name, dim):
    data, example, drawn = make(name, dim)
    style.save(drawing.filled(data, example), tmp_path / "filled.svg")
    style.save(drawing.distribution(data, drawn, "naomi"), tmp_path / "samples.svg")
    for file in ("filled.svg", "samples.svg"):
        assert (tmp_path / file).stat().st_size > 5000


@pytest.fixture
def register(monkeypatch):
    """Makes a data set known for one test."""
    registry.names()
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))

    def register(look):
        error = metrics.Metric("error", 1, metrics.missing_l2)
        kind = registry.DatasetKind("toy", lambda request: None, (error,), drawing=look)
        return registry.register(kind)

    return register


def test_a_new_data_set_in_a_plane_is_drawn_as_it_says(register, tmp_path):
    triangle = np.array([(0, 0), (2, 0), (1, 3), (0, 0)])
    register(
        shapes.Plane(
            unit="miles",
            outline=(shapes.Curve(triangle, "dotted", "green", 2.5),),
            limits=((-1, 3), (-2, 4)),
            to_drawing=lambda values: 10 * values,
        )
    )
    data, example, drawn = make("toy", 4, ("naomi", "single_res"))
    figure = drawing.filled(data, example)
    panels = [axis for axis in figure.axes if axis.get_title()]
    assert [axis.get_title() for axis in panels] == ["truth", "NAOMI", "SingleRes"]
    outline, first, second, *dots = panels[1].lines
    np.testing.assert_array_equal(outline.get_xydata(), triangle)
    assert (outline.get_linestyle(), outline.get_color()) == (":", "green")
    assert outline.get_linewidth() == 2.5
    np.testing.assert_allclose(first.get_xydata(), 10 * example.fills["naomi"][:, :2])
    np.testing.assert_allclose(second.get_xydata(), 10 * example.fills["naomi"][:, 2:])
    np.testing.assert_allclose(dots[1].get_xydata(), 10 * example.truth[SHOWN, 2:])
    assert panels[1].get_xlim() == (-1, 3) and panels[1].get_ylim() == (-2, 4)
    (panel,) = drawing.distribution(data, drawn, "single_res").axes
    blue = methods.get("single_res").color
    assert [line.get_color() for line in panel.lines] == ["green", *[blue] * 8, *["k"] * 4]
    style.save(figure, tmp_path / "plane.svg")


def test_a_new_data_set_against_time_is_drawn_as_it_says(register, tmp_path):
    time = shapes.TimeAxis("month", (np.array([0, 6]), ["January", "July"]))
    register(shapes.Series(label=lambda column, dim: f"tide {column} of {dim}", time=time))
    data, example, drawn = make("toy", 2)
    for figure in (drawing.filled(data, example), drawing.distribution(data, drawn, "naomi")):
        axis = figure.axes[-1]
        assert axis.get_xlabel() == "month"
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["January", "July"]
        np.testing.assert_array_equal(axis.get_xticks(), [0, 6])
    figure = drawing.filled(data, example)
    assert [axis.get_ylabel() for axis in figure.axes] == ["tide 0 of 2", "tide 1 of 2"]
    style.save(figure, tmp_path / "series.svg")


def test_methods_look_as_they_say():
    for method in methods.every():
        assert style.title(method.name) == method.title
        assert style.line(method.name) == {"color": method.color, "linestyle": method.dashes}
    assert style.title("expert") == "Expert"
    assert style.line("expert") == {"color": "0.35", "linestyle": (0, (1, 1))}
    assert (style.title("toy"), style.line("toy")["color"]) == ("toy", "k"), "known to nobody"


def test_curves_are_named_by_their_methods():
    quartiles = {
        name: np.array([[[1, 2, 3], [2, 3, 4]]]) * size
        for name, size in (("naomi", 1.0), ("toy", 100.0), ("expert", 1e-9))
    }
    figure = curves.robustness(robustness.Curves(np.array([4, 8]), ("error",), quartiles))
    (axis,) = figure.axes
    assert [line.get_label() for line in axis.lines] == ["NAOMI", "toy", "Expert"]
    assert [line.get_color() for line in axis.lines] == [methods.get("naomi").color, "k", "0.35"]
    assert axis.get_yscale() == "log"
    del quartiles["toy"]
    (axis,) = curves.robustness(robustness.Curves(np.array([4, 8]), ("e",), quartiles)).axes
    assert axis.get_yscale() == "linear", "the truth does not decide the scale"


def test_losses_below_zero_are_drawn_too():
    for losses, scale in (((3.0, 0.1), "log"), ((3.0, -0.5), "linear")):
        lines = [{"step": n, "loss": loss} for n, loss in enumerate(losses)]
        figure = curves.training({"run": [*lines, {"step": 1, "val_error": 0.2}]})
        assert figure.axes[0].get_yscale() == scale
        np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), losses)


def test_a_picture_of_a_model(dataset, model, hidden, tmp_path):
    picture.write(model, dataset, hidden, None, str(tmp_path / "filled.png"))
    assert (tmp_path / "filled.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="the figure cannot be written"):
        picture.write(model, dataset, hidden, None, str(tmp_path / "nowhere/filled.png"))
    with pytest.raises(InputError, match="the figure cannot be written"):
        picture.write(model, dataset, hidden, None, str(tmp_path / "filled.word"))
    picture.write(model, dataset, hidden, None, str(tmp_path / "filled.gif"))
    assert (tmp_path / "filled.gif").read_bytes().startswith(b"GIF")
    other = model._replace(method=dataclasses.replace(model.method, title="Toy", frames=None))
    with pytest.raises(InputError, match="Toy fills left to right, there is no recursion"):
        picture.write(other, dataset, hidden, None, str(tmp_path / "filled.gif"))


def test_without_matplotlib_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install 'naomi_jax\[plot\]'"):
        style.subplots(1, 1, (1, 1))


# Draws one of everything in a process that uses matplotlib for something else.
_SCRIPT = """
import sys
import matplotlib
import numpy as np

matplotlib.rcParams["svg.fonttype"] = "path"
matplotlib.rcParams["axes.titlesize"] = 31
before = matplotlib.get_backend(), dict(matplotlib.rcParams)

from naomi_jax.data.dataset import Dataset
from naomi_jax.figures import curves, drawing, film, style
from naomi_jax.methods.method import Frame

x = np.random.default_rng(0).uniform(-0.4, 0.4, (2, 5, 2)).astype(np.float32)
data = Dataset("billiards", "toy", True, x, x, x)
example = drawing.Example(x[0], np.arange(5) != 2, {"naomi": x[1]})
figure = drawing.filled(data, example)
style.save(figure, sys.argv[1] + "/figure.svg")
style.inline(figure)
style.inline(curves.training({"run": [{"step": 1, "loss": 1.0, "val_error": 1.0}]}))
film.write(data, example, "naomi", [Frame(2, 0, 1, 3, (0, 1, 3, 4))], sys.argv[1] + "/film.gif")

assert "matplotlib.pyplot" not in sys.modules, "pyplot keeps a figure and a backend of the process"
after = matplotlib.get_backend(), dict(matplotlib.rcParams)
assert after == before, [k for k in before[1] if before[1][k] != after[1][k]]
"""


def test_the_process_keeps_its_backend_and_settings(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "svg"},
    )
    assert done.returncode == 0, done.stderr
    assert "<text" in (tmp_path / "figure.svg").read_text(), "its letters stay letters"
