"""The distribution that a stochastic model has learned (Figure 9), and how far to trust it."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int, Shaped

from naomi_jax.data import masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.methods.fitted import Fitted

_SAMPLES = 50
_SEQUENCES = 32  # of the test set, at most
_SEED = 2021
LEVELS = (0.5, 0.8, 0.9)  # of the central intervals


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


def draw(model: Fitted, dataset: Dataset, shown: Int[np.ndarray, " C"]) -> Distribution:
    """50 samples of test sequences for each number of shown steps, hidden at random places.

    Args:
      model: stochastic.
      dataset: its data.
      shown: numbers of shown steps, 1 to T - 1 each.
    """
    x = dataset.test[:_SEQUENCES]
    key, shown = jax.random.key(_SEED), np.asarray(shown)
    counts = dataset.steps - shown
    mask = np.asarray(masks.hide_many(key, "random", counts, len(x), dataset.steps))
    samples = [model.fill(x, here, key, _SAMPLES) for here in mask]
    return Distribution(shown, x, mask, np.stack(samples))


def crps(
    samples: Float[np.ndarray, "S B T D"],
    truth: Float[np.ndarray, "B T D"],
    mask: Shaped[np.ndarray, "B T"],
) -> float:
    """Continuous ranked probability score over the missing entries, in the data's units.

    The mean absolute error of a sample less half the mean distance of two (Gneiting and Raftery,
    2007, equation 21; here without bias, two different samples). A deterministic filling scores its
    absolute error.

    Args:
      samples: S > 1 of each.
      truth: the sequences.
      mask: 1 = shown.
    """
    missing = np.asarray(mask) == 0
    values = np.sort(samples[:, missing].astype(np.float64), axis=0)
    count = len(values)
    error = np.abs(values - truth[missing]).mean(0)
    # The sum of |a - b| over pairs, from the ranks.
    weights = 2 * np.arange(count) - count + 1
    distance = (weights[:, None, None] * values).sum(0) * 2 / (count * (count - 1))
    return float((error - distance / 2).mean())


def coverage(
    samples: Float[np.ndarray, "S B T D"],
    truth: Float[np.ndarray, "B T D"],
    mask: Shaped[np.ndarray, "B T"],
) -> tuple[float, ...]:
    """Share of missing entries inside each central interval of LEVELS; calibrated: that level."""
    missing = np.asarray(mask) == 0
    values, real = samples[:, missing], truth[missing]
    shares = []
    for level in LEVELS:
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
        shares.append(float(((low <= real) & (real <= high)).mean()))
    return tuple(shares)


def spread(samples: Float[np.ndarray, "S B T D"], mask: Shaped[np.ndarray, "B T"]) -> float:
    """Standard deviation over samples, averaged over the missing entries."""
    return float(samples.std(0, ddof=1)[np.asarray(mask) == 0].mean())
