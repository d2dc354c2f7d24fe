"""Figures of a run. They need matplotlib (extra `plot`)."""

import os

import jax
import numpy as np

from naomi_jax import bulk
from naomi_jax.baselines import linear
from naomi_jax.data import masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation.tables import Fitted

_COLOURS = {"truth": "0.65", "Linear": "#30638e"}
_MODEL = "#d1495b"


def filled_sequence(
    model: Fitted, dataset: Dataset, mask_config: masks.MaskConfig, path, given=None, row: int = 0
) -> None:
    """Draw one test sequence: the truth, the observed steps, the model's and the linear filling.

    Up to three columns with the largest variation, one below the other.

    Args:
      model: a trained model.
      dataset: its data; sequence `row` of the test set is drawn.
      mask_config: how to hide steps.
      path: .png, .svg or .pdf.
      given: (M, T) masks of a mask file, or None.

    Raises:
      InputError: matplotlib is missing, or the file cannot be written.
    """
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        raise InputError("figures need matplotlib: pip install 'naomi_jax[plot]'") from None
    key = jax.random.key(row)
    x = dataset.test[row : row + 1]
    mask = masks.draw_many(key, mask_config, 1, dataset.steps, given)
    fills = {
        "Linear": np.asarray(linear.impute((), x, mask))[0],
        model.title: bulk.impute_all(model.params, model.scaler, x, mask, key, impute=model.impute)[
            0
        ],
    }
    known = np.asarray(mask[0]) != 0
    columns = np.argsort(-x[0].std(0), kind="stable")
    columns = np.sort(columns[:: max(len(columns) // 3, 1)][:3])
    figure, axes = pyplot.subplots(
        len(columns), 1, figsize=(8, 1.8 * len(columns) + 0.6), sharex=True, squeeze=False
    )
    for axis, column in zip(axes[:, 0], columns):
        axis.plot(x[0, :, column], color=_COLOURS["truth"], lw=3, label="truth")
        for name, style in (("Linear", "--"), (model.title, "-")):
            axis.plot(
                fills[name][:, column], style, color=_COLOURS.get(name, _MODEL), lw=1.3, label=name
            )
        axis.plot(np.flatnonzero(known), x[0, known, column], "ko", ms=4, label="observed")
        axis.set_ylabel(f"column {column + 1}")
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel("time step")
    axes[0, 0].legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    figure.suptitle(
        f"{dataset.source}: {(~known).sum()} of {len(known)} steps missing", fontsize=10
    )
    figure.tight_layout()
    try:
        figure.savefig(os.fspath(path), dpi=120)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the figure cannot be written ({error})") from error
    finally:
        pyplot.close(figure)
