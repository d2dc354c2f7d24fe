"""The promises of naomi_jax.impute."""

import re

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
from naomi_jax.recursion.axes import leading
from naomi_jax.recursion.cells import gru
from naomi_jax.recursion.decoding import schedule
from tests.recursion import oracle

STEPS, DIM = 20, 2
KEY = jax.random.key(3)
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
        eager = naomi_jax.impute(params, x[:1, :4], mask[:1, :4])
    np.testing.assert_allclose(naomi_jax.impute(params, x[:1, :4], mask[:1, :4]), eager, atol=1e-6)


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
    gaps = (STEPS,) if shared else (0, 7, STEPS)  # the decode of a mask for each has three lengths
    for gap in gaps:
        example = np.broadcast_to(np.arange(STEPS) >= gap, mask[0].shape if shared else mask.shape)
        naomi_jax.impute(stochastic, x, example.astype(np.float32), jax.random.key(0))
    before = imputation._impute._cache_size(), step._cache_size()
    for seed in range(3):
        new = data(seed=seed + 1)[1]
        new = new[0] if shared else new
        naomi_jax.impute(stochastic, x, new, jax.random.key(seed))
        step(stochastic, x, new, jax.random.key(seed))
    assert (imputation._impute._cache_size(), step._cache_size()) == before


def ticks_of(mask):
    """Of the decode of a concrete mask: the longest loop of its program."""
    params = naomi_jax.init(jax.random.key(0), naomi_jax.ModelConfig(DIM, 3, 1, 3, 3))
    x = np.zeros((*mask.shape, DIM), np.float32)
    program = str(jax.make_jaxpr(lambda x: naomi_jax.impute(params, x, mask))(x))
    return max(int(length) for length in re.findall(r"length=(\d+)", program))


def test_few_missing_steps_take_few_ticks():
    mask = np.ones((1, 100))
    assert ticks_of(mask) < 1.2 * 100 and schedule.max_ticks(100, 3) > 1.7 * 100
    mask[:, 40:44] = 0
    assert ticks_of(mask) < 1.2 * 100, "a short gap"
    mask[:, 10:50] = 0
    assert 1.2 * 100 < ticks_of(mask) < 0.9 * schedule.max_ticks(100, 3), "a longer one"
    assert ticks_of(mask * 0) == schedule.max_ticks(100, 3), "everything"
    both = np.concatenate([mask * 0 + 1, mask * 0])
    assert ticks_of(both) == schedule.max_ticks(100, 3), "one of two"


@pytest.mark.parametrize(
    "shape, lengths",
    [((STEPS,), np.array([20, 9, 1])), ((3, STEPS), None), ((3, STEPS, DIM), None)],
)
def test_as_many_ticks_as_a_mask_needs_change_nothing(stochastic, shape, lengths):
    x, _ = data()
    traced = jax.jit(naomi_jax.impute)
    rng = np.random.default_rng(0)
    sizes = set()
    for share in (0, 0.1, 0.3, 0.5, 0.9, 1):
        mask = rng.random(shape) >= share
        found = naomi_jax.impute(stochastic, x, mask, KEY, lengths=lengths)
        expected = traced(stochastic, x, mask, KEY, lengths=lengths)
        # Two programs: XLA need not round alike, and as the tests run it does not always.
        np.testing.assert_allclose(found, expected, atol=1e-6)
        sizes.add(imputation._updates(mask, lengths, x.shape, 3))
    assert len(sizes) > 1, "of more than one length"


def test_gradients_of_fewer_ticks(params):
    """Rows of new states begin where they did: the products of the weights' gradients find them."""
    x, _ = data()
    mask = np.ones((3, STEPS))
    mask[:, 5:8] = 0
    loss = lambda p, x, m: jnp.sin(naomi_jax.impute(p, x, m)).sum()  # noqa: E731
    assert imputation._updates(mask, None, x.shape, 4) < schedule.max_backward_ticks(STEPS, 4)
    one = jax.jit(jax.grad(lambda p, x: loss(p, x, mask), argnums=(0, 1)))(params, x)
    other = jax.jit(jax.grad(loss, argnums=(0, 1)))(params, x, mask)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), one, other)


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
@pytest.mark.parametrize(
    "layers,context,stochastic",
    [(1, True, False), pytest.param(2, False, True, marks=pytest.mark.slow), (2, True, True)],
)
def test_steps_observed_in_part_equal_the_recursion(layers, context, stochastic):
    config = naomi_jax.ModelConfig(3, 4, layers, 3, 5, stochastic, layers == 2, context)
    rng = np.random.default_rng(0)
    params = naomi_jax.init(jax.random.key(0), config, jnp.float64)
    params = jax.tree.map(lambda p: rng.standard_normal(p.shape) * 0.6, params)
    direction = jax.tree.map(lambda p: rng.standard_normal(p.shape), params)
    x, dx = rng.standard_normal((2, 2, 20, 3))
    entries = rng.random((2, 20, 3)) < 0.6
    entries[:, 0] = True
    entries[0, 5:9] = False
    cotangent = rng.standard_normal(x.shape)
    key = jax.random.key(5)
    h = 1e-30
    moved = jax.tree.map(lambda p, d: p + 1j * h * d, params, direction)

    def scalar(params, x, entries):
        filled = naomi_jax.impute(params, x, entries, key)
        return (filled * cotangent[: len(filled)]).sum(), filled

    gradient = jax.jit(jax.grad(scalar, argnums=(0, 1), has_aux=True))
    # One sequence has a schedule of its own, two walk in lockstep.
    for rows in ([0], [0, 1]):
        (d_params, d_x), filled = gradient(params, x[rows], entries[rows])
        noise = jax.random.normal(key, (1, 20, len(rows), 3), jnp.float64)
        noise = np.asarray(noise)[0].swapaxes(0, 1)
        expected = np.stack(
            [
                oracle.impute(
                    moved, (x + 1j * h * dx)[b], entries[b].all(-1), noise[b], entries[b]
                )[0]
                for b in rows
            ]
        )
        np.testing.assert_allclose(filled, expected.real, atol=1e-10)
        slope = jax.tree.map(lambda g, d: (g * d).sum(), d_params, direction)
        slope = sum(jax.tree.leaves(slope)) + (d_x * dx[rows]).sum()
        reference = (expected.imag / h * cotangent[rows]).sum()
        assert abs(slope - reference) <= 1e-10 * max(1, abs(reference))


def test_one_sequence_without_a_batch_has_entries_too(params):
    x, _ = data()
    entries = np.random.default_rng(0).random(x.shape) < 0.5
    alone = naomi_jax.impute(params, x[0], entries[0])
    np.testing.assert_allclose(alone, naomi_jax.impute(params, x, entries)[0], atol=1e-6)


@pytest.mark.parametrize("step", [6, 7])
@pytest.mark.parametrize("context", [False, True])
def test_a_step_observed_in_part_moves_its_neighbors(step, context):
    """In the initial backward pass and in the later ones.

    The gap is 1 .. 7, with x_4 decoded first, x_2 next, x_1 third. hb_8, the first pivot, has not
    seen steps 6 and 7. The second pivot, hb_4, was computed after x_4 from hb_7, hb_6, hb_5 of the
    initial pass: its I_7 and I_6 are [0, known entries]. x_3 and x_2 read it.
    """
    config = naomi_jax.ModelConfig(2, 8, 1, 3, 6, context=context)
    params = naomi_jax.init(jax.random.key(0), config)
    x, _ = data(1, steps=9)
    entries = np.ones(x.shape, bool)
    entries[:, 1:8] = False
    entries[:, step, 0] = True
    before = naomi_jax.impute(params, x, entries)
    x[:, step, 0] += 1
    moved = np.abs(naomi_jax.impute(params, x, entries) - before)[0].max(-1)
    assert (moved[1:4] > 1e-5).all() and (moved[[0, 8]] == 0).all()


@pytest.mark.parametrize("mask_of_each", [False, True])
def test_every_observed_entry_matters(mask_of_each):
    """Moving it moves what is imputed at other steps, also where its own step is known in part."""
    config = naomi_jax.ModelConfig(2, 8, 2, 3, 6)
    params = naomi_jax.init(jax.random.key(0), config)
    x, _ = data(2)
    entries = np.random.default_rng(3).random(x.shape) < 0.3
    # The last step has none after it: only the backward encoder can carry what is known of it.
    entries[:, -1], entries[:, -4:-1], entries[:, 0] = [True, False], False, False
    x, entries = (x, entries) if mask_of_each else (x[0], entries[0])
    weight = np.random.default_rng(4).standard_normal(x.shape)

    def elsewhere(x, step):
        filled = naomi_jax.impute(params, x, entries)
        others = leading(jnp.arange(STEPS)[:, None] != step, weight.ndim)
        return (filled * weight * others).sum()

    slope = jax.jit(jax.vmap(jax.grad(elsewhere), in_axes=(None, 0)))(x, np.arange(STEPS))
    slope = np.moveaxis(np.asarray(slope), 0, -3)
    own = slope[..., np.arange(STEPS), np.arange(STEPS), :]
    assert (np.abs(own[entries]) > 0).all()
    assert (own[~entries] == 0).all()


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
    right = oracle.backward_state(params, x, known[:, None], 2 * stride, extra)
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
    turning = naomi_jax.init(jax.random.key(0), config, recurrent_init=gru.rotations(0.3))
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


def test_recurrent_weights_may_start_from_any_of_jax_s_initializers():
    config = naomi_jax.ModelConfig(2, 5, layers=2, levels=2, head_hidden=3)
    orthogonal = jax.nn.initializers.orthogonal()
    params = naomi_jax.init(jax.random.key(0), config, recurrent_init=orthogonal)
    found = [layer["wh"][:, 10:] for name in ("gru", "back_gru") for layer in params[name]]
    for n in found:
        np.testing.assert_allclose(n @ n.T, np.eye(5), atol=1e-6)
    assert not np.allclose(found[0], found[1]), "each from a key of its own"


@pytest.mark.parametrize("angle", [-0.1, 4.0])
def test_a_wrong_angle_is_named(angle):
    with pytest.raises(ValueError, match=f"largest_angle: {angle} is not an angle from 0 to pi"):
        gru.rotations(angle)


def test_a_seed_is_not_a_key(params, stochastic):
    for call in (
        lambda: naomi_jax.init(5, CONFIG),
        lambda: naomi_jax.impute(stochastic, **GOOD, key=5),
        lambda: naomi_jax.impute(params, **GOOD, key=5),
    ):
        with pytest.raises(TypeError, match=r"key: 5 is not a random key; use jax.random.key\(5\)"):
            call()
    old_style = jax.random.PRNGKey(5)
    np.testing.assert_array_equal(
        naomi_jax.impute(stochastic, **GOOD, key=old_style),
        naomi_jax.impute(stochastic, **GOOD, key=jax.random.key(5)),
    )


def test_a_stochastic_model_needs_a_key(stochastic):
    with pytest.raises(ValueError, match="key: this model is stochastic"):
        naomi_jax.impute(stochastic, **GOOD)


def test_parameters_that_do_not_fit_together_are_named(params):
    broken = {**params, "back_gru": params["gru"]}
    with pytest.raises(ValueError, match=r"params\['back_gru'\]\[0\]\['wx'\]: shape \(6, 24\)"):
        naomi_jax.impute(broken, **GOOD)


@pytest.mark.parametrize(
    "change",
    [dict(dim=0), dict(levels=11), dict(hidden=2.0), dict(layers=True)],
)
def test_a_wrong_size_is_named(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        naomi_jax.ModelConfig(**{"dim": 2, **change})
