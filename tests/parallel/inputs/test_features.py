"""What the encoder reads, on sequences whose curves are known."""

import jax.numpy as jnp
import numpy as np

from naomi_jax.parallel.inputs import features
from naomi_jax.parallel.inputs.geometry import geometry


def of_targets(x, known, times=None):
    """(line, bends) of x (T,) at every step."""
    steps = len(x)
    times = np.arange(steps) if times is None else times
    known = jnp.asarray(known, bool)[None, :, None]
    at = jnp.arange(steps)[None]
    place = geometry(known, at, at >= 0, jnp.asarray(times, jnp.float32)[None], steps)
    values = jnp.where(place.known, jnp.asarray(x, jnp.float32)[place.events[0]][None, :, None], 0)
    _, _, slopes = features.event_features(values, place, True)
    own = jnp.where(known, jnp.asarray(x, jnp.float32)[None, :, None], 0)
    line, _, _, _, bends = features.target_features(values, own, known, place, slopes)
    return np.asarray(line)[0, :, 0], np.asarray(bends)[0, :, 0]


def test_half_the_bends_are_a_curve_through_evenly_spaced_entries():
    """At the middle between two of four, the cubic through them: weights -1, 9, 9, -1 over 16."""
    known = np.zeros(13)
    known[[0, 4, 8, 12]] = 1
    x = np.where(known, 0.02 * np.random.default_rng(0).standard_normal(13), np.nan)
    line, bends = of_targets(np.nan_to_num(x), known)
    want = (-x[0] + 9 * x[4] + 9 * x[8] - x[12]) / 16
    np.testing.assert_allclose(line[6] + bends[6].sum() / 2, want, atol=1e-5)
    np.testing.assert_array_equal(bends[[4, 8]], 0)


def test_beyond_the_ends_a_bend_is_the_line_through_the_last_two():
    times = np.array([0.0, 1, 3, 4, 6, 6.5])
    x = np.array([0, 0, 0.1, 0.14, 0, 0]) / 10  # 0.004 a unit of time
    line, bends = of_targets(x, [0, 0, 1, 1, 0, 0], times)
    np.testing.assert_allclose((line + bends[:, 0])[4:], [0.022, 0.024], atol=1e-5)
    np.testing.assert_allclose((line + bends[:, 1])[:2], [-0.002, 0.002], atol=1e-5)
    np.testing.assert_array_equal(bends[:2, 0], 0)
    np.testing.assert_array_equal(bends[4:, 1], 0)


def test_without_a_second_entry_there_is_no_bend():
    _, bends = of_targets(np.array([0, 0.5, 0, 0, 0.7, 0]), [0, 1, 0, 0, 1, 0])
    np.testing.assert_array_equal(bends[2:4], 0)  # between two entries and nothing beyond them
    _, bends = of_targets(np.zeros(4), np.zeros(4))
    np.testing.assert_array_equal(bends, 0)
