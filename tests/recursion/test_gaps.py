"""Gaps against numpy's own interpolation and against a search for the neighbours."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from naomi_jax.recursion import gaps

STEPS = 9
entries = hnp.arrays(bool, (STEPS, 2, 2), elements=st.booleans())


@settings(max_examples=40, deadline=None)
@given(entries)
def test_the_line_is_numpys(known):
    x = np.random.default_rng(0).standard_normal(known.shape).astype(np.float32)
    line = gaps.line(x, known)
    for b, d in np.ndindex(2, 2):
        at = np.flatnonzero(known[:, b, d])
        expected = np.interp(np.arange(STEPS), at, x[at, b, d]) if len(at) else np.zeros(STEPS)
        np.testing.assert_allclose(line[:, b, d], expected, atol=1e-6)
    assert (np.asarray(line)[known] == x[known]).all()


@settings(max_examples=40, deadline=None)
@given(entries, st.integers(1, STEPS))
def test_distances_lead_to_the_neighbours(known, length):
    known = known[..., 0] & (np.arange(STEPS) < length)[:, None]
    distances = np.asarray(gaps.distances(known, np.array([length, length])))
    for t, b in np.ndindex(length, 2):
        before = max([s for s in range(t) if known[s, b]], default=-1)
        after = min([s for s in range(t + 1, STEPS) if known[s, b]], default=length)
        assert distances[t, b].tolist() == [t - before, after - t]
    assert (distances > 0).all(), "their logarithms are taken"


def test_a_mask_may_be_shared():
    x = np.random.default_rng(0).standard_normal((STEPS, 3, 2)).astype(np.float32)
    known = np.arange(STEPS) % 4 == 0
    each = np.broadcast_to(known[:, None, None], x.shape)
    np.testing.assert_array_equal(gaps.line(x, known[:, None, None]), gaps.line(x, each))
