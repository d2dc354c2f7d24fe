"""Samples of what a stochastic model has learned (Figure 9); `scores` judges them."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from naomi_jax.data import masks, metrics
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.metrics import Metric
from naomi_jax.errors import InputError
from naomi_jax.evaluation import scores
from naomi_jax.methods.fitted import Fitted
from naomi_jax.training.settings import Run

SAMPLES = 50
_SEED = 2021


class Distribution(NamedTuple):
    """Samples of the same sequences for several numbers of shown steps.

    Attributes:
      shown: numbers of shown steps.
      truth: the sequences.
      mask: 1 = shown; more shown steps contain the fewer.
      samples: S of each.
    """

    shown: Int[np.ndarray, " C"]
    truth: Float[np.ndarray, "B T D"]
    mask: Float[np.ndarray, "C B T"]
    samples: Float[np.ndarray, "C S B T D"]


def sensible_shown(config: masks.MaskConfig, steps: int) -> Int[np.ndarray, " C"]:
    """Three numbers of shown steps, up to the most that test masks show."""
    most = steps - config.low if config.kind != "file" else steps // 2
    return np.unique(np.linspace(1, max(most, 3), 4).round().astype(int))[1:]


def draw(
    model: Fitted,
    dataset: Dataset,
    shown: Int[np.ndarray, " C"],
    kind: str = "random",
    samples: int = SAMPLES,
    sequences: int = 32,
) -> Distribution:
    """Samples of test sequences for each number of shown steps.

    Args:
      model: stochastic.
      dataset: its data.
      shown: numbers of shown steps, 1 to T - 1 each.
      kind: of the masks, as in `masks.hide`.
      samples: S.
      sequences: of the test set, the first so many.
    """
    x = dataset.test[:sequences]
    key, shown = jax.random.key(_SEED), np.asarray(shown)
    counts = dataset.steps - shown
    mask = np.asarray(masks.hide_many(key, kind, counts, len(x), dataset.steps))
    drawn = [model.fill(x, here, key, samples) for here in mask]
    return Distribution(shown, x, mask, np.stack(drawn))


def judge(drawn: Distribution, columns: Sequence[Metric]) -> tuple[list[str], list[list[str]]]:
    """A table's head and rows: what `scores` says for each number of shown steps.

    Args:
      drawn: the samples.
      columns: metrics of the data set, which are taken of each sample.
    """
    head = [
        "steps shown",
        *(f"inside {level:.0%}" for level in scores.LEVELS),
        *("CRPS", "energy score", "variogram score", "spread"),
        *(column.name for column in columns),
    ]
    rows = []
    for steps, mask, values in zip(drawn.shown, drawn.mask, drawn.samples):
        case = values, drawn.truth, mask
        numbers = (*(f(*case) for f in (scores.crps, scores.energy, scores.variogram)),)
        numbers += (scores.spread(values, mask),)
        numbers += tuple(_of_samples(column, *case) for column in columns)
        shares = scores.coverage(*case)
        rows.append(
            [f"{steps}", *(f"{s:.1%}" for s in shares), *(f"{number:.4g}" for number in numbers)]
        )
    return head, rows


def _of_samples(column, samples, truth, mask):
    parts = [column.measure(truth, sample, mask) for sample in samples]
    total, count = (np.stack([np.asarray(part[i]) for part in parts]) for i in (0, 1))
    return column.factor * metrics.mean((total, count))


def require_distribution(workdir: str, run: Run) -> None:
    """Raise InputError where the model of a run draws no samples."""
    if not getattr(run.method, "stochastic", False):
        raise InputError(
            f"--samples: the model in {workdir} has no distribution to draw from; leave the "
            "flag out, or train one with --method.stochastic=true"
        )
