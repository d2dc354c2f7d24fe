"""MaskGAN, GRUI and SingleRes against numpy, one sequence and one step at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.errors import InputError
from naomi_jax.methods import registry
from naomi_jax.methods.shared import autoregressive
from naomi_jax.methods.single_res import SingleResSettings
from tests.recursion import oracle

DIM = 2
SIZES = [  # layers, stochastic
    (1, False),
    (2, True),
]
METHODS = ("rnn", "maskgan", "grui")


def settings_of(name, layers, stochastic):
    kind = registry.get(name).settings
    return kind(hidden=3, layers=layers, head_hidden=4, stochastic=stochastic)


def head(params, state):
    def dense(name, a):
        return a @ params["head"][name]["kernel"] + params["head"][name]["bias"]

    hidden = oracle.relu(dense("dec", state))
    std = oracle.softplus(dense("std", hidden)) if "std" in params["head"] else None
    return dense("mean", hidden), std


def decode(params, x, mask, noise=None):
    """(filled, [(mean, std) before each step])."""
    state = [np.zeros(layer["wh"].shape[0]) for layer in params["gru"]]
    x, last, outputs = x.copy(), -1, []
    for t in range(len(x)):
        if "decay" in params:
            rate = params["decay"]["scale"] * (t - last) + params["decay"]["bias"]
            state = [h / np.exp(oracle.relu(rate)) for h in state]
        mean, std = head(params, state[-1])
        outputs.append((mean, std))
        if mask[t]:
            last = t
        else:
            x[t] = mean if std is None else mean + std * noise[t]
        state = oracle.gru_step(params["gru"], x[t], state)
    return x, outputs


@pytest.fixture(
    params=[(m, s) for m in ("maskgan", "grui") for s in SIZES], ids=lambda p: f"{p[0]}-{p[1][0]}"
)
def case(request, x64):
    name, sizes = request.param
    method = registry.get(name)
    params = method.init(jax.random.key(3), settings_of(name, *sizes), DIM)
    params = jax.tree.map(lambda leaf: leaf.astype("float64"), params)
    if "decay" in params:
        params["decay"]["bias"] = jnp.array([0.2, -0.1, -5.0])
    rng = np.random.default_rng(0)
    x, mask = rng.normal(size=(3, 7, DIM)), (rng.random((3, 7)) < 0.4).astype(float)
    return method, params, x, mask


def test_values_equal_the_literal_decode(case):
    method, params, x, mask = case
    key = jax.random.key(5)
    noise = jax.random.normal(key, (1, *x.shape), x.dtype)[0]
    filled = method.impute(params, np.where(mask[..., None] > 0, x, np.nan), mask, key)
    host = jax.tree.map(np.asarray, params)
    expected = [decode(host, *row)[0] for row in zip(x, mask, np.asarray(noise))]
    np.testing.assert_allclose(filled, expected, atol=1e-12)
    shared = method.impute(params, x, mask[0], key)
    np.testing.assert_allclose(shared[0], expected[0], atol=1e-12)


def test_gradients_equal_the_literal_decode(case):
    method, params, x, mask = case
    key = jax.random.key(5)
    noise = np.asarray(jax.random.normal(key, (1, *x.shape), x.dtype)[0])
    rng = np.random.default_rng(1)
    weight = rng.normal(size=x.shape)
    gradient = jax.grad(lambda p: (weight * method.impute(p, x, mask, key)).sum())(params)
    host = jax.tree.map(np.asarray, params)
    direction = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), host)
    moved = jax.tree.map(lambda leaf, d: leaf + 1e-30j * d, host, direction)
    values = [decode(moved, *row)[0] for row in zip(x.astype(complex), mask, noise)]
    expected = (weight * np.stack(values)).sum().imag / 1e-30
    products = jax.tree.map(lambda g, d: (np.asarray(g) * d).sum(), gradient, direction)
    assert sum(jax.tree.leaves(products)) == pytest.approx(expected, rel=1e-9)


def test_teacher_forced_is_one_step_ahead_on_complete_sequences(case):
    method, params, x, mask = case
    host, total = jax.tree.map(np.asarray, params), 0.0
    for row in x:
        for value, (mean, std) in zip(row, decode(host, row, np.ones(len(row)))[1]):
            if std is None:
                total += ((value - mean) ** 2).sum()
            else:
                total += (
                    0.5 * ((value - mean) / std) ** 2 + np.log(std * np.sqrt(2 * np.pi))
                ).sum()
    ours = method.losses["teacher_forced"](params, x, mask)
    assert ours == pytest.approx(total / x.shape[0] / x.shape[1], rel=1e-12)


def test_lags():
    observed = jnp.array([[1, 0, 0, 1, 1, 0, 0]], bool).T
    np.testing.assert_array_equal(autoregressive.lags(observed)[:, 0], [1, 1, 2, 3, 1, 1, 2])
    np.testing.assert_array_equal(autoregressive.lags(~observed)[:4, 0], [1, 2, 1, 1])


@pytest.mark.parametrize("name", METHODS)
def test_each_has_settings_by_which_it_is_known(name):
    """What a run's settings are of is found by their class."""
    method, settings = registry.get(name), settings_of(name, 1, False)
    assert [m.name for m in registry.every() if m.settings is type(settings)] == [name]
    params = method.init(jax.random.key(0), settings, DIM)
    assert ("decay" in params) == (name == "grui"), "GRUI alone fades"
    assert method.judges_steps == (name != "grui"), "GRUI's discriminator sees whole sequences"


def test_samples_entries_and_errors():
    maskgan = registry.get("maskgan")
    params = maskgan.init(jax.random.key(0), settings_of("maskgan", *SIZES[1]), DIM)
    x = np.ones((2, 5, 2), np.float32)
    mask = np.array([1, 0, 1, 0, 0])
    key = jax.random.key(1)
    samples = maskgan.impute(params, x, mask, key, num_samples=3)
    assert samples.shape == (3, 2, 5, 2)
    np.testing.assert_array_equal(samples[:, :, [0, 2]], 1)
    assert len(np.unique(samples[:, :, 1, 0])) == 6, "samples and sequences are independent"
    np.testing.assert_array_equal(samples, maskgan.impute(params, x, mask, key, num_samples=3))
    entries = np.ones_like(x).astype(bool)
    entries[0, 3, 1] = False
    filled = maskgan.impute(params, x, entries, key)
    assert (np.asarray(filled) != 1).sum() == 1
    np.testing.assert_array_equal(
        maskgan.impute(params, x[0], mask, key, num_samples=2).shape, (2, 5, 2)
    )
    with pytest.raises(ValueError, match="key: this model is stochastic"):
        maskgan.impute(params, x, mask)
    with pytest.raises(ValueError, match="mask: shape"):
        maskgan.impute(params, x, mask[:3], key)


def test_single_res_decodes_left_to_right(x64):
    """From hf_t and hb_{t+2}, where hb sees the original mask only."""
    single_res = registry.get("single_res")
    params = single_res.init(jax.random.key(0), SingleResSettings(3, 2, head_hidden=4), DIM)
    params = jax.tree.map(lambda leaf: leaf.astype("float64"), params)
    host = jax.tree.map(np.asarray, params)
    rng = np.random.default_rng(0)
    x, mask = rng.normal(size=(3, 9, 2)), rng.random((3, 9)) < 0.3
    expected = x.copy()
    for row, known in zip(expected, mask):
        given = np.where(known[:, None], row, 0)
        extra = oracle.context(host, given, known)
        for t in np.flatnonzero(~known):
            left = oracle.forward_state(host, row, t - 1, extra)
            right = oracle.backward_state(host, given, known, t + 1, extra)
            row[t] = oracle.head(host["heads"], 0, left, right)[0]
    np.testing.assert_allclose(single_res.impute(params, x, mask), expected, atol=1e-12)
    assert single_res.losses == registry.get("naomi").losses
    with pytest.raises(InputError, match="levels: 5; SingleRes has 1"):
        SingleResSettings(levels=5)
