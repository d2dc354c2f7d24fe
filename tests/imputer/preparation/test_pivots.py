"""Pivots, lines and curves, against loops over columns and series; windows and classes."""

import numpy as np
import pytest

from naomi_jax.imputer.preparation import classes, pivots
from naomi_jax.imputer.preparation.panel import series_windows
from tests.imputer.panels import holed, panel


def irregular(seed, lengths):
    """Several series with holes at every edge, one column without a value in one series."""
    values = holed(seed, (sum(lengths), 3), share=0.5)
    values[: lengths[0], 0] = np.nan
    steps = np.random.default_rng(seed).uniform(0.1, 3, len(values))
    times = np.concatenate([np.cumsum(part) for part in np.split(steps, np.cumsum(lengths)[:-1])])
    return panel(values, lengths, times)


def by_series(panel):
    for begin, end in zip(panel.bounds[:-1], panel.bounds[1:]):
        for column in range(panel.values.shape[1]):
            yield slice(begin, end), column


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lengths", [(30,), (1, 20, 2, 9)])
def test_the_line_is_that_of_interp(seed, lengths):
    given = irregular(seed, lengths)
    found = pivots.line(given, pivots.pivots(given.observed, given))
    for rows, column in by_series(given):
        values, times = given.values[rows, column], given.times[rows]
        known = ~np.isnan(values)
        if known.any():
            right = np.interp(times, times[known], values[known])
            np.testing.assert_allclose(found[rows, column], right, atol=1e-12)
            assert np.array_equal(found[rows, column][known], values[known])
        else:
            assert np.isnan(found[rows, column]).all()


@pytest.mark.parametrize("seed", range(3))
def test_pivots_are_the_nearest_known_rows_of_the_series(seed):
    """What lies beyond them, the gap between them and the distance to the nearer one, too."""
    given = irregular(seed, (7, 1, 12))
    sides = pivots.pivots(given.observed, given)
    beyond = pivots.outer(given, sides)
    gap, near = pivots.gap(given, sides), pivots.distance(given, sides)
    for rows, column in by_series(given):
        known = np.flatnonzero(given.observed[rows, column]) + rows.start
        for row in range(rows.start, rows.stop):
            before, after = (
                max(known[known <= row], default=-1),
                min(known[known >= row], default=20),
            )
            assert (sides.before[row, column], sides.after[row, column]) == (before, after)
            inside = before >= 0 and after < 20
            span = given.times[after] - given.times[before] if inside else np.inf
            assert gap[row, column] == span
            times = [given.times[k] for k in (before, after) if 0 <= k < 20]
            right = min((abs(given.times[row] - t) for t in times), default=np.inf)
            assert near[row, column] == pytest.approx(right, abs=1e-12)
            if inside:
                left = max(known[known < before], default=-1)
                right = min(known[known > after], default=20)
                assert (beyond.left[row, column], beyond.right[row, column]) == (left, right)
            assert beyond.complete[row, column] == (inside and left >= 0 and right < 20)


def curve_by_hand(times, values):
    """One column of one series: Hermite's cubic with the slopes of parabolas at its ends."""
    known = np.flatnonzero(~np.isnan(values))
    found = np.interp(times, times[known], values[known]) if len(known) else values.copy()
    for left, right in zip(known[:-1], known[1:]):
        place = int(np.searchsorted(known, left))
        if place == 0 or place + 2 >= len(known):
            continue  # an outer entry is missing: the line
        slopes = []
        for three in (known[place - 1 : place + 2], known[place : place + 3]):
            parabola = np.polyfit(times[three] - times[three[1]], values[three], 2)
            slopes.append(parabola[1])
        span = times[right] - times[left]
        for row in range(left + 1, right):
            s = (times[row] - times[left]) / span
            found[row] = (
                values[left] * (1 + 2 * s) * (1 - s) ** 2
                + slopes[0] * span * s * (1 - s) ** 2
                + values[right] * s**2 * (3 - 2 * s)
                - slopes[1] * span * s**2 * (1 - s)
            )
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lengths", [(40,), (3, 30, 17)])
def test_the_curve_is_that_of_a_loop(seed, lengths):
    given = irregular(seed, lengths)
    sides = pivots.pivots(given.observed, given)
    found = pivots.curve(given, sides, pivots.outer(given, sides))
    for rows, column in by_series(given):
        right = curve_by_hand(given.times[rows], given.values[rows, column])
        np.testing.assert_allclose(found[rows, column], right, atol=1e-7)


def test_the_curve_goes_along_a_parabola():
    times = np.cumsum(np.random.default_rng(0).uniform(0.5, 2, 30))
    truth = np.stack([2 + 3 * times - times**2, 5 - times], axis=1)
    values = truth.copy()
    values[10:16, 0] = np.nan
    values[3:9, 1] = np.nan
    given = panel(values, (30,), times)
    sides = pivots.pivots(given.observed, given)
    np.testing.assert_allclose(
        pivots.curve(given, sides, pivots.outer(given, sides)), truth, rtol=1e-9
    )
    assert np.abs(pivots.line(given, sides) - truth).max() > 1  # the line does not


@pytest.mark.parametrize("length, stride", [(4, 4), (5, 2), (100, 7)])
def test_windows_cover_every_row_and_stay_in_their_series(length, stride):
    given = panel(np.zeros((31, 1)), (3, 20, 1, 7))
    covered = np.zeros(31, int)
    for first, rows in series_windows(given, length, stride):
        assert given.first[first] == given.first[first + rows - 1]
        assert rows <= length
        covered[first : first + rows] += 1
    assert covered.min() == 1


def test_a_framed_gap_has_second_known_entries_near_it():
    values = np.array([[1, 2, np.nan, 3, 4, np.nan, 5, np.nan, np.nan, 6, 7.0]]).T
    given = panel(values, (11,))
    sides = pivots.pivots(given.observed, given)
    found = pivots.framed(given, sides, pivots.outer(given, sides))[:, 0]
    assert found[2] and found[7] and not found[5] and not found[0]
    sparse = panel(np.where(np.arange(11) % 4 == 0, 1.0, np.nan)[:, None], (11,))
    sides = pivots.pivots(sparse.observed, sparse)
    assert not pivots.framed(sparse, sides, pivots.outer(sparse, sides))[1, 0]


def test_classes_tell_gaps_known_rows_and_frames_apart():
    values = np.ones((100, 4))
    values[10, 0] = np.nan  # a gap of one, framed, in a row that is known
    values[20:22, 1:] = np.nan  # a gap of two in a row of which a quarter is known
    values[30:, 3] = np.nan  # no pivot after it
    given = panel(values)
    sides = pivots.pivots(given.observed, given)
    found = classes.of(given, sides, pivots.outer(given, sides))
    assert (found[10, 0], found[20, 1], found[40, 3]) == (3, 5, classes.COUNT - 2)
    assert found[33, 3] == classes.COUNT - 1  # still near its pivot
    assert found.max() < classes.COUNT == len(classes.likeness())
    np.testing.assert_array_equal(classes.one_sided(found)[:, 3], np.arange(100) >= 30)
    assert not classes.one_sided(found)[:, :3].any()
    names = [classes.LENGTHS[classes.length(found[at])] for at in ((10, 0), (20, 1), (40, 3))]
    assert names == ["1", "2-3", "at the ends"]


def test_classes_that_are_more_alike_say_more_of_each_other():
    alike = classes.likeness()
    np.testing.assert_array_equal(alike, alike.T)
    np.testing.assert_array_equal(np.diag(alike), 1)
    assert alike[0, 4] == pytest.approx(1 / 3) and alike[0, 8] == pytest.approx(1 / 9)
    assert alike[0, 1] == alike[0, 2] == 0.5 and alike[0, 3] == 0.25
