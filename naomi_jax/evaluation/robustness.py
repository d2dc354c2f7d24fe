"""How every metric changes with the number of missing steps (Figures 6 and 8 of the paper)."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from naomi_jax.data import masks
from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.evaluation import tables
from naomi_jax.methods.fitted import Fitted

_SEQUENCES = 100  # of the test set, at most
_SEED = 2020  # of the masks


class Curves(NamedTuple):
    """Quartiles over test sequences.

    Attributes:
      counts: numbers of missing steps.
      columns: names of the metrics, with units.
      quartiles: for each method's name, of each of M metrics: 25 %, median, 75 %; NaN where nothing
        counts.
    """

    counts: Int[np.ndarray, " C"]
    columns: tuple[str, ...]
    quartiles: dict[str, Float[np.ndarray, "M C 3"]]


def sensible_counts(
    config: masks.MaskConfig, steps: int, number: int = 10
) -> Int[np.ndarray, " C"]:
    """Numbers of missing steps from half the sequence to the most that models were trained on."""
    high = min(config.high, steps - 1) if config.kind != "file" else steps - 2
    return np.unique(np.linspace(min(steps // 2, high), high, number).round().astype(int))


def curves(
    models: Sequence[Fitted],
    dataset: Dataset,
    config: masks.MaskConfig,
    counts: Int[np.ndarray, " C"],
) -> Curves:
    """Fill the test set under masks with each number of missing steps.

    All counts go through each model in batches of the same shape, so that it compiles once.

    Args:
      models: trained; of several of one method the first is used. A straight line comes beside
        them.
      dataset: their data.
      config: how steps are hidden ("file" counts as "random"); its range is not used.
      counts: numbers of missing steps.
    """
    x = dataset.test[:_SEQUENCES]
    kind = "random" if config.kind == "file" else config.kind
    key = jax.random.key(_SEED)
    mask = np.asarray(masks.hide_many(key, kind, counts, len(x), dataset.steps))
    every = np.tile(x, (len(counts), 1, 1))
    flat = mask.reshape(-1, dataset.steps)
    fills = tables.fills(models, every, flat, key)
    columns = datasets.get(dataset.name).metrics
    if datasets.get(dataset.name).has_expert:
        fills[datasets.EXPERT] = every
    quartiles = {
        name: np.stack([_quartiles(c, every, f, flat, len(counts)) for c in columns])
        for name, f in fills.items()
    }
    return Curves(counts, tuple(column.name for column in columns), quartiles)


def _quartiles(column, x, filled, mask, counts):
    total, count = (np.asarray(a, float) for a in column.measure(x, jnp.asarray(filled), mask))
    with np.errstate(invalid="ignore", divide="ignore"):
        values = column.factor * (total / count).reshape(counts, -1)
    result = np.full((counts, 3), np.nan)
    for row, here in zip(result, values):
        here = here[np.isfinite(here)]
        if len(here):
            row[:] = np.percentile(here, [25, 50, 75])
    return result
