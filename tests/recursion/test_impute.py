"""The promises of naomi_jax.impute."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import naomi_jax
from naomi_jax.recursion import impute as imputation
from naomi_jax.recursion import model
from tests.recursion import oracle

STEPS, DIM = 20, 2
CONFIG = naomi_jax.ModelConfig(dim=DIM, hidden=8, layers=2, levels=4, head_hidden=6, context=True)


@pytest.fixture(scope="module")
def params():
    return naomi_jax.init(jax.random.key(0), CONFIG)


@pytest.fixture(scope="module")
def stochastic():
    config = naomi_jax.ModelConfig(
        dim=DIM, hidden=8, levels=3, layers=1, head_hidden=6, stochastic=True
    )
    return naomi_jax.init(jax.random.key(0), config)


def data(batch=3, seed=0, steps=STEPS):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((batch, steps, DIM)).astype(np.float32)
    mask = (rng.random((batch, steps)) < 0.3).astype(np.float32)
    return x, mask


masks = hnp.arrays(bool, (3, STEPS), elements=st.booleans())


@settings(max_examples=25, deadline=None)
@given(masks)
def test_observed_entries_are_bit_identical_and_nan_under_the_mask_is_harmless(params, mask):
    x, _ = data()
    poisoned = np.where(mask[..., None], x, np.nan)
    filled = np.asarray(naomi_jax.impute(params, poisoned, mask))
    assert np.isfinite(filled).all()
    assert (filled[mask] == x[mask]).all()
    np.testing.assert_array_equal(filled, naomi_jax.impute(params, x, mask))


def test_nan_under_the_mask_is_harmless_in_gradients(params):
    x, mask = data()
    poisoned = np.where(mask[..., None] != 0, x, np.nan)

    def scalar(params, x):
        return jnp.sin(naomi_jax.impute(params, x, mask)).sum()

    clean = jax.grad(scalar, argnums=(0, 1))(params, x)
    dirty = jax.grad(scalar, argnums=(0, 1))(params, poisoned)
    jax.tree.map(np.testing.assert_array_equal, clean, dirty)
    assert (np.asarray(dirty[1])[mask == 0] == 0).all()


@settings(max_examples=15, deadline=None)
@given(masks)
def test_vmap_equals_loop_equals_batch(params, mask):
    x, _ = data()
    batch = naomi_jax.impute(params, x, mask)
    loop = jnp.stack([naomi_jax.impute(params, a, m) for a, m in zip(x, mask)])
    vmapped = jax.vmap(lambda a, m: naomi_jax.impute(params, a, m))(x, mask)
    np.testing.assert_allclose(batch, loop, atol=1e-6)
    np.testing.assert_allclose(vmapped, loop, atol=1e-6)


def test_shared_mask_equals_the_same_mask_for_each(params):
    x, mask = data()
    shared = naomi_jax.impute(params, x, mask[0])
    each = naomi_jax.impute(params, x, np.broadcast_to(mask[0], mask.shape))
    np.testing.assert_allclose(shared, each, atol=1e-6)


def test_batch_order_is_irrelevant(params):
    x, mask = data()
    order = [2, 0, 1]
    moved = naomi_jax.impute(params, x[order], mask[order])
    np.testing.assert_allclose(
        moved, naomi_jax.impute(params, x, mask)[jnp.array(order)], atol=1e-6
    )


def test_jit_equals_eager(params):
    x, mask = data()
    with jax.disable_jit():
        eager = naomi_jax.impute(params, x[:1, :6], mask[:1, :6])
    np.testing.assert_allclose(naomi_jax.impute(params, x[:1, :6], mask[:1, :6]), eager, atol=1e-6)


def test_grad_through_vmap_and_jit_equals_grad_of_batch(params):
    x, mask = data()

    @jax.jit
    def through_vmap(params, x, mask):
        filled = jax.vmap(lambda a, m: naomi_jax.impute(params, a, m))(x, mask)
        return jnp.square(filled).sum()

    def through_batch(params, x, mask):
        return jnp.square(naomi_jax.impute(params, x, mask)).sum()

    one = jax.grad(through_vmap, argnums=(0, 1))(params, x, mask)
    other = jax.grad(through_batch, argnums=(0, 1))(params, x, mask)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-4), one, other)


def test_gradient_of_each_sequence(params):
    """vmap of grad."""
    x, mask = data()

    def scalar(x, mask):
        return jnp.square(naomi_jax.impute(params, x, mask)).sum()

    each = jax.vmap(jax.grad(scalar))(x, mask)
    one = jax.grad(scalar)(x[1], mask[1])
    np.testing.assert_allclose(each[1], one, atol=1e-5)


@pytest.mark.parametrize("shared", [True, False])
def test_a_new_mask_or_key_compiles_nothing(stochastic, shared):
    x, mask = data()
    step = jax.jit(naomi_jax.impute)
    step(stochastic, x, mask[0] if shared else mask, jax.random.key(0))
    naomi_jax.impute(stochastic, x, mask[0] if shared else mask, jax.random.key(0))
    before = imputation._impute._cache_size(), step._cache_size()
    for seed in range(3):
        new = data(seed=seed + 1)[1]
        new = new[0] if shared else new
        naomi_jax.impute(stochastic, x, new, jax.random.key(seed))
        step(stochastic, x, new, jax.random.key(seed))
    assert (imputation._impute._cache_size(), step._cache_size()) == before


def test_samples(stochastic):
    x, mask = data()
    key = jax.random.key(1)
    one = naomi_jax.impute(stochastic, x, mask, key)
    samples = naomi_jax.impute(stochastic, x, mask, key, num_samples=4)
    assert samples.shape == (4, *x.shape)
    np.testing.assert_array_equal(
        samples, naomi_jax.impute(stochastic, x, mask, key, num_samples=4)
    )
    assert (np.asarray(samples)[:, mask != 0] == x[mask != 0]).all()
    spread = np.asarray(samples)[:, mask == 0].std(0)
    assert (spread > 0).all(), "samples differ at every missing entry"
    assert one.shape == x.shape
    single = naomi_jax.impute(stochastic, x[0], mask[0], key, num_samples=2)
    assert single.shape == (2, STEPS, DIM)


def test_deterministic_models_ignore_the_key(params):
    x, mask = data()
    plain = naomi_jax.impute(params, x, mask)
    samples = naomi_jax.impute(params, x, mask, jax.random.key(9), num_samples=2)
    np.testing.assert_array_equal(samples, np.stack([plain, plain]))


def test_lengths_are_sequences_of_their_own(params):
    x, mask = data()
    lengths = np.array([20, 7, 1])
    padded = np.where(np.arange(STEPS)[None, :, None] < lengths[:, None, None], x, np.nan)
    filled = np.asarray(naomi_jax.impute(params, padded, mask, lengths=lengths))
    for row, n in enumerate(lengths):
        alone = naomi_jax.impute(params, x[row, :n], mask[row, :n])
        np.testing.assert_allclose(filled[row, :n], alone, atol=1e-6)
        assert np.isnan(filled[row, n:]).all(), "padding comes back as it was"


def test_gradients_with_lengths(params):
    x, mask = (a[:2] for a in data())
    lengths = jnp.array([7, 1])

    def scalar(params, x):
        return jnp.sin(naomi_jax.impute(params, x, mask, lengths=lengths)).sum()

    def alone(params, x):
        parts = [
            jnp.sin(naomi_jax.impute(params, x[i, :n], mask[i, :n])).sum()
            for i, n in enumerate((7, 1))
        ]
        return sum(parts) + sum(jnp.sin(x[i, n:]).sum() for i, n in enumerate((7, 1)))

    one, other = (jax.grad(f, argnums=(0, 1))(params, x) for f in (scalar, alone))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), one, other)


@pytest.mark.usefixtures("x64")
def test_steps_observed_in_part_keep_what_is_observed():
    config = naomi_jax.ModelConfig(3, hidden=4, layers=1, levels=3, head_hidden=5, context=True)
    params = naomi_jax.init(jax.random.key(0), config, jnp.float64)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 12, 3))
    entries = rng.random((2, 12, 3)) < 0.6
    entries[:, 0] = True
    filled = naomi_jax.impute(params, np.where(entries, x, np.nan), entries)
    for row in range(2):
        expected, _ = oracle.impute(params, x[row], entries[row].all(-1), entries=entries[row])
        np.testing.assert_allclose(filled[row], expected, atol=1e-12)
    h, direction = 1e-30, rng.standard_normal(x.shape)
    slope = (jax.grad(lambda x: naomi_jax.impute(params, x, entries).sum())(x) * direction).sum()
    moved = x + 1j * h * direction
    reference = sum(
        oracle.impute(params, moved[row], entries[row].all(-1), entries=entries[row])[0].sum()
        for row in range(2)
    )
    np.testing.assert_allclose(slope, reference.imag / h, rtol=1e-10)


def test_other_float_types_come_back_as_they_went_in(params):
    x, mask = data()
    half = jnp.asarray(x, jnp.bfloat16)
    filled = naomi_jax.impute(params, half, mask)
    assert filled.dtype == jnp.bfloat16
    assert (filled == half)[mask != 0].all()


@pytest.mark.parametrize("levels", [8, 10])
def test_many_levels(levels):
    """The program does not grow with 2^levels; the oracle tests go to 6 levels, this one beyond."""
    config = naomi_jax.ModelConfig(dim=1, hidden=3, layers=1, levels=levels, head_hidden=2)
    params = naomi_jax.init(jax.random.key(0), config)
    mask = np.zeros(2 ** (levels - 1) + 90)
    mask[0] = 1
    x = np.ones((len(mask), 1), np.float32)
    known = mask != 0
    level = levels - 1
    filled = naomi_jax.impute(params, x, mask)
    if 2 ** (level + 1) > len(mask):
        level -= 1
    stride = 2**level
    extra = oracle.context(params, x, known)
    left = oracle.forward_state(params, x, 0, extra)
    right = oracle.backward_state(params, x, known, 2 * stride, extra)
    expected, _ = oracle.head(jax.tree.map(np.asarray, params["heads"]), level, left, right)
    np.testing.assert_allclose(filled[stride], expected, atol=1e-5)


GOOD = dict(x=np.zeros((4, 50, 2), np.float32), mask=np.ones((4, 50), np.float32))


@pytest.mark.parametrize(
    "change,error,message",
    [
        (
            dict(mask=np.ones((3, 50))),
            ValueError,
            r"mask: shape (3, 50) does not match x (4, 50, 2)",
        ),
        (dict(mask=np.full((4, 50), 0.5)), ValueError, "mask: value 0.5; only 0 (missing) and 1"),
        (dict(mask=np.array("a")), TypeError, "mask: dtype <U1; numbers are needed"),
        (dict(x=np.zeros((4, 50, 3), np.float32)), ValueError, "the model has D = 2"),
        (dict(x=np.zeros((50,), np.float32)), ValueError, "x: shape (50,); (T, D) or (B, T, D)"),
        (dict(x=np.zeros((4, 50, 2), int)), TypeError, "x: dtype int32; floating-point"),
        (dict(x=np.full((4, 50, 2), np.nan, np.float32)), ValueError, "x: nan at (0, 0, 0), which"),
        (dict(x=np.zeros((0, 50, 2), np.float32), mask=np.ones(50)), ValueError, "is empty"),
        (dict(num_samples=0), ValueError, "num_samples: 0 is not a positive integer"),
        (dict(lengths=np.array([1, 2])), ValueError, "lengths: shape (2,) does not match x"),
        (dict(lengths=np.array([1, 2, 3, 51])), ValueError, "from 1 to T = 50"),
        (dict(lengths=np.ones(4)), TypeError, "lengths: dtype float32; integers"),
        (dict(params={}), ValueError, "params: not a NAOMI parameter tree"),
    ],
)
def test_a_wrong_argument_is_named(params, change, error, message):
    arguments = {"params": params, **GOOD, **change}
    with pytest.raises(error) as caught:
        naomi_jax.impute(**arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("hidden", [1, 5, 6])
def test_grus_start_turning(hidden):
    config = naomi_jax.ModelConfig(2, hidden, layers=2, levels=2, head_hidden=3)
    plain = naomi_jax.init(jax.random.key(0), config)
    turning = naomi_jax.init(jax.random.key(0), dataclasses.replace(config, rotation=0.3))
    angles = np.linspace(0, 0.3, (hidden + 1) // 2)[: hidden // 2]
    eigenvalues = np.exp(1j * np.concatenate([angles, -angles, [0] * (hidden % 2)]))
    for name in ("gru", "back_gru"):
        for layer, before in zip(turning[name], plain[name]):
            found = np.linalg.eigvals(np.asarray(layer["wh"][:, 2 * hidden :], np.float64))
            np.testing.assert_allclose(
                np.sort_complex(found), np.sort_complex(eigenvalues), atol=1e-6
            )
            np.testing.assert_array_equal(
                layer["wh"][:, : 2 * hidden], before["wh"][:, : 2 * hidden]
            )
            np.testing.assert_array_equal(layer["wx"], before["wx"])
    assert model.config_of(turning) == config, "parameters do not show how they started"


def test_a_stochastic_model_needs_a_key(stochastic):
    with pytest.raises(ValueError, match="key: this model is stochastic"):
        naomi_jax.impute(stochastic, **GOOD)


def test_parameters_that_do_not_fit_together_are_named(params):
    broken = {**params, "back_gru": params["gru"]}
    with pytest.raises(ValueError, match=r"params\['back_gru'\]\[0\]\['wx'\]: shape \(6, 24\)"):
        naomi_jax.impute(broken, **GOOD)


@pytest.mark.parametrize(
    "change",
    [dict(dim=0), dict(levels=11), dict(hidden=2.0), dict(layers=True), dict(rotation=4.0)],
)
def test_a_wrong_size_is_named(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        naomi_jax.ModelConfig(**{"dim": 2, **change})
