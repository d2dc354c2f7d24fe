"""How long Imputer takes to fit and fill, by size of the table, on one core.

    taskset -c 0 python benchmarks/fits.py [--sizes 336x2 8760x8 ...]

Each table is SIMULATED: hourly, three factors that follow an autoregression, a daily cycle in every
column, noise of 0.05, and 15 % of the entries in outages of 3 to 72 hours. Each size runs in a
process of its own, so that compilation is counted. Errors are root mean squares on the missing
entries, in deviations of the column, beside a straight line's.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

SIZES = ("336x2", "1500x36", "8760x8", "27768x132")


def table(rows: int, columns: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """The complete table, and which entries are missing."""
    rng = np.random.default_rng(seed)
    factors, noise = np.zeros((rows, 3)), rng.normal(size=(rows, 3))
    for t in range(1, rows):
        factors[t] = 0.98 * factors[t - 1] + 0.2 * noise[t]
    day = np.sin(2 * np.pi * np.arange(rows) / 24)[:, None]
    x = factors @ rng.normal(size=(3, columns)) + day * rng.uniform(0.5, 2, columns)
    x += 0.05 * rng.normal(size=x.shape) + 10
    missing = np.zeros(x.shape, bool)
    for column in range(columns):
        while missing[:, column].mean() < 0.15:
            length = int(rng.integers(3, min(72, rows // 4)))
            first = int(rng.integers(0, rows - length))
            missing[first : first + length, column] = True
    stamps = pd.date_range("2021-01-01", periods=rows, freq="h")
    return pd.DataFrame(x, stamps, [f"c{i}" for i in range(columns)]), missing


def one(size: str) -> dict[str, float]:
    """Seconds and errors of one size."""
    rows, columns = map(int, size.split("x"))
    truth, missing = table(rows, columns)
    given = truth.mask(missing)
    began = time.monotonic()
    from naomi_jax import Imputer

    imputer = Imputer().fit(given)
    fitted = time.monotonic()
    filled = imputer.transform(given)
    ended = time.monotonic()
    line = given.interpolate(method="time", limit_direction="both")

    def error(guess):
        return float(np.sqrt(np.mean(((guess - truth) / truth.std()).to_numpy()[missing] ** 2)))

    return {
        "fit": fitted - began,
        "fill": ended - fitted,
        "error": error(filled),
        "line": error(line),
        "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def main() -> None:
    """Run each size in a process of its own and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="ROWSxCOLUMNS")
    parser.add_argument("--one", metavar="SIZE", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.one)))
        return
    print(
        "| rows x columns | fit and import [s] | fill [s] | error | line | GiB |\n|---|"
        + "---:|" * 5
    )
    for size in given.sizes:
        command = [sys.executable, __file__, "--one", size]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        cells = [f"{row['fit']:.1f}", f"{row['fill']:.1f}", f"{row['error']:.4f}"]
        cells += [f"{row['line']:.3f}", f"{row['gib']:.1f}"]
        print(f"| {size.replace('x', ' x ')} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
