"""What callers hand over as arrays: taken as it is, or refused with what to pass instead."""

import datetime
import decimal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naomi_jax
from naomi_jax import parallel
from naomi_jax.recursion import arrays

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 12, 2))  # float64: its digits do not fit into float32
MASK = RNG.random((3, 12)) < 0.4
MASK[:, 0] = True
LENGTHS = np.array([12, 7, 3])


@pytest.fixture(scope="module")
def fills():
    """`impute` of both methods, deterministic and stochastic, with their parameters."""
    key, found = jax.random.key(0), {}
    for stochastic in (False, True):
        kind = "stochastic" if stochastic else "deterministic"
        config = naomi_jax.ModelConfig(2, 4, 1, 3, 4, stochastic=stochastic)
        sizes = parallel.ParallelConfig(2, width=4, depth=1, states=2, passes=2)
        sizes = parallel.ParallelConfig(**{**vars(sizes), "stochastic": stochastic})
        for room, params in (
            (naomi_jax, naomi_jax.init(key, config)),
            (parallel, parallel.init(key, sizes)),
        ):
            found[room.__name__, kind] = lambda *a, f=room.impute, p=params, **o: f(p, *a, **o)
    return found


STOCHASTIC = [("naomi_jax", "stochastic"), ("naomi_jax.parallel", "stochastic")]
METHODS = [("naomi_jax", "deterministic"), ("naomi_jax.parallel", "deterministic")]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method[0])
def test_float64_comes_back_bit_for_bit(fills, method):
    filled = fills[method](X, MASK)
    assert isinstance(filled, np.ndarray) and filled.dtype == np.float64
    assert (filled[MASK] == X[MASK]).all() and (X[MASK] != X[MASK].astype(np.float32)).any()
    narrow = fills[method](X.astype(np.float32), MASK)
    assert isinstance(narrow, jax.Array) and narrow.dtype == np.float32
    np.testing.assert_array_equal(filled[~MASK], np.asarray(narrow)[~MASK])


@pytest.mark.parametrize("method", STOCHASTIC, ids=lambda method: method[0])
def test_float64_with_samples_lengths_and_a_single_sequence(fills, method):
    key, beyond = jax.random.key(1), np.arange(12) >= LENGTHS[:, None]
    kept = MASK | beyond
    filled = fills[method](X, MASK, key, num_samples=2, lengths=LENGTHS)
    assert filled.shape == (2, *X.shape) and filled.dtype == np.float64
    assert (filled[:, kept] == X[kept]).all() and not (filled[:, ~kept] == X[~kept]).any()
    if method == STOCHASTIC[0]:
        single = fills[method](X[0], MASK[0], key, num_samples=2)
        assert single.shape == (2, 12, 2) and (single[:, MASK[0]] == X[0][MASK[0]]).all()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method[0])
def test_float64_that_is_traced_is_as_jax_has_it(fills, method):
    assert jax.eval_shape(lambda mask: fills[method](X, mask), MASK).dtype == np.float32
    assert jax.eval_shape(fills[method], X, MASK).dtype == np.float32


def test_float64_where_jax_has_it(fills, x64):
    filled = fills[METHODS[0]](X, MASK)
    assert isinstance(filled, jax.Array) and filled.dtype == np.float64
    assert (np.asarray(filled)[MASK] == X[MASK]).all()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method[0])
def test_other_forms_of_the_same_numbers(fills, method):
    expected = fills[method](X, MASK)
    for x in (X.astype(">f8"), X.tolist(), np.asfortranarray(X)):
        np.testing.assert_array_equal(fills[method](x, MASK.tolist()), expected)
    for kind in (">f4", np.float16)[: 2 if method == METHODS[0] else 1]:  # each type compiles
        filled = fills[method](X.astype(kind), MASK.astype(">i4"))
        assert filled.dtype == np.dtype(kind).newbyteorder("=")
        assert (np.asarray(filled)[MASK] == X.astype(kind)[MASK]).all()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method[0])
def test_a_value_beyond_float32_is_said(fills, method):
    with pytest.raises(ValueError, match=r"x: 1e\+39 at \(0, 0, 0\) is too large for float32"):
        fills[method](np.full(X.shape, 1e39), np.ones(12))


def test_frames_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.5, None, 2.5], "b": [1, 2, 3]})
    np.testing.assert_array_equal(arrays.numeric("x", frame), [[1.5, 1], [np.nan, 2], [2.5, 3]])
    for wrong in (frame.convert_dtypes(), pandas.Series(["a", "b"])):
        with pytest.raises(
            TypeError, match=r"x: dtype object; .* pass x.to_numpy\(dtype=float, na"
        ):
            arrays.numeric("x", wrong)


WRONG = [
    (None, "x: None; pass a NumPy or JAX array"),
    ("abc", "x: a str; pass a NumPy or JAX array"),
    ({"a": 1}, "x: a dict; pass a NumPy or JAX array"),
    ([[1.0, 2.0], [None, 3.0]], "x: dtype object; .* pass np.array.x, dtype=float.*NaN of None"),
    (np.array([1, None]), "x: dtype object; numbers are needed: pass np.array"),
    ([decimal.Decimal(1)], "x: dtype object; numbers are needed: pass np.array"),
    ([[1.0], [1.0, 2.0]], "x: a list that is no array .*; pass a NumPy or JAX array"),
    (["1", "2"], "x: dtype <U1; numbers are needed"),
    (np.ones(2, complex), "x: dtype complex128; numbers are needed, and real ones"),
    (np.array(["2020-01-01"], "M8[s]"), r"x: dtype datetime64\[s\]; .*: pass seconds, such as"),
    ([datetime.datetime(2020, 1, 1)], "x: dtype object; numbers are needed"),
    (np.zeros(2, [("a", "f4")]), "x: dtype .*; numbers are needed"),
    (np.ma.array([1.0, 2.0], mask=[0, 1]), r"x: a masked array; pass x.filled\(np.nan\)"),
    (jax.random.key(0), "x: dtype key.*; numbers are needed"),
]


@pytest.mark.parametrize("value,message", WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_what_is_no_array_of_numbers(value, message):
    with pytest.raises(TypeError, match=message) as caught:
        arrays.numeric("x", value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(np.longdouble(1).itemsize == 8, reason="longdouble is double here")
def test_a_precision_that_jax_does_not_have():
    with pytest.raises(TypeError, match=r"x: dtype float128; .* pass x.astype\(np.float64\)"):
        arrays.numeric("x", np.ones(2, np.longdouble))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method[0])
@pytest.mark.parametrize("name", ["x", "mask", "lengths", "times", "covariates"])
def test_every_argument_is_named(fills, method, name):
    if name in ("times", "covariates") and method[0] == "naomi_jax":
        pytest.skip("an argument of the other method")
    arguments = {"x": X, "mask": MASK, name: [[1, "a"], [None, 2]]}
    with pytest.raises(TypeError, match=f"^{name}: dtype object; numbers are needed"):
        fills[method](**arguments)


@pytest.mark.parametrize("method", METHODS + STOCHASTIC, ids="-".join)
@pytest.mark.parametrize(
    "key,message",
    [
        (5, r"key: 5 is not a random key; use jax.random.key\(5\)"),
        (np.int64(7), r"not a random key; use jax.random.key\(7\)"),
        ("seed", r"key: 'seed' is not a random key; use jax.random.key\(0\)"),
    ],
)
def test_a_seed_is_not_a_key(fills, method, key, message):
    with pytest.raises(TypeError, match=message):
        fills[method](X, MASK, key)


def test_many_keys_are_not_one(fills):
    with pytest.raises(TypeError, match=r"key: an array of 2 keys; pass one of them"):
        fills[STOCHASTIC[0]](X, MASK, jax.random.split(jax.random.key(0)))


def test_lists_of_traced_values_and_objects_that_are_arrays():
    class Wrapped:
        def __jax_array__(self):
            return jnp.ones(2)

    assert jax.jit(lambda a: arrays.numeric("x", [a, a]))(jnp.ones(2)).shape == (2, 2)
    assert arrays.numeric("x", Wrapped()).shape == (2,)
