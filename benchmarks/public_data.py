"""The cells of benchmarks/public.py: data sets, splits, what is hidden and what is scored.

ETTh1 and Beijing, and hourly traffic in the same way, as in TSI-Bench (Du et al. 2024,
https://arxiv.org/abs/2406.12747), AQI36 as in GRIN (Cini et al. 2022,
https://arxiv.org/abs/2108.00298). TSI-Bench does not publish its masks: these are drawn the same
way with a seed of our own.
"""

import dataclasses
import functools
import pathlib

import numpy as np
import pandas as pd

SEED = 2024  # of what is hidden


@dataclasses.dataclass
class Cell:
    """What a method may know, and by what it is judged; rows in time, NaN where nothing is shown.

    Attributes:
      learn: (n, D) to learn from, training rows first.
      learn_times, times: stamps.
      train_rows: how many rows of `learn` are the protocol's training part; the rest is its
        validation part.
      shown: (m, D) to be filled.
      truth: (m, D).
      scored: (m, D) hidden entries whose truth is known.
      window: rows of a window.
      stride: from one test window to the next, rows; fills of overlapping ones are averaged.
    """

    learn: np.ndarray
    learn_times: pd.DatetimeIndex
    train_rows: int
    shown: np.ndarray
    times: pd.DatetimeIndex
    truth: np.ndarray
    scored: np.ndarray
    window: int
    stride: int


def points(observed, share, rng):
    """Each observed entry with this chance."""
    return observed & (rng.random(observed.shape) < share)


def blocks(observed, share, rng, rows=6, columns=6):
    """Rectangles of 6 rows and 6 columns until that share of the entries is hidden."""
    hidden = np.zeros(observed.shape, bool)
    wide = min(columns, hidden.shape[1])
    while hidden.mean() < share:
        for _ in range(max(int((share - hidden.mean()) * hidden.size / (rows * wide)), 1)):
            first = rng.integers(0, len(hidden) - rows + 1)
            left = rng.integers(0, hidden.shape[1] - wide + 1)
            hidden[first : first + rows, left : left + wide] = True
    return observed & hidden


def subsequences(observed, share, rng, rows):
    """Runs of one column until that share of the entries is hidden."""
    hidden = np.zeros(observed.shape, bool)
    while hidden.mean() < share:
        for _ in range(max(int((share - hidden.mean()) * hidden.size / rows), 1)):
            first = rng.integers(0, len(hidden) - rows + 1)
            hidden[first : first + rows, rng.integers(hidden.shape[1])] = True
    return observed & hidden


def hole_lengths(missing):
    """(m, D), of the hole that an entry lies in, rows; 0 where it is not missing."""
    found = np.zeros(missing.shape, int)
    for column in range(missing.shape[1]):
        edges = np.diff(missing[:, column].astype(int), prepend=0, append=0)
        for first, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)):
            found[first:end, column] = end - first
    return found


def etth1(folder: pathlib.Path):
    """(values, stamps, ends of the parts, window)."""
    table = pd.read_csv(folder / "ETTh1.csv", parse_dates=["date"], index_col="date")
    return table.to_numpy(float), table.index, (10_248, 13_920, 17_420), 48


def beijing(folder: pathlib.Path):
    """132 columns: 12 stations times 11 quantities."""
    parts = []
    for name in ("beijing_pollutants", "beijing_weather"):
        file = np.load(folder / f"{name}.npz")
        whole = file["data"].astype(float)
        parts.append(np.where(whole == -32768, np.nan, whole / file["scale"][None, :, None]))
    values = np.concatenate(parts, axis=1)
    values = values.reshape(-1, values.shape[-1]).T
    stamps = pd.date_range("2013-03-01", periods=len(values), freq="h")
    return values, stamps, (20_448, 27_768, 35_064), 24


def traffic(folder):
    """20 sensors of California's freeways; the days 438 and 511 are absent."""
    names = ("train", "val", "test")
    parts = [np.load(folder / f"traffic_hourly/{name}.npz")["data"] for name in names]
    train, window = parts[0], parts[0].shape[1]
    # Its windows begin every day and overlap.
    days = [*train[:-1, :24], train[-1]]
    parts = [np.concatenate(days), *(part.reshape(-1, part.shape[2]) for part in parts[1:])]
    stamps = [
        pd.date_range("2015-01-01", periods=len(part), freq="h") + pd.Timedelta(days=first)
        for part, first in zip(parts, (0, 439, 512))
    ]
    ends = tuple(np.cumsum([len(part) for part in parts]).tolist())
    return np.concatenate(parts).astype(float), stamps[0].append(stamps[1:]), ends, window


def hidden_cell(folder, load, hide):
    """A cell of TSI-Bench: hidden once in all three parts, scored in the last."""
    values, stamps, (train, learn, end), window = load(folder)
    values, stamps = values[:end], stamps[:end]
    mean, std = np.nanmean(values[:train], 0), np.nanstd(values[:train], 0)
    values = (values - mean) / np.where(std > 0, std, 1)
    rng = np.random.default_rng(SEED)
    edges = (0, train, learn, end)
    observed = ~np.isnan(values)
    hidden = np.concatenate(
        [hide(observed[a:b], rng=rng) for a, b in zip(edges[:-1], edges[1:])], axis=0
    )
    shown = np.where(hidden, np.nan, values)
    last = (end - learn) // window * window
    return Cell(
        learn=shown[:learn],
        learn_times=stamps[:learn],
        train_rows=train,
        shown=shown[learn : learn + last],
        times=stamps[learn : learn + last],
        truth=values[learn : learn + last],
        scored=hidden[learn : learn + last],
        window=window,
        stride=window,
    )


def aqi36(folder: pathlib.Path):
    """PM2.5 of 36 stations; months 3, 6, 9 and 12 are judged and not learned from."""
    file = np.load(folder / "aqi36.npz", allow_pickle=False)
    values, evaluated, test = file["data"].astype(float), file["eval_mask"], file["test_rows"]
    stamps = pd.date_range("2014-05-01 01:00", periods=len(values), freq="h")
    rows = np.zeros(len(values), bool)
    rows[np.flatnonzero(test) if test.dtype == bool else test] = True
    evaluated = evaluated.astype(bool) & ~np.isnan(values)
    shown = np.where(evaluated, np.nan, values)
    learn = shown[~rows]
    return Cell(
        learn=learn,
        learn_times=stamps[~rows],
        train_rows=round(0.9 * len(learn)),
        shown=shown,
        times=stamps,
        truth=values,
        scored=evaluated & rows[:, None],
        window=36,
        stride=1,
    )


def _cells():
    found = {}
    for name, load, rows in (("etth1", etth1, 36), ("beijing", beijing, 18)):
        shares = (0.1, 0.5, 0.9) if name == "etth1" else (0.1, 0.5)
        ways = {f"point {share:.0%}": functools.partial(points, share=share) for share in shares}
        ways["block 50%"] = functools.partial(blocks, share=0.5)
        ways["subsequence 50%"] = functools.partial(subsequences, share=0.5, rows=rows)
        for way, hide in ways.items():
            found[f"{name} {way}"] = functools.partial(hidden_cell, load=load, hide=hide)
    hide = functools.partial(points, share=0.5)
    found["traffic point 50%"] = functools.partial(hidden_cell, load=traffic, hide=hide)
    return {**found, "aqi36": aqi36}


CELLS = _cells()
