"""The teacher-forced loss and the patterns of hiding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naomi_jax.parallel import levels, model, training
from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.hiding import Hiding, hide
from naomi_jax.parallel.impute import impute
from naomi_jax.parallel.training import teacher_forced

CONFIG = ParallelConfig(2, width=8, depth=2, states=4, passes=3)
ONCE = ParallelConfig(2, width=8, depth=1, states=4)
T = 10


def problem(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((4, T, 2)).astype(np.float32)
    return x, rng.random(x.shape) < 0.4


def test_all_targets_of_one_pass_give_the_error_of_impute():
    x, mask = problem()
    params = model.init(jax.random.key(0), ONCE)
    loss = teacher_forced(params, x, mask, jax.random.key(1), targets=T)
    miss = np.square(np.asarray(impute(params, x, mask)) - x)
    want = [miss[b][~mask[b]].mean() for b in range(4)]
    np.testing.assert_allclose(loss, np.mean(want), rtol=1e-5)
    root = teacher_forced(params, x, mask, jax.random.key(1), targets=T, error="root")
    np.testing.assert_allclose(root, np.mean(np.sqrt(np.array(want) + 1e-3)), rtol=1e-5)


def test_the_truth_of_coarser_passes_is_revealed_and_finer_is_not():
    _x, mask = problem()
    index = np.asarray(levels.passes(mask, 3))
    for seed in range(5):
        group = training._Group(slice(0, 4), 0, 3, T)
        found = training._reveal(jax.random.key(seed), 3, group, mask, ~mask, 4)
        drawn, known, wanted = (np.asarray(a) for a in found)
        for b in range(4):
            assert wanted[b].any()
            np.testing.assert_array_equal(wanted[b], index[b] == drawn[b])
            np.testing.assert_array_equal(known[b], mask[b] | (index[b] > drawn[b]))


def test_coarse_passes_are_drawn_apart_and_cost_less():
    groups = training._groups(6, (12, 50, 2), 10, 1)
    coarse, fine = groups
    assert (coarse.low, coarse.high, fine.low, fine.high) == (2, 6, 0, 2)
    assert coarse.rows == slice(0, 8) and fine.rows == slice(8, 12)
    assert coarse.events < fine.events < 50
    # Nothing is known of the masks, or columns have gaps of their own: one group of all.
    assert len(training._groups(6, (12, 50, 2), None, 1)) == 1
    assert len(training._groups(6, (12, 50, 2), 10, 2)) == 1
    assert len(training._groups(1, (12, 50, 2), 10, 1)) == 1


def test_the_bound_on_events_changes_nothing():
    """Each group's sequences, with their passes, give the error that they have without a bound."""
    config = ParallelConfig(2, width=8, depth=1, states=4, passes=4)
    params = model.init(jax.random.key(0), config)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, 20, 2)).astype(np.float32)
    mask = np.argsort(rng.random((8, 20)), axis=1) < 3
    groups = training._groups(4, x.shape, 3, 1)
    assert len(groups) == 2
    total = count = 0
    for number, group in enumerate(groups):
        key = jax.random.fold_in(jax.random.key(1), number) if number else jax.random.key(1)
        batch = training._Batch(x, mask[..., None], ~mask[..., None], np.arange(20.0)[None], None)
        encoder = training.Encoder(config, "auto", 0.0)
        wide = group._replace(events=20)
        part = jax.jit(lambda p, b: training._group_error(encoder, p, b, key, wide, 8, "squared"))(
            params, batch.rows(group.rows)
        )
        total, count = total + part[0], count + part[1]
    loss = jax.jit(
        lambda p, x: teacher_forced(p, x, mask, jax.random.key(1), targets=8, most_shown=3)
    )(params, x)
    np.testing.assert_allclose(loss, total / count, rtol=1e-5)


def test_lost_entries_are_neither_shown_nor_targets():
    x, mask = problem()
    observed = np.random.default_rng(1).random(x.shape) < 0.7
    params = model.init(jax.random.key(0), CONFIG)
    value = jax.jit(
        jax.value_and_grad(
            lambda params, x: teacher_forced(
                params, x, mask, jax.random.key(3), observed=observed, dropout=0.2
            )
        )
    )
    clean = value(params, jnp.asarray(x))
    dirty = value(params, jnp.where(observed, x, jnp.nan))
    jax.tree.map(np.testing.assert_array_equal, clean, dirty)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(clean))


def test_errors_are_named():
    x, mask = problem()
    params = model.init(jax.random.key(0), ONCE)
    with pytest.raises(ValueError, match="error: a likelihood needs a stochastic model"):
        teacher_forced(params, x, mask, jax.random.key(1), error="likelihood")
    with pytest.raises(ValueError, match="error: 'cubed'"):
        teacher_forced(params, x, mask, jax.random.key(1), error="cubed")  # pyright: ignore


NONE = dict(entries=0, steps=0, block=0, wide_block=0)


@pytest.mark.parametrize(
    "kind, holds",
    [
        ("entries", lambda h: (h.any(1) & ~h.all(1)).any()),
        ("steps", lambda h: (h.all(-1) == h.any(-1)).all()),
        ("block", lambda h: (np.diff(h, axis=1).sum(1) <= 2).all()),
        ("wide_block", lambda h: all(len({*map(bytes, s.T)} - {b"\0" * T}) == 1 for s in h)),
        ("tail", lambda h: h[:, -1].all() and not h[:, 0].any()),
        ("column", lambda h: (h.all(1) == h.any(1)).all()),
        ("holes", lambda h: h[:, 3].all() and h.sum() == h[:, 3].sum()),
    ],
)
def test_each_pattern_is_what_it_says(kind, holds):
    config = Hiding(**{**NONE, kind: 1.0}, low=0.3, high=0.6)
    holes = np.zeros((5, T, 3), bool)
    holes[:, 3] = True
    hidden = np.asarray(hide(jax.random.key(0), config, (6, T, 3), jnp.asarray(holes)))
    assert hidden.shape == (6, T, 3) and hidden.any((1, 2)).all() and holds(hidden)


def test_a_mixture_needs_its_holes_and_shares():
    with pytest.raises(ValueError, match="holes: none"):
        hide(jax.random.key(0), Hiding(holes=1.0), (2, 3, 1))
    with pytest.raises(ValueError, match="shares"):
        Hiding(**NONE)
    with pytest.raises(ValueError, match="low, high: 0.5, 0.2"):
        Hiding(low=0.5, high=0.2)
