"""Figures of sequences, to be saved or shown. They need matplotlib (extra `plot`)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from naomi_jax.data import masks
from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.drawing import Plane, TimeAxis
from naomi_jax.evaluation import tables
from naomi_jax.evaluation.samples import Distribution
from naomi_jax.figures import style
from naomi_jax.methods.fitted import Fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Example(NamedTuple):
    """One test sequence, filled.

    Attributes:
      truth: (T, D).
      shown: (T,) bool, steps that the methods see.
      fills: (T, D) for each method's name.
    """

    truth: np.ndarray
    shown: np.ndarray
    fills: dict[str, np.ndarray]

    @property
    def column(self) -> int:
        """The column that varies most."""
        return int(np.argmax(self.truth.std(0)))


def fill_example(
    models: Sequence[Fitted],
    dataset: Dataset,
    mask_config: masks.MaskConfig,
    given=None,
    row: int = 0,
) -> Example:
    """Sequence `row` of the test set, filled by linear interpolation and by each of the models.

    Args:
      models: trained; of several with one method the first is used.
      dataset: their data.
      mask_config: how to hide steps.
      given: (M, T) masks of a mask file, or None.
      row: which sequence, and the seed of its mask.
    """
    key = jax.random.key(row)
    x = dataset.test[row : row + 1]
    mask = masks.draw_many(key, mask_config, 1, dataset.steps, given)
    fills = {name: fill[0] for name, fill in tables.fills(models, x, mask, key).items()}
    return Example(x[0], np.asarray(mask)[0] != 0, fills)


def filled(dataset: Dataset, example: Example) -> "Figure":
    """An Example as its data are best seen: in their plane, or against time."""
    drawing = datasets.get(dataset.name).drawing
    draw = _planes if isinstance(drawing, Plane) else _series
    return draw(dataset, example, drawing)


def _heading(dataset, shown):
    return f"{dataset.source}: {(~shown).sum()} of {len(shown)} steps missing"


def _series(dataset, example, drawing):
    """Up to three columns with the largest variation, one below the other."""
    columns = np.argsort(-example.truth.std(0), kind="stable")
    columns = np.sort(columns[:: max(len(columns) // 3, 1)][:3])
    size = 8, 1.8 * len(columns) + 0.6
    figure, axes = style.subplots(len(columns), 1, size, sharex=True)
    for axis, column in zip(axes[:, 0], columns):
        axis.plot(example.truth[:, column], color=style.TRUTH, lw=3, label="truth")
        for name, fill in example.fills.items():
            axis.plot(fill[:, column], **style.line(name), lw=1.3, label=style.title(name))
        at = np.flatnonzero(example.shown)
        axis.plot(at, example.truth[at, column], "ko", ms=4, label="shown")
        axis.set_ylabel(drawing.label(int(column), dataset.dim))
        axis.spines[["top", "right"]].set_visible(False)
    draw_time(axes[-1, 0], drawing.time)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), ncols=6, loc="outside lower center")
    figure.suptitle(_heading(dataset, example.shown), fontsize=10)
    return figure


def draw_time(axis: "Axes", time: TimeAxis) -> None:
    """The axis along a sequence."""
    if time.ticks is not None:
        axis.set_xticks(*time.ticks)
    axis.set_xlabel(time.label)


def _planes(dataset, example, plane):
    """The truth and each method in a panel of its own, drawn to scale."""
    panels = [("truth", example.truth, {"color": style.TRUTH})]
    for name, fill in example.fills.items():
        panels.append((style.title(name), fill, style.line(name)))
    down, across = style.grid(len(panels))
    figure, axes = style.subplots(down, across, (2.9 * across, 3.2 * down + 0.4))
    dots = plane.to_drawing(example.truth)[example.shown]
    for axis, (title, values, look) in zip(axes.flat, panels):
        _draw_surroundings(axis, plane)
        _draw_paths(axis, plane.to_drawing(values), **look, lw=1.2)
        _draw_paths(axis, dots, "ko", ms=3)
        axis.set_title(title, fontsize=10)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    figure.suptitle(f"{_heading(dataset, example.shown)} (dots: shown)", fontsize=9)
    return figure


def _draw_paths(axis, x, *marker, **look):
    """A path for each pair of columns of x (T, D)."""
    for first in range(0, x.shape[1], 2):
        axis.plot(*x[:, first : first + 2].T, *marker, **look)


def _draw_surroundings(axis, plane):
    for curve in plane.outline:
        axis.plot(*curve.points.T, color=curve.color, lw=curve.width, linestyle=curve.line)
    xlim, ylim = plane.limits
    axis.set(xlim=xlim, ylim=ylim)
    axis.set_aspect("equal")
    axis.set_axis_off()


def distribution(dataset: Dataset, drawn: Distribution, name: str, row: int = 0) -> "Figure":
    """All samples of one sequence over each other, a panel for each number of shown steps.

    Args:
      dataset: the data.
      drawn: the samples.
      name: of the method that they are from.
      row: which sequence.
    """
    count = len(drawn.shown)
    figure, axes = style.subplots(1, count, (3.2 * count, 3.4))
    look = {"color": style.line(name)["color"], "lw": 0.5, "alpha": 0.15, "rasterized": True}
    how = datasets.get(dataset.name).drawing
    draw = _sampled_plane if isinstance(how, Plane) else _sampled_series
    for axis, steps, mask, values in zip(axes[0], drawn.shown, drawn.mask, drawn.samples):
        draw(axis, how, drawn.truth[row], mask[row] != 0, values[:, row], look)
        axis.set_title(f"{steps} steps shown", fontsize=10)
    return figure


def _sampled_plane(axis, plane, truth, shown, samples, look):
    _draw_surroundings(axis, plane)
    for sample in samples:
        _draw_paths(axis, plane.to_drawing(sample), **look)
    truth = plane.to_drawing(truth)
    _draw_paths(axis, truth, "k-", lw=1)
    _draw_paths(axis, truth[shown], "ko", ms=3)


def _sampled_series(axis, series, truth, shown, samples, look):
    column = int(np.argmax(truth.std(0)))
    axis.plot(samples[:, :, column].T, **look)
    axis.plot(truth[:, column], "k-", lw=1)
    axis.plot(np.flatnonzero(shown), truth[shown, column], "ko", ms=3)
    draw_time(axis, series.time)
