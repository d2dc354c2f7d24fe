"""The figures of docs/design.md, from the library itself: python docs/draw.py (extra `plot`)."""

import pathlib

import numpy as np
from matplotlib import ticker

import naomi_jax
from naomi_jax.figures import style
from naomi_jax.methods import naomi
from naomi_jax.parallel import levels

MASK = np.isin(np.arange(21), [0, 16, 20])  # a gap of 15 steps and one of 3
COLORS = ["#f4a259", "#c8553d", "#7a3b69", "#2d3a6b", "#14213d"]  # of the levels, fine to coarse
FOLDER = pathlib.Path(__file__).parent / "figures"


def recursion():
    """The paper's order: a row for each decoded step, with the two pivots it is decoded from."""
    frames = naomi.frames_of(naomi_jax.make_schedule(MASK, levels=4), MASK)
    figure, axis = _axes(len(frames), "decoded steps, in their order")
    for row, frame in enumerate(frames):
        color = COLORS[frame.level]
        axis.plot([frame.left, frame.right], [row, row], color=color, lw=1, zorder=1)
        axis.plot(frame.known, [row] * len(frame.known), "o", color="0.75", ms=5, zorder=2)
        pivots = [step for step in (frame.left, frame.right) if 0 <= step < len(MASK)]
        axis.plot(pivots, [row] * len(pivots), "o", color="k", ms=5, zorder=3)
        axis.plot(frame.step, row, "o", color=color, ms=8, zorder=4)
    _finish(figure, axis, {frame.level for frame in frames}, "recursion.png")


def passes():
    """The level-parallel order: a row for each pass, from above."""
    index = np.asarray(levels.levels(MASK))
    numbers = sorted(set(index[index >= 0].tolist()), reverse=True)
    figure, axis = _axes(len(numbers), "pass")
    for row, level in enumerate(numbers):
        known = np.flatnonzero((index < 0) | (index > level))
        new = np.flatnonzero(index == level)
        axis.plot(known, [row] * len(known), "o", color="k", ms=5)
        axis.plot(new, [row] * len(new), "o", color=COLORS[level], ms=8)
    _finish(figure, axis, set(numbers), "passes.png")


def _axes(rows, name):
    figure, axes = style.subplots(1, 1, (7.5, 1.3 + 0.2 * rows))
    axis = axes[0, 0]
    axis.set(xlabel="step t", ylabel=name, xlim=(-0.7, len(MASK) - 0.3), ylim=(rows - 0.3, -0.7))
    axis.xaxis.set_major_locator(ticker.MultipleLocator(4))
    axis.set_yticks([])
    axis.spines[["top", "right"]].set_visible(False)
    return figure, axis


def _finish(figure, axis, shown, name):
    for level in sorted(shown, reverse=True):
        axis.plot([], [], "o", color=COLORS[level], ms=8, label=f"level {level}")
    figure.legend(loc="outside upper left", ncols=6, fontsize=9, frameon=False)
    FOLDER.mkdir(exist_ok=True)
    style.save(figure, FOLDER / name)


if __name__ == "__main__":
    recursion()
    passes()
