"""What `impute` promises of any model: its parameters here are drawn at random."""

import dataclasses
import os
import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.parallel import levels, model
from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.impute import _count, _count_on_host, _impute, bucket, impute

T = 9
SIZES = dict(width=8, states=4)
CONFIGS = {
    "joint": ParallelConfig(3, passes=2, **SIZES),
    "shared": ParallelConfig(3, passes=2, columns="shared", **SIZES),
    "stochastic": ParallelConfig(2, passes=2, depth=1, stochastic=True, covariates=2, **SIZES),
    "pairs": ParallelConfig(4, passes=2, columns="pairs", **SIZES),
    "mixture": ParallelConfig(
        4, passes=2, depth=1, columns="pairs", stochastic=True, components=3, **SIZES
    ),
    "once": ParallelConfig(2, depth=1, **SIZES),
}


def rough(params):
    """Larger output weights, so that what an input does is seen over rounding."""
    heads = {name: jax.tree.map(lambda w: 10 * w, params[name]) for name in ("value",)}
    return {**params, **heads}


PARAMS = {name: rough(model.init(jax.random.key(1), config)) for name, config in CONFIGS.items()}


def problem(name, entries=True, batch=3, seed=0):
    """params, x, mask and keyword arguments of a model of CONFIGS."""
    rng, config = np.random.default_rng(seed), CONFIGS[name]
    x = rng.standard_normal((batch, T, config.dim)).astype(np.float32)
    mask = rng.random(x.shape if entries else x.shape[:2]) < 0.4
    more = {}
    if config.covariates:
        more["covariates"] = rng.standard_normal((batch, T, 2)).astype(np.float32)
    return PARAMS[name], x, mask, {"key": jax.random.key(2), **more}


def close(a, b, atol=2e-5):
    np.testing.assert_allclose(a, b, atol=atol)


@pytest.mark.parametrize(
    "name, entries",
    [
        pytest.param("joint", False, marks=pytest.mark.slow),
        pytest.param("shared", True, marks=pytest.mark.slow),
        pytest.param("stochastic", True, marks=pytest.mark.slow),
        ("mixture", True),
    ],
)
def test_observed_entries_stay_and_missing_ones_are_not_looked_at(name, entries):
    params, x, mask, more = problem(name, entries)
    full = mask if entries else np.broadcast_to(mask[..., None], x.shape)
    dirty = np.where(full, x, np.nan)
    filled = np.asarray(impute(params, dirty, mask, **more))
    np.testing.assert_array_equal(filled[full], x[full])
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled, impute(params, x, mask, **more))

    def total(params, x):
        return (impute(params, x, mask, **more) ** 2).sum()

    for leaf in jax.tree.leaves(jax.jit(jax.grad(total, (0, 1)))(params, jnp.asarray(dirty))):
        assert np.isfinite(leaf).all()


@pytest.mark.parametrize(
    "name", ["joint", "shared", pytest.param("pairs", marks=pytest.mark.slow), "once"]
)
def test_every_observed_entry_moves_the_imputed_ones(name):
    params, x, mask, more = problem(name, batch=1)
    mask[0, 4] = [True] + [False] * (x.shape[-1] - 1)  # an entry of the target's own step
    # The derivative of one missing entry by every input: nonzero at each observed one.
    at = (0, 4, 1)
    slope = np.asarray(
        jax.jit(jax.grad(lambda x: impute(params, x, mask, **more)[at]))(jnp.asarray(x))
    )
    assert (np.abs(slope[mask]) > 1e-9).all()
    assert (slope[~mask] == 0).all()


@pytest.mark.parametrize("name", ["joint", "shared", "mixture"])
def test_jit_vmap_and_a_traced_mask_change_nothing(name):
    params, x, mask, more = problem(name)
    eager = impute(params, x, mask, **more)
    close(jax.jit(lambda x, mask: impute(params, x, mask, **more))(x, mask), eager)
    order = np.array([2, 0, 1])
    if name != "mixture":  # whose noise stands by place
        close(impute(params, x[order], mask[order]), eager[order])
    if name == "joint":
        close(jax.jit(jax.vmap(lambda x, m: impute(params, x, m)))(x, mask), eager)
        close(impute(params, x[1], mask[1]), eager[1])


def test_a_shared_mask_equals_it_repeated():
    params, x, mask, more = problem("joint", entries=False)
    close(
        impute(params, x, mask[0], **more),
        impute(params, x, np.broadcast_to(mask[0], mask.shape), **more),
    )


def test_both_forms_agree():
    params, x, mask, more = problem("joint")
    forms = [impute(params, x, mask, form=form, **more) for form in ("sequential", "associative")]
    close(*forms)


def test_times_count_by_their_differences():
    params, x, mask, more = problem("joint", entries=False)
    times = np.cumsum(np.random.default_rng(4).uniform(0.1, 5, T))
    late = impute(params, x, mask, times=1.7e9 + times, **more)
    close(late, impute(params, x, mask, times=times, **more), atol=1e-3)
    assert np.abs(late - impute(params, x, mask, **more)).max() > 1e-3
    close(impute(params, x, mask, times=np.arange(T)), impute(params, x, mask))


def test_an_absent_step_equals_a_missing_one():
    params, x, mask, _more = problem("once", entries=False)
    mask[:, [3, 6, 8]] = False
    rest = np.delete(np.arange(T), [3, 6, 8])
    short = impute(params, x[:, rest], mask[:, rest], times=rest.astype(np.float32))
    close(short, np.asarray(impute(params, x, mask))[:, rest])


def test_lengths_equal_shorter_sequences():
    params, x, mask, more = problem("joint")
    filled = np.asarray(impute(params, x, mask, lengths=np.array([7, T, 8]), **more))
    np.testing.assert_array_equal(filled[0, 7:], x[0, 7:])
    close(filled[0, :7], impute(params, x[0, :7], mask[0, :7], **more))


def test_a_later_pass_reads_what_the_earlier_ones_filled():
    """Entries of the coarse pass, taken for observed, leave the finer ones as they were."""
    params, x, mask, _more = problem("joint")
    filled = impute(params, x, mask)
    coarse = np.asarray(levels.passes(mask, 2)) == 1
    assert coarse.any()
    close(impute(params, filled, mask | coarse), filled)
    moved = impute(params, filled + coarse, mask | coarse)
    assert np.abs(moved - filled)[~mask & ~coarse].max() > 1e-3


def test_samples_differ_and_a_deterministic_model_repeats_itself():
    params, x, mask, more = problem("stochastic")
    samples = np.asarray(impute(params, x, mask, num_samples=3, **more))
    assert samples.shape == (3, *x.shape)
    assert np.abs(samples[0] - samples[1])[~mask].min() > 0
    np.testing.assert_array_equal(samples[:, mask], np.broadcast_to(x[mask], (3, mask.sum())))
    params, x, mask, more = problem("once")
    same = impute(params, x, mask, num_samples=2)
    np.testing.assert_array_equal(same[0], same[1])


def test_shared_columns_permute_with_their_parameters():
    params, x, mask, _more = problem("shared")
    order = np.array([2, 0, 1])
    moved = {**params, "column": params["column"][order]}
    close(
        impute(moved, x[..., order], mask[..., order]),
        np.asarray(impute(params, x, mask))[..., order],
    )


def test_pairs_stand_in_no_order_and_in_any_number():
    params, x, mask, _more = problem("pairs")
    other = [2, 3, 0, 1]
    filled = np.asarray(impute(params, x, mask))
    close(impute(params, x[..., other], mask[..., other]), filled[..., other])
    three = impute(params, np.tile(x, 2)[..., :6], np.tile(mask, 2)[..., :6])
    close(three[..., 4:], three[..., :2])  # the same player twice


@pytest.mark.parametrize("name, shared", [("stochastic", False), ("mixture", True)])
def test_samples_that_share_their_first_pass_are_samples(name, shared):
    params, x, mask, more = problem(name, entries=not shared)
    mask = mask[0] if shared else mask
    samples = impute(params, x, mask, num_samples=4, **more)
    alone = {k: np.tile(v, (4, 1, 1)) for k, v in more.items() if k != "key"}
    each = impute(
        params,
        np.tile(x, (4, 1, 1)),
        mask if shared else np.tile(mask, (4, 1, 1)),
        more["key"],
        **alone,
    )
    close(samples.reshape(each.shape), each)


def test_a_new_mask_of_a_known_size_compiles_nothing():
    params, x, _, _more = problem("once")
    rng = np.random.default_rng(0)

    def draw(known):
        return np.isin(np.arange(T), rng.permutation(T)[:known])

    impute(params, x, draw(4))
    before = _impute._cache_size()
    for known in (4, 4, 4):
        impute(params, x, draw(known))
    assert _impute._cache_size() == before


@pytest.mark.parametrize("lengths", [None, np.array([33, 20, 1])])
@pytest.mark.parametrize("count", [1, 3, 6])
def test_sizes_counted_on_the_host_are_those_of_the_levels(count, lengths):
    rng = np.random.default_rng(0)
    for share in (0, 0.1, 0.5, 0.9, 1):
        known = rng.random((3, 33, 4 if count == 1 else 1)) < share
        if lengths is not None:
            known &= (np.arange(33) < lengths[:, None])[..., None]
        expected = _count(known, lengths, count)
        np.testing.assert_array_equal(_count_on_host(known, lengths, count), expected)


def test_buckets():
    assert [bucket(n, 100) for n in (0, 1, 3, 4, 5, 7, 9, 13, 17, 49, 65, 97)] == [
        *(1, 1, 3, 4, 6, 8, 12, 16, 24, 64, 96, 100)
    ]


def test_nothing_known_and_nothing_missing():
    params, x, _mask, _more = problem("joint")
    assert np.isfinite(impute(params, x, np.zeros(T))).all()
    np.testing.assert_array_equal(impute(params, x, np.ones(T)), x)


def bad(**changes):
    params, x, mask, _more = problem("once", entries=False)
    return {"params": params, "x": x, "mask": mask, **changes}


NAN = np.full((3, T, 2), np.nan, np.float32)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(x=NAN[0, 0]), r"x: shape \(2,\)"),
        (dict(x=NAN[..., :1]), "x: shape .* the model has D = 2"),
        (dict(x=NAN), "x: nan at"),
        (dict(mask=np.ones(5)), r"mask: shape \(5,\) does not match"),
        (dict(mask=np.full(T, 0.5)), "mask: value 0.5"),
        (dict(times=np.arange(5)), r"times: shape \(5,\) does not match"),
        (dict(times=np.arange(T) % 4), "times: 0 at step 4 after 3"),
        (dict(times=np.zeros(T)), "times: 0.0 at step 1"),
        (dict(times=np.full(T, np.inf)), "times: inf at step 0"),
        (dict(times=np.full((3, T), np.nan)), "times: nan at step 0"),
        (dict(lengths=np.array([1, 2, 13])), "lengths: .* T = 9"),
        (dict(covariates=np.zeros((3, T, 1))), "covariates: .* this model reads none"),
        (dict(num_samples=0), "num_samples: 0"),
        (dict(params={}), "params: not a parameter tree"),
        (dict(params=PARAMS["pairs"], x=NAN[..., :1]), "x: 1 columns; this model reads pairs"),
    ],
)
def test_bad_input_names_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        impute(**bad(**arguments))
    assert "\n" not in str(caught.value)


def test_covariates_and_key_of_a_model_that_needs_them():
    params, x, mask, more = problem("stochastic")
    with pytest.raises(ValueError, match="key: this model is stochastic"):
        impute(params, x, mask, covariates=more["covariates"])
    with pytest.raises(ValueError, match="covariates: none; this model reads 2"):
        impute(params, x, mask, more["key"])
    with pytest.raises(ValueError, match="covariates: shape"):
        impute(params, x, mask, more["key"], covariates=more["covariates"][:, :5])
    with pytest.raises(ValueError, match="covariates: nan at"):
        impute(params, x, mask, more["key"], covariates=more["covariates"] * np.nan)


def test_the_sizes_are_read_off_the_parameters():
    for name, config in CONFIGS.items():
        if config.columns == "pairs":  # of any number
            config = dataclasses.replace(config, dim=2)
        assert model.config_of(PARAMS[name]) == config


def test_sizes_that_cannot_be():
    with pytest.raises(ValueError, match="columns: pairs of 3 columns"):
        ParallelConfig(3, columns="pairs")
    with pytest.raises(ValueError, match="width: 6; with pairs a multiple of 4"):
        ParallelConfig(4, columns="pairs", width=6)


SCRIPT = """
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from naomi_jax.parallel import model
from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.impute import impute
assert jax.device_count() == 8
params = model.init(jax.random.key(0), ParallelConfig(2, width=4, states=2, passes=2))
rng = np.random.default_rng(0)
x = rng.standard_normal((16, 9, 2)).astype(np.float32)
mask = rng.random(x.shape) < 0.4
split = NamedSharding(Mesh(np.array(jax.devices()), ("b",)), PartitionSpec("b"))
placed = impute(params, *jax.device_put((x, mask), split))
np.testing.assert_allclose(placed, impute(params, x, mask), atol=1e-5)
print(len(placed.sharding.device_set))
"""


def test_eight_devices_fill_as_one():
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    environment["PYTHONPATH"] = str(pathlib.Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "8", done.stderr[-3000:]
