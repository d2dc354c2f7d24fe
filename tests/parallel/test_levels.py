"""Levels against the definition, carried out gap by gap in Python."""

import itertools

import jax
import numpy as np
import pytest

from naomi_jax.parallel import levels


def by_hand(mask, count):
    """Passes of one column: every gap over 2^l has its middle filled, level by level."""
    steps = len(mask)
    known = {t for t in range(steps) if mask[t]}
    result = np.full(steps, -1)
    for level_ in reversed(range(levels.num_levels(steps))):
        pivots = sorted(known | {-1, steps})
        for i, j in itertools.pairwise(pivots):
            if j - i > 2**level_:
                result[(i + j) // 2] = min(level_, count - 1)
                known.add((i + j) // 2)
    assert len(known) == steps
    return result


@pytest.mark.parametrize("steps", range(1, 11))
def test_every_mask_of_a_short_sequence(steps):
    masks = np.array(list(itertools.product([0, 1], repeat=steps)))
    for count in (1, 2, levels.num_levels(steps)):
        found = np.asarray(levels.passes(masks, count))
        np.testing.assert_array_equal(found, [by_hand(mask, count) for mask in masks])


def test_random_masks_with_columns():
    masks = np.random.default_rng(0).random((1000, 23, 3)) < 0.3
    found = np.asarray(jax.jit(levels.levels)(masks))
    for mask, level in zip(masks, found):
        for d in range(3):
            np.testing.assert_array_equal(level[:, d], by_hand(mask[:, d], 9))


def test_each_gap_gets_one_entry_a_level_and_whole_steps_agree_over_columns():
    mask = np.random.default_rng(1).random((50, 40)) < 0.1
    level = np.asarray(levels.levels(mask))
    for known, row in zip(mask, level):
        known = known.copy()
        for level_ in reversed(range(levels.num_levels(40))):
            gaps = np.cumsum(known)
            here = gaps[row == level_]
            assert len(set(here)) == len(here)
            assert len(here) <= 41 / 2**level_
            known |= row == level_
    columns = np.asarray(levels.levels(np.broadcast_to(mask[..., None], (50, 40, 3))))
    np.testing.assert_array_equal(columns, np.broadcast_to(level[..., None], (50, 40, 3)))


def test_a_shorter_sequence_has_its_virtual_pivot_at_its_own_end():
    mask = np.zeros((2, 12), bool)
    mask[:, 2] = True
    found = np.asarray(levels.levels(mask, np.array([7, 12])))
    np.testing.assert_array_equal(found[0, :7], by_hand(mask[0, :7], 9))
    assert (found[0, 7:] == -1).all()


def test_the_dump_can_be_read():
    text = levels.describe(np.array([1, 0, 0, 0, 0, 0, 1, 0, 0]), 2)
    assert text == "#10110#10\nT = 9, R = 2; pass 1: 4, pass 0: 3"


@pytest.mark.parametrize("steps", [1, 5, 9, 12])
def test_no_mask_has_more_entries_of_high_levels_than_the_bound(steps):
    masks = (np.arange(2**steps)[:, None] >> np.arange(steps)) & 1
    index = np.asarray(levels.levels(masks))
    for level in range(levels.num_levels(steps)):
        most = (index >= level).sum(1).max()
        assert most <= levels.most_of(level, steps) <= 2 * max(most, 1)
