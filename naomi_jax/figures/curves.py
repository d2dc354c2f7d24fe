"""Figures of numbers: metrics against how much is missing, and a training's progress."""

from typing import TYPE_CHECKING

import numpy as np

from naomi_jax.data.registry import EXPERT
from naomi_jax.evaluation import scores
from naomi_jax.evaluation.robustness import Curves
from naomi_jax.evaluation.samples import Distribution
from naomi_jax.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def robustness(curves: Curves) -> "Figure":
    """Every metric against the number of missing steps: medians, and bands of the middle half."""
    down, across = style.grid(len(curves.columns))
    figure, axes = style.subplots(down, across, (3.4 * across + 0.6, 2.8 * down + 0.7))
    for i, (axis, column) in enumerate(zip(axes.flat, curves.columns)):
        for name, quartiles in curves.quartiles.items():
            low, middle, high = quartiles[i].T
            look = style.line(name)
            axis.plot(curves.counts, middle, **look, lw=1.6, label=style.title(name))
            axis.fill_between(curves.counts, low, high, color=look["color"], alpha=0.13, lw=0)
        axis.set(xlabel="missing steps", ylabel=column)
        medians = [q[i, :, 1] for name, q in curves.quartiles.items() if name != EXPERT]
        if np.nanmin(medians) > 0 and np.nanmax(medians) > 30 * np.nanmin(medians):
            axis.set_yscale("log")
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[len(curves.columns) :]:
        axis.set_axis_off()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), ncols=6, loc="outside lower center")
    return figure


def ranks(drawn: Distribution, name: str) -> "Figure":
    """Histograms of where the truth stands among its samples, one for each number of shown steps.

    Args:
      drawn: the samples.
      name: of the method that they are from.
    """
    count = len(drawn.shown)
    figure, axes = style.subplots(1, count, (3.2 * count, 2.2), sharey=True)
    for axis, steps, mask, values in zip(axes[0], drawn.shown, drawn.mask, drawn.samples):
        shares = scores.pit(values, drawn.truth, mask)
        middles = (np.arange(len(shares)) + 0.5) / len(shares)
        axis.bar(middles, shares, 0.9 / len(shares), color=style.line(name)["color"])
        axis.axhline(1 / len(shares), color="0.5", lw=1)
        axis.set_title(f"{steps} steps shown", fontsize=10)
        axis.set(xlabel="rank of the truth", xlim=(0, 1))
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel("share of entries")
    return figure


def training(records: dict[str, list[dict]]) -> "Figure":
    """Validation error and training loss against updates, a line for each run.

    Args:
      records: for each run's name, the lines of its metrics.jsonl.
    """
    figure, axes = style.subplots(1, 2, (8, 3))
    loss, error = axes[0]
    for (name, lines), dash in zip(records.items(), ("-", "--", "-.", ":") * len(records)):
        for axis, field in ((loss, "loss"), (error, "val_error")):
            points = [(record["step"], record[field]) for record in lines if field in record]
            axis.plot(*zip(*points) if points else ((), ()), dash, lw=1.2, label=name)
    losses = [line["loss"] for lines in records.values() for line in lines if "loss" in line]
    # A likelihood's loss may be negative; at 0 the generator waits.
    scale = "log" if all(value > 0 for value in losses) else "linear"
    loss.set(xlabel="updates", ylabel="training loss", yscale=scale)
    error.set(xlabel="updates", ylabel="validation error", yscale="log")
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(*loss.get_legend_handles_labels(), ncols=2, loc="outside lower center")
    return figure
