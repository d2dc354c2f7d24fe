"""What `Imputer.stream` takes for each row, and how near it is to reading the whole past.

    python benchmarks/stream.py ../shared/data/real_holes/ETTh1.csv

ETTh1 (hourly, 7 columns), a fifth of the entries hidden, and 600 stretches of 2 to 23 hours in
single columns. `Imputer(minutes=1)` is fitted on the first 10,248 rows; 200 rows of later months
arrive one after the other. All differences are means in standard deviations of the columns.
"""

import argparse
import os
import statistics
import sys
import time

import numpy as np
import pandas as pd

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from naomi_jax import Imputer

FITTED, BEGIN, COUNT, PAST = 10_248, 11_248, 200, 3000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", help="ETTh1.csv")
    full = pd.read_csv(parser.parse_args().table, index_col=0, parse_dates=True)
    table = holed(full)
    imputer = Imputer(minutes=1).fit(table[:FITTED])
    missing = table[BEGIN : BEGIN + COUNT].isna().to_numpy()
    scale = full.std().to_numpy()

    def error(filled, wanted, which):
        return (np.abs(filled - wanted) / scale)[which].mean()

    truth = full[BEGIN : BEGIN + COUNT].to_numpy()
    whole = np.concatenate(
        [imputer.transform(table[i + 1 - PAST : i + 1])[-1:] for i in range(BEGIN, BEGIN + COUNT)]
    )
    held = table.ffill()[BEGIN : BEGIN + COUNT].to_numpy()
    print(f"error of the last value: {error(held, truth, missing):.3f}")
    print(f"error of `transform` of the last {PAST} rows: {error(whole, truth, missing):.3f}")
    print("| rows kept | ms a row, median | slowest | error | from `transform` |")
    print("|---:|---:|---:|---:|---:|")
    for rows in (96, None, 2000):
        filled, times = arrive(imputer, rows, table)
        kept = rows or f"default: {imputer.stream()._rows}"
        print(
            f"| {kept} | {statistics.median(times):.1f} | {max(times):.1f} "
            f"| {error(filled, truth, missing):.3f} | {error(filled, whole, missing):.3f} |"
        )


def holed(full):
    """With holes, the same at every call."""
    rng = np.random.default_rng(0)
    hidden = rng.random(full.shape) < 0.2
    for _ in range(600):
        first = rng.integers(0, len(full))
        hidden[first : first + rng.integers(2, 24), rng.integers(0, full.shape[1])] = True
    return full.mask(hidden)


def arrive(imputer, rows, table):
    """(the rows filled, milliseconds of each)."""
    for live in (imputer.stream(rows), imputer.stream(rows)):  # the first one compiles
        live.push(table[BEGIN - PAST : BEGIN])
        filled, times = [], []
        for i in range(BEGIN, BEGIN + COUNT):
            began = time.perf_counter()
            filled.append(live.push(table[i : i + 1]))
            times.append(1e3 * (time.perf_counter() - began))
    return np.concatenate(filled), times


if __name__ == "__main__":
    main()
