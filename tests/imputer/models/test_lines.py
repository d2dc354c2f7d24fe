"""Lines and curves, against loops over columns and series."""

import numpy as np
import pytest

from naomi_jax.imputer.models import lines
from naomi_jax.imputer.preparation.panel import Panel, series_windows


def panel(values, lengths, times=None):
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    if times is None:
        times = np.concatenate([np.arange(n, dtype=float) for n in lengths])
    return Panel(values, bounds, times, np.zeros((len(values), 0)))


def holed(seed, lengths, dim=3, share=0.5, irregular=True):
    """Several series with holes at every edge, one column without a value in one series."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(sum(lengths), dim))
    values[rng.random(values.shape) < share] = np.nan
    values[: lengths[0], 0] = np.nan
    steps = rng.uniform(0.1, 3, len(values)) if irregular else np.ones(len(values))
    times = np.concatenate([np.cumsum(part) for part in np.split(steps, np.cumsum(lengths)[:-1])])
    return panel(values, lengths, times)


def by_series(panel):
    for begin, end in zip(panel.bounds[:-1], panel.bounds[1:]):
        for column in range(panel.values.shape[1]):
            yield slice(begin, end), column


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lengths", [(30,), (1, 20, 2, 9)])
def test_the_line_is_that_of_interp(seed, lengths):
    given = holed(seed, lengths)
    found = lines.line(given, lines.pivots(given.observed, given))
    for rows, column in by_series(given):
        values, times = given.values[rows, column], given.times[rows]
        known = ~np.isnan(values)
        if known.any():
            right = np.interp(times, times[known], values[known])
            np.testing.assert_allclose(found[rows, column], right, atol=1e-12)
            assert np.array_equal(found[rows, column][known], values[known])
        else:
            assert np.isnan(found[rows, column]).all()


@pytest.mark.parametrize("seed", range(5))
def test_pivots_are_the_nearest_known_rows_of_the_series(seed):
    given = holed(seed, (7, 1, 12))
    sides = lines.pivots(given.observed, given)
    for rows, column in by_series(given):
        known = np.flatnonzero(given.observed[rows, column]) + rows.start
        for row in range(rows.start, rows.stop):
            assert sides.before[row, column] == max(known[known <= row], default=-1)
            assert sides.after[row, column] == min(known[known >= row], default=20)


@pytest.mark.parametrize("seed", range(5))
def test_the_gap_is_the_time_between_pivots(seed):
    given = holed(seed, (7, 1, 12))
    sides = lines.pivots(given.observed, given)
    found = lines.gap(given, sides)
    for (row, column), before in np.ndenumerate(sides.before):
        after = sides.after[row, column]
        inside = before >= 0 and after < 20
        right = given.times[after] - given.times[before] if inside else np.inf
        assert found[row, column] == right


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


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lengths", [(40,), (3, 30, 17)])
def test_the_curve_is_that_of_a_loop(seed, lengths):
    given = holed(seed, lengths)
    sides = lines.pivots(given.observed, given)
    found = lines.curve(given, sides, lines.outer(given, sides))
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
    sides = lines.pivots(given.observed, given)
    np.testing.assert_allclose(
        lines.curve(given, sides, lines.outer(given, sides)), truth, rtol=1e-9
    )
    assert np.abs(lines.line(given, sides) - truth).max() > 1  # the line does not


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
    sides = lines.pivots(given.observed, given)
    found = lines.framed(given, sides, lines.outer(given, sides))[:, 0]
    assert found[2] and found[7] and not found[5] and not found[0]
    sparse = panel(np.where(np.arange(11) % 4 == 0, 1.0, np.nan)[:, None], (11,))
    sides = lines.pivots(sparse.observed, sparse)
    assert not lines.framed(sparse, sides, lines.outer(sparse, sides))[1, 0]
