"""The chain as a whole: images of the training sequences, order and way back."""

import dataclasses

import numpy as np
import pytest

from naomi_jax.data.transforms import chain
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.errors import InputError


def test_images_of_the_training_sequences(dataset):
    count = len(dataset.train)
    fitted, data = chain.fit(Transforms(symmetries=True, time_reversal=True), dataset)
    train = fitted.standardizer.restore(data)
    assert train.shape == (16 * count, *dataset.train.shape[1:])
    np.testing.assert_allclose(train[:count], dataset.train, atol=1e-6)
    np.testing.assert_allclose(train[8 * count :], train[: 8 * count, ::-1], atol=1e-6)
    signs = {tuple(row) for row in np.sign(train[::count, 0]).astype(int)}
    assert len(signs) == 4, "all quarters of the box"


def test_a_data_set_without_symmetries_has_no_images(dataset):
    other = dataclasses.replace(dataset, name="files")
    with pytest.raises(InputError, match="symmetries: the data set files has none"):
        chain.fit(Transforms(symmetries=True), other)


def test_the_way_back_takes_the_transforms_in_reverse(dataset):
    fitted, _ = chain.fit(Transforms(neighbors=3, channel_independent=True), dataset)
    x, mask = dataset.test, np.arange(12) % 3 == 0
    mask = np.broadcast_to(mask, x.shape[:2]).astype(np.float32)
    relative, entries, restore = fitted.apply(x, mask)
    assert relative.shape == (2 * len(x), 12, 1) and entries.shape == (2 * len(x), 12)
    np.testing.assert_allclose(restore(relative), x, atol=1e-5)
    samples = np.stack([relative, relative + 1])
    np.testing.assert_allclose(restore(samples)[0], x, atol=1e-5)
    apart = restore(samples)[1] - restore(samples)[0]
    np.testing.assert_allclose(apart, np.broadcast_to(fitted.standardizer.std, x.shape), rtol=1e-4)
