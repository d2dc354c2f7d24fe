"""Proper scores, against a library that people know."""

import numpy as np
import pytest
import scoringrules

from naomi_jax.evaluation import scores


@pytest.fixture(scope="module")
def normal():
    """1000 samples and a truth of the same normal distribution, with nothing shown but step 0."""
    rng = np.random.default_rng(0)
    mask = np.zeros((40, 20))
    mask[:, 0] = 1
    return rng.standard_normal((400, 40, 20, 2)), rng.standard_normal((40, 20, 2)), mask


@pytest.fixture(scope="module")
def small():
    """Seven samples of five sequences with gaps of several lengths, at both ends too."""
    rng = np.random.default_rng(1)
    mask = (rng.random((5, 9)) < 0.4).astype(float)
    mask[0], mask[1] = 0, [0, 0, 1, 0, 1, 1, 0, 0, 0]
    return rng.standard_normal((7, 5, 9, 2)), rng.standard_normal((5, 9, 2)), mask


def gaps(mask):
    """(sequence, first, end) of each run of missing steps, by going through the steps."""
    found = []
    for row, flags in enumerate(mask):
        step = 0
        while step < len(flags):
            end = step
            while end < len(flags) and flags[end] == 0:
                end += 1
            if end > step:
                found.append((row, step, end))
            step = max(end, step + 1)
    return found


def test_crps_is_the_reference(small):
    values, truth, mask = small
    missing = mask == 0
    each = scoringrules.crps_ensemble(truth[missing], values[:, missing], 0, estimator="fair")
    assert scores.crps(values, truth, mask) == pytest.approx(each.mean(), rel=1e-9)


def test_energy_is_the_reference(small):
    values, truth, mask = small
    each = []
    for row, begin, end in gaps(mask):
        real = truth[row, begin:end].ravel()
        drawn = values[:, row, begin:end].reshape(7, -1)
        score = scoringrules.es_ensemble(real, drawn, estimator="fair")
        each.append(score / len(real) ** 0.5)
    assert scores.energy(values, truth, mask) == pytest.approx(np.mean(each), rel=1e-9)


def test_variogram_is_the_reference(small):
    values, truth, mask = small
    each = []
    for row, begin, end in gaps(mask):
        real = truth[row, begin:end].ravel()
        drawn = values[:, row, begin:end].reshape(7, -1)
        pairs = len(real) * (len(real) - 1)  # the reference sums over both orders
        each.append(scoringrules.vs_ensemble(real, drawn, p=0.5) / pairs)
    assert scores.variogram(values, truth, mask) == pytest.approx(np.mean(each), rel=1e-9)


def test_joint_scores_see_what_crps_does_not(normal):
    """Samples whose entries are shuffled among each other: the same marginals, no agreement."""
    rng = np.random.default_rng(2)
    walk = rng.standard_normal((100, 40, 20, 2)).cumsum(2)
    truth = rng.standard_normal((40, 20, 2)).cumsum(1)
    mask = normal[2]
    torn = rng.permuted(walk, axis=0)
    assert scores.crps(torn, truth, mask) == pytest.approx(scores.crps(walk, truth, mask))
    assert scores.variogram(torn, truth, mask) > 1.1 * scores.variogram(walk, truth, mask)
    assert scores.energy(torn, truth, mask) > scores.energy(walk, truth, mask)


def test_pit_is_flat_where_calibrated(normal):
    values, truth, mask = normal
    np.testing.assert_allclose(scores.pit(values, truth, mask), 0.1, atol=0.035)
    # Also with numbers of samples that do not divide into ten.
    assert scores.pit(values[:7], truth, mask).sum() == pytest.approx(1)
    np.testing.assert_allclose(scores.pit(values[:7], truth, mask), 0.1, atol=0.04)
    narrow = scores.pit(values / 3, truth, mask)
    assert narrow[0] > 0.25 and narrow[-1] > 0.25
    high = scores.pit(values + 1, truth, mask)
    assert high[0] > 0.2 and high[-1] < 0.05


def test_a_calibrated_forecast(normal):
    values, truth, mask = normal
    for share, level in zip(scores.coverage(values, truth, mask), scores.LEVELS):
        assert share == pytest.approx(level, abs=0.03)
    # Few samples are no excuse.
    for share, level in zip(scores.coverage(values[:19], truth, mask), scores.LEVELS):
        assert share == pytest.approx(level, abs=0.03)
    # Of a standard normal forecast of itself: 1 / sqrt(pi).
    assert scores.crps(values, truth, mask) == pytest.approx(np.pi**-0.5, abs=0.02)
    assert scores.spread(values, mask) == pytest.approx(1, abs=0.01)


def test_a_narrow_forecast_is_found_out(normal):
    values, truth, mask = normal
    narrow = values / 3
    assert scores.coverage(narrow, truth, mask)[1] < 0.5
    assert scores.crps(narrow, truth, mask) > scores.crps(values, truth, mask)
