"""The candidates that need no training: line, curve, level around; those along a season."""

import types

import numpy as np
import pytest

from naomi_jax.imputer.models import lines, seasons
from naomi_jax.imputer.preparation.scaling import Scaling
from naomi_jax.imputer.preparation.season import Season
from naomi_jax.imputer.preparation.stabilizing import Stabilizer
from tests.imputer.panels import given_of, holed, panel, stamped


def every_row(given):
    """As `Learning`: all rows may be learned from."""
    return types.SimpleNamespace(rows=np.ones(len(given.panel.values), bool))


def fill(candidate, given):
    return candidate.fill(given, ~given.panel.observed)


def test_the_line_is_straight_in_the_data_the_curve_in_what_is_stabilized():
    values = np.exp(holed(0, (60, 2)))
    values[:3, 0] = values[-3:, 1] = np.nan
    curved = Stabilizer(np.zeros(2), np.full(2, 9.0), np.ones(2))
    given = given_of(panel(values), stabilizer=curved)
    rows = np.arange(60)
    found = curved.inverse(fill(lines.Line(np.zeros(2)), given))
    smooth = curved.inverse(fill(lines.Curve(), given))
    for column in range(2):
        known = np.flatnonzero(~np.isnan(values[:, column]))
        right = np.interp(rows, known, values[known, column])
        np.testing.assert_allclose(found[:, column], right, rtol=1e-9)
        np.testing.assert_allclose(smooth[known, column], values[known, column])
    assert np.abs(smooth - found).max() > 0.01


def test_where_a_series_knows_nothing_the_line_is_the_level():
    values = holed(1, (50, 2))
    values[:20, 1] = np.nan
    given = given_of(panel(values, (20, 30)))
    (line, *_), center = lines.fit(given, every_row(given)), np.nanmean(values, axis=0)
    np.testing.assert_allclose(fill(line, given)[:20, 1], center[1])
    assert np.isfinite(fill(line, given)).all()


def between(known, at, keep):
    """The mean of an autoregression at `at` given {time: value}."""
    times, values = np.array([*known], float), np.array([*known.values()])
    cov = keep ** np.abs(times[:, None] - times)
    return keep ** np.abs(at - times) @ np.linalg.solve(cov, values)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.95])
def test_the_fill_goes_from_the_known_entries_toward_the_level_of_the_rows_around(keep):
    values = holed(2, (34, 2), 0.5)
    values[26:, 0] = np.nan
    prior, window = np.array([0.0, 2.0]), 4
    scale = Scaling(np.array([1.0, 3.0]), prior, np.full(2, 1e9))
    given = given_of(panel(values, (18, 16)), scaling=scale, window=window)
    found, center = fill(lines.Level(np.full(2, keep)), given), np.nanmean(values, axis=0)
    for begin, end in ((0, 18), (18, 34)):
        for row, column in np.ndindex(end - begin, 2):
            row += begin
            mine = values[begin:end, column] - center[column]
            if not np.isnan(mine[row - begin]):
                continue
            rows = begin + np.flatnonzero(~np.isnan(mine))
            sides = [*rows[rows <= row][-1:], *rows[rows >= row][:1]]
            first = max(max(rows[rows <= row], default=row) - window, begin)
            last = min(min(rows[rows >= row], default=row) + window, end - 1)
            around = mine[first - begin : last - begin + 1]
            count = (~np.isnan(around)).sum()
            level = np.nansum(around) / (count + prior[column] + 1e-300)
            known = {k: mine[k - begin] - level for k in sides}
            right = center[column] + level + between(known, row, keep)
            np.testing.assert_allclose(found[row, column], right, atol=1e-9)


def test_how_long_a_value_lasts_is_read_off_the_column():
    rng = np.random.default_rng(0)
    values = np.zeros((3000, 2))
    for row in range(1, 3000):
        values[row] = [0.9, 0.0] * values[row - 1] + rng.normal(size=2)
    for times in (None, 2.0 * np.arange(3000)):  # twice as far apart: less is lost in a step
        given = given_of(panel(values, times=times), window=96)
        (_, _, level) = lines.fit(given, every_row(given))
        assert level.keep[0] ** (1 if times is None else 2) == pytest.approx(0.9, abs=0.05)
        assert level.keep[1] < 0.3
    given = given_of(panel(values[:40], (1,) * 40))
    (_, _, alone) = lines.fit(given, every_row(given))
    np.testing.assert_array_equal(alone.keep, 0)


def test_the_level_far_away_is_that_of_the_rows_alone():
    """A series that lies elsewhere has a level of its own, whatever the others say."""
    values = np.concatenate([holed(3, (30, 1)), 1e6 + holed(4, (30, 1))])
    scale = Scaling(np.ones(1), np.array([50.0]), np.array([1.0]))
    center = Season(np.nanmean(values[:30], axis=0))
    given = given_of(panel(values, (30, 30)), window=40, scaling=scale, season=center)
    found = fill(lines.Level(np.zeros(1)), given)
    holes = np.isnan(values)
    np.testing.assert_allclose(found[30:][holes[30:]], np.nanmean(values[30:]))
    assert np.abs(found[:30] - np.nanmean(values[:30]))[holes[:30]].max() < 0.01


def test_about_the_season_is_a_line_between_what_the_season_leaves():
    hours = np.arange(24 * 28)
    daily = 10 * np.sin(hours * np.pi / 12)[:, None]
    values = daily + hours[:, None] / 100
    values[300:324] = np.nan  # a whole day
    counted, table = stamped(values)
    given = given_of(table, counted)
    about, *through = seasons.fit(given, every_row(given))
    assert [one.name for one in (about, *through)] == [
        "line about the season",
        "line through period 24",
        "line through period 168",
    ]
    truth = daily + hours[:, None] / 100
    for one in (about, *through):
        assert np.abs(fill(one, given) - truth)[300:324].max() < 0.5
    assert np.abs(fill(lines.Line(np.zeros(1)), given) - truth)[300:324].max() > 5
    noise = given_of(*stamped(holed(0, (24 * 28, 1)))[::-1])
    assert [one.name for one in seasons.fit(noise, every_row(noise))] == [
        one.name for one in through
    ]


def by_hand(values, slots, period):
    """Through the same phase one period before and after, however far the other one is."""
    found = np.full(len(values), np.nan)
    for row, slot in enumerate(slots):
        mine = [k for k in range(len(values)) if (slots[k] - slot) % period == 0]
        known = [k for k in mine if not np.isnan(values[k])]
        before = [k for k in known if slots[k] <= slot]
        after = [k for k in known if slots[k] >= slot]
        near = (before and slot - slots[before[-1]] <= period) or (
            after and slots[after[0]] - slot <= period
        )
        if near:
            found[row] = np.interp(slot, slots[known], values[known])
    return found


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("absent", [0.0, 0.3])
def test_the_line_through_phases_is_that_of_a_loop(seed, absent):
    rng = np.random.default_rng(seed)
    lengths = (40, 5, 23)
    values = holed(seed, (68, 2), share=0.6)
    times = np.concatenate([np.arange(n, dtype=float) for n in lengths])
    kept = rng.random(68) >= absent
    kept[[0, 40, 45]] = True  # where series begin
    counts = [part.sum() for part in np.split(kept, np.cumsum(lengths)[:-1])]
    table = panel(values[kept], counts, times[kept])
    found = seasons.phase_line(table, 6)
    assert found is not None
    for begin, end in zip(table.bounds[:-1], table.bounds[1:]):
        slots = table.times[begin:end].astype(int)
        for column in range(2):
            part = table.values[begin:end, column]
            right = by_hand(part, slots, 6)
            if slots[-1] + 1 <= 6:
                right[:] = np.nan  # a series of one period has no other
            np.testing.assert_allclose(found[begin:end, column], right)


def test_there_is_no_line_through_phases_off_the_grid_or_in_short_series():
    values = holed(0, (20, 1))
    times = np.cumsum(np.random.default_rng(0).uniform(0.5, 1.5, 20))
    off = panel(values, (20,), times)
    assert seasons.phase_line(off, 5) is None
    assert seasons.phase_line(panel(values), 20) is None
    assert seasons.phase_line(panel(values), 19) is not None
    # As a candidate it then has no fill at all, and its weight goes to the others.
    assert np.isnan(fill(seasons.SamePhase(5), given_of(off))).all()
