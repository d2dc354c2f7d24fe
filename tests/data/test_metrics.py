"""The metrics against loops over sequences, objects and steps."""

import itertools

import numpy as np
import pytest

from naomi_jax.data import billiards, metrics


@pytest.fixture
def plays():
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.3, (4, 9, 6)).astype(np.float32).cumsum(1)


def tracks(play):
    """[object][step] -> point."""
    return [
        [np.array(step[2 * i : 2 * i + 2], float) for step in play]
        for i in range(len(play[0]) // 2)
    ]


def sizes(track):
    return [np.linalg.norm(b - a) for a, b in itertools.pairwise(track)]


def check(pair, expected_of_each, expected):
    total, count = (np.asarray(part) for part in pair)
    assert total.shape == count.shape == (len(expected_of_each),)
    np.testing.assert_allclose(total / count, expected_of_each, rtol=1e-5)
    assert metrics.mean(pair) == pytest.approx(expected, rel=1e-5)


def test_missing_l2(plays):
    rng = np.random.default_rng(1)
    filled = plays + rng.normal(size=plays.shape).astype(np.float32)
    mask = (rng.random((4, 9)) < 0.5).astype(np.float32)
    errors = [
        [
            (plays[b, t, d] - filled[b, t, d]) ** 2
            for t in range(9)
            for d in range(6)
            if not mask[b, t]
        ]
        for b in range(4)
    ]
    expected = np.concatenate(errors).mean()
    check(metrics.missing_l2(plays, filled, mask), [np.mean(e) for e in errors], expected)
    shared = metrics.missing_l2(plays, filled, mask[0])
    alike = metrics.missing_l2(plays, filled, np.tile(mask[:1], (4, 1)))
    np.testing.assert_array_equal(shared[0], alike[0])
    assert np.isnan(metrics.mean(metrics.missing_l2(plays, filled, np.ones(9))))


def test_missing_l2_of_single_entries(plays):
    rng = np.random.default_rng(2)
    filled = plays + rng.normal(size=plays.shape).astype(np.float32)
    mask = (rng.random(plays.shape) < 0.5).astype(np.float32)
    errors = [np.square(p - f)[m == 0] for p, f, m in zip(plays, filled, mask)]
    check(
        metrics.missing_l2(plays, filled, mask),
        [e.mean() for e in errors],
        np.concatenate(errors).mean(),
    )


def test_step_change(plays):
    each = [
        np.mean([abs(b - a) for track in tracks(p) for a, b in itertools.pairwise(sizes(track))])
        for p in plays
    ]
    check(metrics.step_change(plays), each, np.mean(each))


def test_paths(plays):
    paths = [[sum(sizes(track)) for track in tracks(p)] for p in plays]
    check(metrics.path_length(plays), np.mean(paths, 1), np.mean(paths))
    spread = [max(p) - min(p) for p in paths]
    check(metrics.path_difference(plays), spread, np.mean(spread))


def test_player_distance(plays):
    each = [
        np.mean(
            [
                np.linalg.norm(a - b)
                for first, second in itertools.combinations(tracks(p), 2)
                for a, b in zip(first, second, strict=True)
            ]
        )
        for p in plays
    ]
    check(metrics.player_distance(plays), each, np.mean(each))


def test_out_of_bounds():
    x = np.zeros((2, 3, 4), np.float32)
    x[0, 0, 0], x[0, 1, 1], x[1, 2, 3], x[1, 2, 0] = 0.52, -0.6, 0.509, -0.511
    check(metrics.out_of_bounds(x), [2 / 12, 1 / 12], 3 / 24)


def corner(turn, steps=12):
    """A ball that goes right, then up from step `turn` on."""
    t = np.arange(steps)
    return np.stack([np.minimum(t, turn), np.maximum(t - turn, 0)], -1)[None].astype(np.float32)


def test_sinuosity_counts_stretches_between_true_reflections():
    truth = corner(5)
    assert metrics.mean(metrics.sinuosity(truth, truth)) == pytest.approx(1)
    total, count = metrics.sinuosity(truth, truth)
    assert count == 2, "one stretch before the turn, one after"
    straight = corner(100)
    total, count = metrics.sinuosity(truth, straight)
    assert (total, count) == (pytest.approx(11 / np.hypot(5, 6)), 1), "one bent path of 11 steps"
    assert metrics.sinuosity(corner(9), corner(9))[1] == 1, (
        "the 2 steps after the turn are too short"
    )


def test_sinuosity_of_a_detour():
    truth = corner(100, 5)
    x = truth.copy()
    x[0, 2, 1] = 1.0
    expected = (1 + np.sqrt(2) + np.sqrt(2) + 1) / 4
    assert metrics.mean(metrics.sinuosity(x, truth)) == pytest.approx(expected)
    still = np.zeros_like(x)
    assert metrics.sinuosity(still, truth)[1] == 0, "no end-to-end distance to divide by"


def test_reflection_to_wall():
    x = np.array([[[0.0, 0.0], [0.7, 0.1], [0.5, 0.2], [-0.75, 0.3], [0.0, 0.2]]], np.float32)
    total, count = metrics.reflection_to_wall(x, 0.8)
    assert count == 3, "x at steps 1 and 3, y at step 3"
    assert total == pytest.approx((0.8 - 0.7) + (0.8 - 0.75) + (0.8 - 0.3))


def test_simulated_billiards_are_straight_between_reflections():
    x = billiards.simulate(50, 200, 0)
    assert metrics.mean(metrics.sinuosity(x, x)) == pytest.approx(1, abs=1e-4)
    assert metrics.mean(metrics.reflection_to_wall(x, billiards.WALL)) < 0.02
