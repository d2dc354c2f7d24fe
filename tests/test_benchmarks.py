"""What benchmarks/public.py hides and scores; its data are not needed."""

import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import public, public_data, public_methods, watch, watch_jobs


@pytest.fixture
def observed():
    known = np.random.default_rng(0).random((400, 9)) > 0.1
    known[:5] = True
    return known


@pytest.mark.parametrize(
    ("hide", "share"),
    [
        (public_data.points, 0.1),
        (public_data.points, 0.9),
        (public_data.blocks, 0.5),
        (lambda o, share, rng: public_data.subsequences(o, share, rng, rows=36), 0.5),
    ],
)
def test_that_share_of_the_observed_entries_is_hidden(observed, hide, share):
    hidden = hide(observed, share=share, rng=np.random.default_rng(1))
    assert not (hidden & ~observed).any()
    assert hidden[observed].mean() == pytest.approx(share, abs=0.03)


def test_blocks_and_subsequences_have_their_shapes():
    everything = np.ones((300, 9), bool)
    hidden = public_data.blocks(everything, share=0.02, rng=np.random.default_rng(0))
    rows = np.flatnonzero(hidden.any(1))
    assert hidden[rows[0]].sum() >= 6 and hidden[rows[0] : rows[0] + 6].any(1).all()
    hidden = public_data.subsequences(everything, 0.02, np.random.default_rng(0), rows=18)
    column = np.flatnonzero(hidden.any(0))[0]
    assert hidden[:, column].sum() >= 18


def test_lengths_of_holes_are_those_of_the_runs():
    missing = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0, 1]], bool)
    found = public_data.hole_lengths(missing)
    assert found.T.tolist() == [[2, 2, 0, 1, 0], [0, 0, 1, 0, 1]]


def test_the_share_inside_an_interval_is_counted_by_the_length_of_the_hole():
    given = cell(5)
    given.shown = given.truth.copy()
    given.shown[3, 0] = given.shown[8:12, 1] = np.nan
    given.scored = np.isnan(given.shown)
    low, high = given.truth - 1, given.truth + 1
    low[3, 0] = given.truth[3, 0] + 0.5
    assert public.inside(given, low, high) == {"1": 0.0, "2-6": 1.0, "all": 0.8}


def cell(stride):
    truth = np.arange(40.0).reshape(20, 2)
    return public_data.Cell(
        learn=truth,
        learn_times=pd.date_range("2020", periods=20, freq="h"),
        train_rows=15,
        shown=truth,
        times=pd.date_range("2021", periods=20, freq="h"),
        truth=truth,
        scored=np.ones(truth.shape, bool),
        window=5,
        stride=stride,
    )


@pytest.mark.parametrize("stride", [5, 1])
def test_fills_of_windows_come_back_to_their_rows_and_overlaps_are_averaged(stride):
    given = cell(stride)
    found = public_methods.by_windows(given, lambda windows: windows)
    np.testing.assert_allclose(found, given.truth)
    numbers = public_methods.by_windows(
        given, lambda windows: windows * 0 + np.arange(len(windows))[:, None, None]
    )
    first = 0.5 if stride == 1 else 0.0  # row 1 lies in the windows 0 and 1, or in the first alone
    assert numbers[1, 0] == first


@pytest.fixture
def sampling():
    """A fake model of PyPOTS: its samples say the window and the draw, and it counts windows."""

    class Model:
        seen = 0

        def impute(self, given):
            return given["X"][:, None]

    def draw(model, given):
        model.seen += len(given)
        window = np.arange(len(given), dtype=float)[:, None, None]
        return np.stack([window + np.zeros(given.shape) + draw / 10 for draw in range(3)])

    return Model(), draw


@pytest.mark.parametrize(("stride", "fills"), [(1, True), (1, False), (5, False)])
def test_each_row_of_samples_comes_from_one_window(sampling, stride, fills, monkeypatch):
    model, draw = sampling
    monkeypatch.setattr(public_methods, "trained", lambda *given: (model, (0, 1)))
    given = cell(stride)
    given.shown, given.truth = given.shown[:18], given.truth[:18]  # the last window overlaps
    given.scored = np.ones(given.truth.shape, bool)
    given.scored[5:10] = False  # a window that need not be drawn
    found, _ = public_methods.pypots(None, draw, fills)(given, 1, 0)
    samples = (found[""].samples - np.mean(given.learn, 0)) / np.std(given.learn, 0)
    windows = np.repeat([1.0, np.nan, 2.0, 0.0], [5, 5, 5, 3])[:, None]  # the last one goes first
    np.testing.assert_allclose(samples[1], np.broadcast_to(windows + 0.1, (18, 2)))
    np.testing.assert_allclose(np.nanmax(samples - samples[0], axis=(1, 2)), [0, 0.1, 0.2])
    assert model.seen == 3
    values = given.truth if fills else found[""].samples[1]
    np.testing.assert_allclose(found[""].values, values, atol=1e-5)  # given as float32


def test_samples_are_scored_where_the_truth_is_and_their_ends_hold_nine_tenths():
    given = cell(5)
    rng = np.random.default_rng(0)
    given.truth = rng.normal(size=(4000, 2))
    given.shown = np.where(rng.random(given.truth.shape) < 0.5, np.nan, given.truth)
    given.scored = np.isnan(given.shown) & (np.arange(4000) < 3000)[:, None]
    samples = rng.normal(size=(19, 4000, 2))
    samples[:, ~given.scored] = np.nan
    fill = public_methods.Fill(np.zeros(given.truth.shape), samples)
    row = public.errors(given, fill)
    # Two normal draws are 2 / sqrt(pi) apart on average, and the CRPS is half of that.
    assert row["crps"] == pytest.approx(1 / np.sqrt(np.pi), rel=0.04)
    assert row["mae"] == pytest.approx(np.sqrt(2 / np.pi), rel=0.05)
    assert row["inside"]["all"] == pytest.approx(0.9, abs=0.02)
    fill.interval = (given.truth + 1, given.truth + 2)
    assert public.errors(given, fill)["inside"]["all"] == 0
    assert set(public.errors(given, fill.values)) == {"mae", "mse"}


def test_the_tables_have_a_row_for_each_cell_and_a_column_for_each_way_of_filling():
    row = {"cell": "aqi36", "method": "imputer", "fit": 1.0, "fill": 2.0, "gib": 0.5}
    errors = {"": {"mae": 1.0, "mse": 4.0}, "whole table": {"mae": 2.0, "mse": 8.0}}
    line = {**row, "method": "line", "errors": {"": {"mae": 3.0, "mse": 9.0}}, "seed": 0}
    rows = []
    for seed, (inside, score) in enumerate(((0.5, 1.0), (0.7, 2.0))):
        samples = {"inside": {"1": inside, "all": 0.8}, "crps": score, "samples": 50}
        both = errors | {"whole table": errors["whole table"] | samples}
        rows.append({**row, "errors": both, "seed": seed})
    text = public.markdown([line, *rows])
    assert "| aqi36, imputer, whole table, 2 seeds | 60.0% |  |  | 80.0% | 1.5 | 50 |" in text
    assert "| MAE / MSE | line | imputer | imputer, whole table |" in text
    assert "| aqi36 | 3 / 9 | 1 / 4 (2 seeds) | 2 / 8 (2 seeds) |" in text
    assert "| aqi36 | 1, 2.0, 0.5 | 1, 2.0, 0.5 |" in text


def test_slower_is_what_most_rounds_say():
    base = [{"a": a, "b": 1.0, "c": 1.0} for a in (1.0, 5.0, 1.0)]
    head = [{"a": a, "b": b, "d": 1.0} for a, b in ((1.2, 1.1), (6.0, 9.0), (1.0, 1.1))]
    rows = {row["job"]: row for row in watch.compare(base, head)}
    assert rows["a"]["ratio"] == pytest.approx(1.2) and rows["a"]["low"] == 1.0
    slower = {job for job, row in rows.items() if watch.is_slower(row)}
    assert slower == {"a", "c"}  # b: one round was disturbed; c is gone; d is new
    assert "| a | 1e+03 | 1.2e+03 | **1.20** | 1.00 to 1.20 |" in watch.markdown(rows.values())


def test_a_commit_is_not_lent_the_modules_of_an_editable_installation():
    editable = type("_EditableFinder", (), {"__module__": "__editable___naomi_jax_0_2_0_finder"})
    finders = [*sys.meta_path, editable]
    assert watch_jobs.plain(finders) == [f for f in finders if "__editable__" not in str(f)]
    assert editable not in watch_jobs.plain(finders)


def test_the_windows_of_hourly_traffic_are_a_table(tmp_path):
    days = np.arange(17 * 24.0)[:, None] + np.array([[0.0, 0.5]])
    parts = {
        "train": np.stack([days[24 * d : 24 * d + 144] for d in range(3)]),  # every day
        "val": days[24 * 5 : 24 * 11][None],
        "test": days[24 * 11 : 24 * 17][None],
    }
    (tmp_path / "traffic_hourly").mkdir()
    for name, part in parts.items():
        np.savez(tmp_path / "traffic_hourly" / f"{name}.npz", data=part)
    values, stamps, ends, window = public_data.traffic(tmp_path)
    assert (ends, window) == ((192, 336, 480), 144)
    np.testing.assert_array_equal(values[:192], days[:192])
    np.testing.assert_array_equal(values[192:], days[120:])
    assert (np.diff(stamps[:192]) == np.timedelta64(1, "h")).all() and stamps.is_unique
