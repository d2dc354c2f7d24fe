"""Neighbors: their mean against a loop, who is one in training, and the way there and back."""

import io
import os
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.data import masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.data.transforms import chain, neighbors, standardize
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.data.transforms.neighbors import Neighbors
from naomi_jax.errors import InputError
from naomi_jax.fields import with_values
from naomi_jax.runs import folder, opening
from naomi_jax.training import batches, loop
from tests.settings import small_run

N, T, D = 12, 6, 2


@pytest.fixture(scope="module")
def memory():
    return np.random.default_rng(0).standard_normal((N, T, D)).astype(np.float32)


def by_hand(memory, x, mask, count, excluded=()):
    """One sequence at a time."""
    mask = np.broadcast_to(mask if mask.ndim == 2 else mask[:, None], x.shape)
    distance = [np.square((x - m)[mask != 0]).sum() for m in memory]
    order = [i for i in np.argsort(distance) if i not in excluded][: count + 1]
    distance = np.array(distance)[order]
    weights = (
        np.square(1 - distance / distance[-1]) if distance[0] < distance[-1] else 1 + 0 * distance
    )
    return np.einsum("k,ktd->td", weights / weights.sum(), memory[order])


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 4, N + 3])
def test_the_mean_is_that_of_the_nearest(memory, ndim, count):
    rng = np.random.default_rng(ndim)
    x = rng.standard_normal((5, T, D)).astype(np.float32)
    mask = (rng.uniform(size=[(), (T,), (5, T), (5, T, D)][ndim]) < 0.5) * 1.0
    mask[..., 0] = 1
    found = neighbors.mean(jnp.asarray(memory), jnp.asarray(x), jnp.asarray(mask), count)
    for row in range(5):
        here = mask if ndim == 1 else mask[row]
        np.testing.assert_allclose(
            found[row], by_hand(memory, x[row], here, count), rtol=1e-5, atol=1e-6
        )


def test_nothing_shown_or_nobody_left_is_zero(memory):
    x, seen = jnp.ones((2, T, D)), jnp.stack([jnp.zeros(T), jnp.ones(T)])
    near = neighbors.mean(jnp.asarray(memory), x, seen, 3)
    assert (near[0] == 0).all() and (near[1] != 0).any()
    excluded = jnp.ones((2, N), bool)
    assert (neighbors.mean(jnp.asarray(memory), x, seen, 3, excluded) == 0).all()


def test_neighbors_that_are_as_far_count_alike():
    pair = jnp.asarray([[[1.0], [5.0]], [[-1.0], [7.0]]])
    near = neighbors.mean(pair, jnp.zeros((1, 2, 1)), jnp.asarray([1.0, 0]), 4)
    np.testing.assert_allclose(near[0], [[0], [6]])
    only = neighbors.mean(pair[:1], jnp.zeros((1, 2, 1)), jnp.asarray([1.0, 0]), 4)
    np.testing.assert_allclose(only[0], pair[0])


def test_hidden_values_and_gradients_do_not_matter(memory):
    x, mask = jnp.asarray(memory[:3] + 0.1), jnp.asarray([1, 1, 0, 1, 0, 0.0])
    other = jnp.where(mask[:, None] != 0, x, 7)
    find = lambda x: neighbors.mean(jnp.asarray(memory), x, mask, 3)  # noqa: E731
    np.testing.assert_array_equal(find(x), find(other))
    assert (jax.grad(lambda x: find(x).sum())(x) == 0).all()


@pytest.mark.parametrize("stride,places", [(1, 7), (3, 2), (4, 1), (8, 0), (11, 0)])
def test_windows_of_one_series_that_overlap_are_found(stride, places):
    series = np.random.default_rng(1).integers(0, 3, (120, 2)).astype(np.float32)
    series[:, 1] += 0.01 * np.arange(120)
    train = np.stack([series[at : at + 8] for at in range(0, 112, stride)])
    assert neighbors.overlap(train) == places
    assert neighbors.overlap(np.delete(train, 3, axis=0)) <= places


def test_in_training_no_sequence_is_its_own_neighbor(memory):
    config = batches.BatchConfig(4, masks.MaskConfig("random", 2, 4), True)
    data = jnp.asarray(memory)
    source = batches.Source(data, (Neighbors(data, 2, overlap=1),), jax.random.key(3))
    x, mask, rows, _ = batches.draw(config, source, 1)
    np.testing.assert_array_equal(x, memory[rows])
    relative, same, _ = chain.apply(source.transforms, x, mask, rows)
    np.testing.assert_array_equal(mask, same)
    for row, number in enumerate(np.abs(memory[:, None] - np.asarray(x)).sum((2, 3)).argmin(0)):
        near = by_hand(memory, x[row], mask[row], 2, {number - 1, number, number + 1})
        np.testing.assert_allclose(x[row] - relative[row], near, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("length", [T, 2 * T + 2, 4])
def test_there_and_back_for_any_length(memory, length):
    x = np.random.default_rng(4).standard_normal((3, length, D)).astype(np.float32) + 5
    mask = np.random.default_rng(5).uniform(size=(3, length)) < 0.7
    standardizer = standardize.Standardizer(np.full((1, D), 5, np.float32), np.ones(D, np.float32))
    transforms = chain.build(Transforms(neighbors=2), standardizer, memory)
    relative, same, restore = transforms.apply(x, mask)
    assert same is mask
    np.testing.assert_allclose(restore(relative), x, rtol=1e-5)
    pieces = [slice(at, at + T) for at in range(0, length, T)]
    for piece in pieces:
        here = x[:, piece] - 5
        for row in range(3):
            if mask[row, piece].any():
                near = by_hand(memory[:, : here.shape[1]], here[row], mask[row, piece], 2)
                np.testing.assert_allclose(relative[row, piece], here[row] - near, atol=1e-4)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    rng = np.random.default_rng(0)
    kinds = rng.standard_normal((3, 7, 2)).astype(np.float32) * 4
    x = kinds[rng.integers(0, 3, 40)] + 0.1 * rng.standard_normal((40, 7, 2)).astype(np.float32)
    dataset = Dataset("files", "three kinds of days", False, x[:28], x[28:34], x[34:])
    run = small_run(transforms=Transforms(standardize="step", neighbors=4))
    workdir = str(tmp_path_factory.mktemp("run") / "run")
    folder.create_or_resume(workdir, run, dataset)
    loop.train(run, dataset, workdir, io.StringIO())
    return workdir, dataset


def test_a_run_with_neighbors_knows_the_kinds(trained):
    workdir, dataset = trained
    model = opening.load(workdir)
    mask = np.zeros((6, 7), np.float32)
    mask[:, 2] = 1
    filled = model.fill(dataset.test, mask, None)
    np.testing.assert_array_equal(filled[:, 2], dataset.test[:, 2])
    assert np.square(filled - dataset.test).mean() < 0.5, (
        "the kinds are 16 apart, the noise is 0.01"
    )


def test_the_memory_of_a_run_can_be_lost(trained):
    workdir, _ = trained
    path = os.path.join(workdir, "training_sequences.npy")
    content = pathlib.Path(path).read_bytes()
    try:
        with open(path, "wb") as file:
            file.write(content[:50])
        with pytest.raises(InputError, match="training_sequences.npy: not a readable"):
            opening.load(workdir)
    finally:
        with open(path, "wb") as file:
            file.write(content)


@pytest.mark.parametrize(
    "path,value,message",
    [
        ("neighbors", -1, "transforms.neighbors: -1; 0 or more is needed"),
        ("symmetries", True, "transforms.neighbors: not with symmetries"),
    ],
)
def test_settings_that_do_not_go_together(path, value, message):
    run = small_run(transforms=Transforms(neighbors=3))
    with pytest.raises(InputError, match=message):
        with_values(run, {("transforms", path): value})
