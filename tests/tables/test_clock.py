"""Stamps with zones: counted in UTC, and shown as the clock on the wall."""

import numpy as np
import pandas as pd
import pytest

from naomi_jax import Imputer
from naomi_jax.tables.files import reading
from naomi_jax.tables.frames.reading import table_of
from naomi_jax.tables.options import Options

HOURS = pd.date_range("2023-03-25 20:00", periods=12, freq="h", tz="Europe/Berlin")
WALL = HOURS.tz_localize(None).to_numpy()  # at 2:00 it is 3:00


@pytest.fixture(params=["index", "column", "objects", "csv", "parquet"])
def table(request, tmp_path):
    frame = pd.DataFrame({"a": np.arange(12.0)}, HOURS.rename("time"))
    frame.iloc[5] = np.nan
    plain = frame.reset_index()
    if request.param == "index":
        return table_of(frame)
    if request.param == "column":
        return table_of(plain, time="time")
    if request.param == "objects":
        return table_of(plain.assign(time=[t.to_pydatetime() for t in HOURS]), time="time")
    path = str(tmp_path / f"t.{request.param}")
    plain.to_csv(path, index=False) if request.param == "csv" else plain.to_parquet(path)
    return reading.read(path, Options())


def test_the_clock_on_the_wall(table):
    assert (np.diff(table.time) == np.timedelta64(1, "h")).all(), "in UTC hours follow each other"
    np.testing.assert_array_equal(table.clock, WALL)


def test_without_a_zone_the_stamps_are_the_clock():
    table = table_of(pd.DataFrame({"a": [1.0, np.nan, 3]}, WALL[:3]))
    assert table.ahead is None and table.clock is table.time


def seasonal(days, freq="h"):
    """What follows the clock on the wall across a summer-time step, and the same with holes."""
    stamps = pd.date_range("2023-03-10", periods=days, freq="D", tz="Europe/Berlin")
    if freq == "h":
        stamps = pd.date_range(stamps[0], stamps[-1], freq="h")
    wall = stamps.tz_localize(None)
    rhythm = 10.0 * ((wall.hour >= 7) & (wall.hour < 9)) + 3 * (wall.day_of_week >= 5)
    truth = pd.DataFrame({"a": rhythm}, stamps)
    holes = truth.copy()
    for first in range(20, len(truth) - 30, len(truth) // 12):
        holes.iloc[first : first + (20 if freq == "h" else 1)] = np.nan
    return truth, holes


def test_phases_count_on_the_clock_of_the_zone():
    truth, holes = seasonal(40)
    filled = Imputer("interpolate").fit_transform(holes)
    hidden = holes.isna().to_numpy()
    assert np.abs(filled - truth).to_numpy()[hidden].max() < 1e-6


def test_days_are_from_midnight_to_midnight():
    _, holes = seasonal(90, "D")
    imputer = Imputer("interpolate").fit(holes)
    calendar = imputer._engine.preparation.calendar
    assert calendar.unit == 86_400e9 and calendar.periods == (7,)
    assert imputer._read(holes, None, None, None)[1].times.tolist() == list(range(90))
