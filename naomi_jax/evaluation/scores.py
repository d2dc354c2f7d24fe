"""Proper scores of samples, and whether their intervals hold. NumPy, in the data's own units.

A score is proper if no other distribution scores better, on average, than the one that the truth is
drawn from (Gneiting and Raftery 2007, JASA 102): so it cannot be won by samples that are too sure,
nor by samples that are too wide. All are the lower the better.

    S samples, (S, B, T, D); truth (B, T, D); mask (B, T), 1 = shown
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Shaped

LEVELS = (0.5, 0.8, 0.9)  # of the central intervals
_BINS = 10


def crps(
    samples: Float[np.ndarray, "S B T D"],
    truth: Float[np.ndarray, "B T D"],
    mask: Shaped[np.ndarray, "B T"],
) -> float:
    """Continuous ranked probability score, averaged over the missing entries.

    The mean absolute error of a sample less half the mean distance of two (Gneiting and Raftery,
    equation 21; here without bias, two different samples). A deterministic filling scores its
    absolute error. It judges each entry alone.

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


def energy(
    samples: Float[np.ndarray, "S B T D"],
    truth: Float[np.ndarray, "B T D"],
    mask: Shaped[np.ndarray, "B T"],
) -> float:
    """Energy score of whole gaps, averaged over gaps: the CRPS of a vector.

    A gap's vector holds all its entries, and the distance of two vectors is the root of the mean
    square of their difference, so that it does not grow with the gap (Gneiting and Raftery,
    equation 22; without bias, as `crps`).

    Args:
      samples: S > 1 of each.
      truth: the sequences.
      mask: 1 = shown.
    """
    found = []
    for values, real in _gaps(samples, truth, mask):
        count = len(values)
        error = np.linalg.norm(values - real, axis=1).mean()
        square = np.square(values).sum(1)
        between = square[:, None] + square - 2 * values @ values.T
        between = (
            np.sqrt(np.maximum(between, 0)).sum()
            - np.sqrt(np.maximum(np.diagonal(between), 0)).sum()
        )
        score = error - between / (2 * count * (count - 1))
        found.append(score / np.sqrt(len(real)))
    return float(np.mean(found))


def variogram(
    samples: Float[np.ndarray, "S B T D"],
    truth: Float[np.ndarray, "B T D"],
    mask: Shaped[np.ndarray, "B T"],
) -> float:
    """Variogram score of order 1/2 of whole gaps, averaged over gaps and pairs of their entries.

    The squared difference between |y_i - y_j|^(1/2) and its mean over the samples (Scheuerer and
    Hamill 2015, Monthly Weather Review 143). It judges how entries go together: samples that are
    right entry by entry and do not agree with each other score badly.

    Args:
      samples: S of each.
      truth: the sequences.
      mask: 1 = shown.
    """
    found = []
    for values, real in _gaps(samples, truth, mask):
        first, second = np.triu_indices(len(real), 1)
        if len(first):
            expected = np.zeros(len(first))
            for sample in values:
                expected += np.sqrt(np.abs(sample[first] - sample[second]))
            have = np.sqrt(np.abs(real[first] - real[second]))
            found.append(np.square(have - expected / len(values)).mean())
    return float(np.mean(found))


def _gaps(samples, truth, mask) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(S, V) and (V,) of each run of missing steps: all its entries."""
    missing = np.asarray(mask) == 0
    for row, flags in enumerate(missing):
        edges = np.flatnonzero(np.diff(flags.astype(int), prepend=0, append=0))
        for begin, end in zip(edges[::2], edges[1::2]):
            values = samples[:, row, begin:end].astype(np.float64)
            yield values.reshape(len(values), -1), truth[row, begin:end].astype(np.float64).ravel()


def coverage(
    samples: Float[np.ndarray, "S B T D"],
    truth: Float[np.ndarray, "B T D"],
    mask: Shaped[np.ndarray, "B T"],
) -> tuple[float, ...]:
    """Share of missing entries inside each central interval of LEVELS; calibrated: that level.

    The truth is as likely to stand in each of the S + 1 places among its S samples, so that the
    interval ends at rank q (S + 1), which NumPy calls weibull: its default is too narrow by
    2 / (S + 1) of the level.
    """
    missing = np.asarray(mask) == 0
    values, real = samples[:, missing], truth[missing]
    shares = []
    for level in LEVELS:
        ends = (1 - level) / 2, (1 + level) / 2
        low, high = np.quantile(values, ends, axis=0, method="weibull")
        shares.append(float(((low <= real) & (real <= high)).mean()))
    return tuple(shares)


def spread(samples: Float[np.ndarray, "S B T D"], mask: Shaped[np.ndarray, "B T"]) -> float:
    """Standard deviation over samples, averaged over the missing entries."""
    return float(samples.std(0, ddof=1)[np.asarray(mask) == 0].mean())


def pit(
    samples: Float[np.ndarray, "S B T D"],
    truth: Float[np.ndarray, "B T D"],
    mask: Shaped[np.ndarray, "B T"],
) -> Float[np.ndarray, " 10"]:
    """Probability integral transform: where among its samples the truth stands, in ten equal bins.

    The share of missing entries of which 0-10 %, 10-20 %, ... of the samples are below the truth. A
    tenth each where the samples are calibrated; more at both ends where they are too sure.
    """
    missing = np.asarray(mask) == 0
    values, real = samples[:, missing], truth[missing]
    below = (values < real).sum(0)
    place = below + (values == real).sum(0) // 2  # one of S + 1
    counts = np.bincount(place.ravel(), minlength=len(values) + 1)
    share = np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
    # S + 1 places seldom divide into ten: each is spread over the bins that it overlaps.
    edges = np.linspace(0, 1, _BINS + 1)
    return np.diff(np.interp(edges, np.linspace(0, 1, len(share)), share))
