"""Linear interpolation against numpy's, neighbors against a loop over the training set."""

import numpy as np
import pytest

from naomi_jax.methods import knn, linear, registry


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 9, 2)).astype(np.float32)
    mask = rng.random((6, 9)) < 0.4
    mask[1] = [0, 0, 1, 0, 0, 0, 0, 0, 0]  # one shown
    mask[2] = 1
    return x, mask


def test_linear(case):
    x, mask = case
    params, note = linear.fit(x, x, mask)
    assert note == ""
    filled = linear.impute(params, np.where(mask[..., None], x, np.nan), mask)
    for row, known, ours in zip(x, mask, filled):
        for d in range(2):
            where = np.flatnonzero(known)
            expected = np.interp(np.arange(9), where, row[where, d])
            np.testing.assert_allclose(ours[:, d], expected, atol=1e-6)
    shared = linear.impute((), x, mask[0])
    np.testing.assert_array_equal(shared[0], linear.impute((), x, mask)[0])
    assert not np.asarray(linear.impute((), x, np.zeros(9))).any(), "nothing is known"


def literal_knn(train, x, mask, k):
    distance = [np.square((other - x)[mask]).sum() for other in train]
    nearest = np.argsort(distance, kind="stable")[:k]
    return np.where(mask[:, None], x, train[nearest].mean(0))


@pytest.mark.parametrize("k", [1, 3, 12, 99])
def test_knn(case, k):
    x, mask = case
    train = np.random.default_rng(1).normal(size=(12, 9, 2)).astype(np.float32)
    filled = knn.impute(knn.keep(train, k), np.where(mask[..., None], x, np.nan), mask)
    expected = [literal_knn(train, row, known, k) for row, known in zip(x, mask)]
    np.testing.assert_allclose(filled, expected, atol=1e-5)


def test_the_best_k_is_chosen_on_validation_data(case):
    x, mask = case
    train = np.random.default_rng(1).normal(size=(12, 9, 2)).astype(np.float32)

    def error(k):
        filled = np.stack([literal_knn(train, row, known, k) for row, known in zip(x, mask)])
        return np.square(filled - x).sum()

    assert knn.choose_k(train, x, mask.astype(float)) == min((1, 2, 3, 5, 7, 10), key=error)
    assert knn.choose_k(np.repeat(x[:1], 3, 0), x[:1], mask[:1].astype(float)) in (1, 2, 3)


def test_fit_keeps_the_best_k_and_says_which(case):
    x, mask = case
    train = np.random.default_rng(1).normal(size=(12, 9, 2)).astype(np.float32)
    best = knn.choose_k(train, x, mask.astype(float))
    params, note = registry.get("knn").fit(train, x, mask.astype(float))
    assert note == f"k = {best}"
    assert np.count_nonzero(params.weights) == best
    expected = [literal_knn(train, row, known, best) for row, known in zip(x, mask)]
    np.testing.assert_allclose(knn.impute(params, x, mask), expected, atol=1e-5)
