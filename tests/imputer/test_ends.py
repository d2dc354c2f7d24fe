"""Holes at the first and last rows of columns that move smoothly, beside columns that do not."""

import numpy as np
import pytest

from naomi_jax import Imputer

ROWS = 200


def beside_rough_ones(rng):
    """A damped swing, a slow wave and a smoothed walk, between columns that forget at once."""
    t = np.arange(ROWS)
    walk = np.convolve(rng.normal(size=ROWS + 20).cumsum(), np.hanning(21) / 10, "valid")
    spikes = rng.normal(size=ROWS)
    spikes[ROWS // 3] = 1e6
    return np.stack(
        [
            10 * rng.standard_cauchy(ROWS),
            np.exp(-t / rng.uniform(15, 30)) * np.cos(t / rng.uniform(1.5, 4)),
            20 + 5 * np.sin(2 * np.pi * t / rng.uniform(60, 140) + rng.uniform(0, 6)),
            walk,
            spikes,
        ],
        axis=1,
    )


SMOOTH = slice(1, 4)


def errors(truth, hidden):
    """Of the fill, and of the line with the last value beyond its ends."""
    given = np.where(hidden, np.nan, truth)
    line = np.stack(
        [np.interp(np.arange(ROWS), np.flatnonzero(~h), x[~h]) for x, h in zip(truth.T, hidden.T)],
        1,
    )
    filled = Imputer().fit_transform(given)
    return np.abs(filled - truth)[:, SMOOTH], np.abs(line - truth)[:, SMOOTH]


@pytest.mark.parametrize("seed", [2, 5, 9, 10])
def test_ends_of_smooth_columns_that_miss_one_row_are_near_their_neighbor(seed):
    rng = np.random.default_rng(seed)
    truth = beside_rough_ones(rng)
    hidden = rng.random(truth.shape) < 0.2
    hidden[[0, -1]], hidden[[1, -2]] = True, False
    found, line = errors(truth, hidden)
    # The neighbor, and a tenth of the column's deviation where that happens to be right.
    assert (found[[0, -1]] <= 2 * line[[0, -1]] + 0.1 * truth.std(0)[SMOOTH]).all()


@pytest.mark.parametrize("seed", [0, 2, 9])
def test_ends_of_smooth_columns_with_a_third_missing_do_not_jump(seed):
    rng = np.random.default_rng(seed)
    truth = beside_rough_ones(rng)
    hidden = rng.random(truth.shape) < 0.3
    hidden[:2] = True
    found, line = (
        np.sqrt([np.square(e[h]).mean() for e, h in zip(part.T, hidden.T[SMOOTH])])
        for part in errors(truth, hidden)
    )
    assert (found <= 1.5 * line + 0.05 * truth.std(0)[SMOOTH]).all()


@pytest.mark.parametrize("seed", [5, 8, 12, 13])
def test_ends_of_smooth_columns_that_miss_three_rows_stay_near_the_last_value(seed):
    rng = np.random.default_rng(seed)
    truth = beside_rough_ones(rng)
    hidden = np.zeros(truth.shape, bool)
    for column in range(truth.shape[1]):
        first = rng.integers(10, ROWS - 60)
        hidden[first : first + rng.integers(20, 50), column] = True
    hidden[:3, [0, 1, 3]] = hidden[-3:, 2:] = True
    found, line = errors(truth, hidden)
    for rows in (slice(0, 3), slice(-3, None)):
        assert (found[rows].max(0) <= 1.5 * line[rows].max(0) + 0.1 * truth.std(0)[SMOOTH]).all()
