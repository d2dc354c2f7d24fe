"""Figures of runs. They need matplotlib (extra `plot`); each function returns one to be saved or shown."""

import contextlib
import os
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from naomi_jax.data import basketball, billiards, masks, traffic
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import tables
from naomi_jax.evaluation.recursion import Frame
from naomi_jax.evaluation.robustness import Curves
from naomi_jax.evaluation.samples import Distribution
from naomi_jax.evaluation.tables import Fitted
from naomi_jax.figures import style


class Example(NamedTuple):
    """One test sequence, filled.

    Attributes:
      truth: (T, D).
      known: (T,) bool, observed steps.
      fills: (T, D) for each model's title.
    """

    truth: np.ndarray
    known: np.ndarray
    fills: dict[str, np.ndarray]


def example(
    models: Sequence[Fitted],
    dataset: Dataset,
    mask_config: masks.MaskConfig,
    given=None,
    row: int = 0,
) -> Example:
    """Sequence `row` of the test set, filled by Linear and by each of the models.

    Args:
      models: trained; of several with one title the first is used.
      dataset: their data.
      mask_config: how to hide steps.
      given: (M, T) masks of a mask file, or None.
      row: which sequence, and the seed of its mask.
    """
    key = jax.random.key(row)
    x = dataset.test[row : row + 1]
    mask = masks.draw_many(key, mask_config, 1, dataset.steps, given)
    fills = {title: fill[0] for title, fill in tables.fills(models, x, mask, key).items()}
    return Example(x[0], np.asarray(mask[0]) != 0, fills)


def filled(dataset: Dataset, shown: Example):
    """An Example as its data are best seen: on a court, in the box, or against time."""
    draw = _planes if dataset.name in _PLANES else _series
    return draw(dataset, shown)


def _title(dataset, known):
    return f"{dataset.source}: {(~known).sum()} of {len(known)} steps missing"


def _series(dataset, shown):
    """Up to three columns with the largest variation, one below the other."""
    columns = np.argsort(-shown.truth.std(0), kind="stable")
    columns = np.sort(columns[:: max(len(columns) // 3, 1)][:3])
    figure, axes = style.pyplot().subplots(
        len(columns),
        1,
        figsize=(8, 1.8 * len(columns) + 0.6),
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, column in zip(axes[:, 0], columns):
        axis.plot(shown.truth[:, column], color=style.TRUTH, lw=3, label="truth")
        for title, fill in shown.fills.items():
            axis.plot(fill[:, column], **style.line(title), lw=1.3, label=title)
        at = np.flatnonzero(shown.known)
        axis.plot(at, shown.truth[at, column], "ko", ms=4, label="observed")
        axis.set_ylabel(_label(dataset, column))
        axis.spines[["top", "right"]].set_visible(False)
    _time_axis(axes[-1, 0], dataset)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), ncols=6, loc="outside lower center")
    figure.suptitle(_title(dataset, shown.known), fontsize=10)
    return figure


def _label(dataset, column):
    if dataset.name == "traffic":
        return f"sensor {column + 1}\n[occupancy, 0-1]"
    if dataset.name in _PLANES:
        return f"{'xy'[column % 2]}{column // 2 + 1 if dataset.dim > 2 else ''} [{_UNITS[dataset.name]}]"
    return f"column {column + 1}"


def _time_axis(axis, dataset):
    """Steps, or the time of day where a sequence is a day."""
    if dataset.name != "traffic":
        axis.set_xlabel("time step")
        return
    hours = np.arange(0, 25, 4)
    axis.set_xticks(hours * traffic.STEPS / 24, [f"{hour:02d}:00" for hour in hours])
    axis.set_xlabel("time of day")


def _planes(dataset, shown):
    """The truth and each model in a panel of its own, drawn to scale."""
    panels = {"truth": shown.truth, **shown.fills}
    across = _across(len(panels))
    down = -(-len(panels) // across)
    figure, axes = style.pyplot().subplots(
        down,
        across,
        figsize=(2.9 * across, 3.2 * down + 0.4),
        squeeze=False,
        layout="constrained",
    )
    surroundings, units = _PLANES[dataset.name]
    observed = units(shown.truth)[shown.known]
    for axis, (title, values) in zip(axes.flat, panels.items()):
        surroundings(axis)
        look = style.line(title) if title in shown.fills else {"color": style.TRUTH}
        _paths(axis, units(values), **look, lw=1.2)
        _paths(axis, observed, "ko", ms=3)
        axis.set_title(title, fontsize=10)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    figure.suptitle(f"{_title(dataset, shown.known)} (dots: observed)", fontsize=9)
    return figure


def _across(panels):
    """Three panels in a row at most, and no panel alone in a row of its own."""
    return 2 if panels in (2, 4) else min(panels, 3)


def _paths(axis, x, *marker, **look):
    """A path for each pair of columns of x (T, D)."""
    for first in range(0, x.shape[1], 2):
        axis.plot(*x[:, first : first + 2].T, *marker, **look)


def _to_scale(axis, xlim, ylim):
    axis.set(xlim=xlim, ylim=ylim)
    axis.set_aspect("equal")
    axis.set_axis_off()


def _box(axis):
    """The box, and dashed where the centre of the ball turns."""
    from matplotlib.patches import Rectangle

    for wall, dashes in ((1, "-"), (billiards.WALL, ":")):
        corner = (-wall, -wall)
        axis.add_patch(Rectangle(corner, 2 * wall, 2 * wall, fill=False, lw=1, ls=dashes))
    _to_scale(axis, (-1.05, 1.05), (-1.05, 1.05))


def _court(axis):
    """The left half of an NBA court, in feet (NBA rule 1)."""
    from matplotlib.patches import Arc, Circle, Rectangle

    look = {"fill": False, "lw": 0.8, "ec": "0.5"}
    length, width = basketball.COURT
    hoop = (5.25, width / 2)
    axis.add_patch(Rectangle((0, 0), length / 2, width, **look))
    axis.add_patch(Rectangle((0, width / 2 - 8), 19, 16, **look))
    axis.add_patch(Circle((19, width / 2), 6, **look))
    axis.add_patch(Circle(hoop, 0.75, **look))
    angle = np.degrees(np.arcsin(22 / 23.75))
    axis.add_patch(Arc(hoop, 47.5, 47.5, theta1=-angle, theta2=angle, lw=0.8, ec="0.5"))
    for y in (3, width - 3):
        axis.plot([0, 14], [y, y], color="0.5", lw=0.8)
    _to_scale(axis, (-4, length / 2 + 2), (-3, width + 3))


_UNITS = {"basketball": "of the court", "billiards": "half widths of the box"}
# Data in a plane: what is around them, and from the data's units to those of the drawing.
_PLANES = {"basketball": (_court, basketball.to_feet), "billiards": (_box, lambda x: x)}


def distribution(dataset: Dataset, drawn: Distribution, row: int = 0):
    """50 samples of one sequence over each other, a panel for each number of observed steps."""
    count = len(drawn.observed)
    surroundings, units = _PLANES.get(dataset.name, (None, lambda x: x))
    figure, axes = style.pyplot().subplots(
        1, count, figsize=(3.2 * count, 3.4), squeeze=False, layout="constrained"
    )
    truth, look = units(drawn.truth[row]), style.line("NAOMI")["color"]
    for axis, observed, mask, values in zip(axes[0], drawn.observed, drawn.mask, drawn.samples):
        known = mask[row] != 0
        if surroundings:
            surroundings(axis)
            for sample in values[:, row]:
                _paths(axis, units(sample), color=look, lw=0.5, alpha=0.15, rasterized=True)
            _paths(axis, truth, "k-", lw=1)
            _paths(axis, truth[known], "ko", ms=3)
        else:
            column = int(np.argmax(truth.std(0)))
            axis.plot(values[:, row, :, column].T, color=look, lw=0.5, alpha=0.15, rasterized=True)
            axis.plot(truth[:, column], "k-", lw=1)
            axis.plot(np.flatnonzero(known), truth[known, column], "ko", ms=3)
            _time_axis(axis, dataset)
        axis.set_title(f"{observed} steps observed", fontsize=10)
    return figure


def robustness(curves: Curves):
    """Every metric against the number of missing steps: medians, and the middle half of the sequences."""
    columns = len(curves.columns)
    across = _across(columns)
    down = -(-columns // across)
    figure, axes = style.pyplot().subplots(
        down,
        across,
        figsize=(3.4 * across + 0.6, 2.8 * down + 0.7),
        squeeze=False,
        layout="constrained",
    )
    for i, (axis, name) in enumerate(zip(axes.flat, curves.columns)):
        for title, quartiles in curves.quartiles.items():
            low, middle, high = quartiles[i].T
            look = style.line(title)
            axis.plot(curves.counts, middle, **look, lw=1.6, label=title)
            axis.fill_between(curves.counts, low, high, color=look["color"], alpha=0.13, lw=0)
        medians = [q[i, :, 1] for title, q in curves.quartiles.items() if title != "Expert"]
        axis.set(xlabel="missing steps", ylabel=name)
        if np.nanmin(medians) > 0 and np.nanmax(medians) > 30 * np.nanmin(medians):
            axis.set_yscale("log")
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[columns:]:
        axis.set_axis_off()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), ncols=6, loc="outside lower center")
    return figure


def training(records: dict[str, list[dict]]):
    """Validation error and training loss against updates, a line for each run.

    Args:
      records: for each run's name, the lines of its metrics.jsonl.
    """
    figure, axes = style.pyplot().subplots(1, 2, figsize=(8, 3), layout="constrained")
    for (name, lines), dash in zip(records.items(), ("-", "--", "-.", ":") * len(records)):
        for axis, field in zip(axes, ("loss", "val_error")):
            points = [(r["step"], r[field]) for r in lines if field in r]
            axis.plot(*zip(*points) if points else ((), ()), dash, lw=1.2, label=name)
    positive = all(
        line["loss"] > 0 for lines in records.values() for line in lines if "loss" in line
    )
    # A likelihood's loss may be negative; at 0 the generator waits.
    scale = "log" if positive else "linear"
    axes[0].set(xlabel="updates", ylabel="training loss", yscale=scale)
    axes[1].set(xlabel="updates", ylabel="validation error", yscale="log")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=2, loc="outside lower center")
    return figure


FILMS = (".gif", ".mp4")


def animation(
    dataset: Dataset, shown: Example, title: str, frames: list[Frame], *paths: str
) -> None:
    """A film of the sequence being filled, a frame for each decoded step; the column that varies most.

    Args:
      dataset: the data.
      shown: the sequence.
      title: whose filling.
      frames: from recursion.frames.
      paths: the film is written to each: .gif, or .mp4 where ffmpeg is installed.

    Raises:
      InputError: it cannot be written.
    """
    figure, draw = _film(dataset, shown, title, frames)
    rate = int(np.clip(len(frames) / _SECONDS, 4, 25))
    writers = [_writer(path, rate) for path in paths]
    try:
        with contextlib.ExitStack() as open_files:
            for writer, path in zip(writers, paths):
                open_files.enter_context(writer.saving(figure, path, dpi=100))
            for number in [*range(len(frames)), *[len(frames)] * 2 * rate]:  # the end stays on
                draw(number)
                for writer in writers:
                    writer.grab_frame()
    except (OSError, ValueError) as error:
        raise InputError(f"{', '.join(paths)}: the film cannot be written ({error})") from error
    finally:
        style.pyplot().close(figure)


_SECONDS = 20  # a long recursion's film


def _film(dataset, shown, title, frames):
    """The figure of a film, and draw(number) that shows in it what is known before frame `number`."""
    pyplot = style.pyplot()
    column = int(np.argmax(shown.truth.std(0)))
    truth, filled = shown.truth[:, column], shown.fills[title][:, column]
    levels = max(frame.level for frame in frames) + 1
    colours = pyplot.get_cmap("plasma")(np.linspace(0.1, 0.85, levels))
    figure, axis = pyplot.subplots(figsize=(6.4, 2.9), layout="constrained")
    axis.plot(truth, color=style.TRUTH, lw=2)
    observed = list(frames[0].known)
    axis.plot(observed, truth[observed], "ko", ms=4)
    axis.plot(filled, alpha=0)  # room for all that comes
    done = [axis.plot([], [], "s", ms=3.5, color=colour)[0] for colour in colours]
    pivots = [axis.axvline(0, lw=1, ls="--") for _ in range(2)]
    (here,) = axis.plot([], [], "D", ms=7)
    heading = axis.set_title("level, step", fontsize=9)
    axis.set(xlim=(-1.5, len(truth) + 0.5), ylabel=_label(dataset, column))
    _time_axis(axis, dataset)
    figure.canvas.draw()
    figure.set_layout_engine("none")  # found once; for each frame it would take most of the time

    def draw(number):
        for level, line in enumerate(done):
            steps = [frame.step for frame in frames[:number] if frame.level == level]
            line.set_data(steps, filled[steps])
        if number == len(frames):
            for artist in (*pivots, here):
                artist.set_visible(False)
            heading.set_text(f"{number} steps filled")
            return
        frame = frames[number]
        for line, pivot in zip(pivots, (frame.left, frame.right)):
            line.set(xdata=[pivot, pivot], color=colours[frame.level])
        here.set(data=([frame.step], [filled[frame.step]]), color=colours[frame.level])
        heading.set_text(
            f"level {frame.level}: step {frame.step} from steps {frame.left} and {frame.right}"
        )

    return figure, draw


def has_ffmpeg() -> bool:
    """Whether films can be written as .mp4."""
    style.pyplot()
    from matplotlib.animation import FFMpegWriter

    return FFMpegWriter.isAvailable()


def _writer(path, rate):
    from matplotlib.animation import FFMpegWriter, PillowWriter

    if os.fspath(path).endswith(".mp4"):
        if not has_ffmpeg():
            raise InputError(f"{path}: .mp4 needs ffmpeg installed; .gif needs nothing more")
        return FFMpegWriter(fps=rate, codec="h264", extra_args=["-pix_fmt", "yuv420p"])
    return PillowWriter(fps=rate)
