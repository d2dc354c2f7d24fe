"""Films follow the schedule."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

import naomi_jax
from naomi_jax.errors import InputError
from naomi_jax.figures import drawing, film
from naomi_jax.methods import naomi


@pytest.fixture(scope="module")
def example(dataset, model, hidden):
    return drawing.fill_example([model], dataset, hidden)


@pytest.mark.parametrize("levels", [1, 3])
def test_frames_follow_the_schedule(levels):
    mask = np.zeros(12)
    mask[[0, 9]] = 1
    schedule = naomi_jax.make_schedule(mask, levels)
    frames = naomi.frames_of(schedule, mask)
    lines = [line for line in str(schedule).splitlines() if "g_" in line]
    assert len(frames) == len(lines) == 10
    known = {0, 9}
    for frame, line in zip(frames, lines):
        assert f"x_{frame.step} = g_{frame.level}(hf_{frame.left}, hb_{frame.right})" in line
        assert frame.known == tuple(sorted(known))
        known.add(frame.step)
    assert known == set(range(12))


def test_a_film_is_written_and_what_cannot_be_is_said(
    dataset, model, example, tmp_path, monkeypatch
):
    name, frames = film.recursion([model], example.shown)
    film.write(dataset, example, name, frames, str(tmp_path / "film.gif"))
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.format == "GIF" and gif.n_frames == len(frames) + 1
    monkeypatch.setattr(film, "has_ffmpeg", lambda: False)
    with pytest.raises(InputError, match="needs ffmpeg installed; .gif needs nothing more"):
        film.write(dataset, example, name, frames, str(tmp_path / "film.mp4"))
    with pytest.raises(InputError, match="the film cannot be written"):
        film.write(dataset, example, name, frames, str(tmp_path / "nowhere/film.gif"))


def test_every_frame_of_the_film_is_a_tick_of_the_schedule(dataset, model, example):
    name, frames = film.recursion([model], example.shown)
    figure, draw = film._film(dataset, example, name, frames)
    axis = figure.axes[0]
    *lines, left, right, here = axis.lines
    column = int(np.argmax(example.truth.std(0)))
    for number, frame in enumerate(frames):
        draw(number)
        assert axis.get_title().startswith(f"level {frame.level}: step {frame.step} from")
        assert left.get_xdata()[0] == frame.left and right.get_xdata()[0] == frame.right
        np.testing.assert_array_equal(
            here.get_data(), [[frame.step], [example.fills[name][frame.step, column]]]
        )
        squares = [x for line in lines if line.get_marker() == "s" for x in line.get_xdata()]
        shown = np.flatnonzero(example.shown).tolist()
        assert sorted(squares + shown) == list(frame.known)
    draw(len(frames))
    assert not here.get_visible() and axis.get_title() == f"{len(frames)} steps filled"


def test_only_a_recursion_is_filmed(model):
    other = model._replace(method=dataclasses.replace(model.method, name="toy", frames=None))
    known = np.arange(12) % 4 == 0
    assert film.recursion([other], known) is None
    assert film.recursion([other, model], known)[0] == "naomi"
    assert film.recursion([model], np.ones(12, bool)) is None
