"""Imputer on tables with holes, beside what people use.

    python benchmarks/tables.py FOLDER

FOLDER holds train.npz and test.npz (key `data`, (N, T, D), hourly, train's windows a day apart),
such as the hourly traffic of docs/results.md. A long table is put together from train, with outages
of its own; Imputer, scikit-learn's IterativeImputer and the mean of the hour of the week learn from
it and fill it, and fill tables made of the later days of test. One line a table: root mean squared
error over what was hidden.
"""

import argparse
import pathlib
import time

import numpy as np
import pandas as pd

import naomi_jax


def long_tables(folder: pathlib.Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tables, one row an hour."""
    train, test = (np.load(folder / f"{name}.npz")["data"] for name in ("train", "test"))
    series = np.concatenate([train[:-1, :24].reshape(-1, train.shape[-1]), train[-1]])

    def table(values, start):
        stamps = pd.date_range(start, periods=len(values), freq="h")
        return pd.DataFrame(values.astype(float), stamps)

    return table(series, "2015-01-01"), table(test.reshape(-1, test.shape[-1])[:1680], "2016-05-27")


def outages(table: pd.DataFrame, share: float, low: int, high: int, rng) -> pd.DataFrame:
    """Each column lost for `low` to `high` rows at a time, until `share` of it is."""
    values = table.to_numpy().copy()
    for column in range(values.shape[1]):
        while np.isnan(values[:, column]).mean() < share:
            length = rng.integers(low, high)
            first = rng.integers(0, len(values) - length)
            values[first : first + length, column] = np.nan
    return pd.DataFrame(values, table.index)


def hour_of_week(learn: pd.DataFrame, holed: pd.DataFrame) -> np.ndarray:
    """The mean of the hour of the week."""
    hour = learn.index.dayofweek * 24 + learn.index.hour
    means = learn.groupby(hour).mean()
    return means.loc[holed.index.dayofweek * 24 + holed.index.hour].to_numpy()


def main() -> None:
    """Fit, fill, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    rng = np.random.default_rng(flags.seed)
    whole, later = long_tables(flags.folder)
    learn = outages(whole, 0.15, 6, 60, rng)
    began = time.monotonic()
    imputer = naomi_jax.Imputer(seed=flags.seed, minutes=flags.minutes).fit(learn)
    print(f"Imputer: fitted in {time.monotonic() - began:.0f} s")
    iterative = IterativeImputer(max_iter=20, random_state=flags.seed).fit(learn)
    rows = rng.random((len(later), 1))
    tables = {"the table it learned from": (learn, whole)}
    for share in (0.1, 0.5, 0.9):
        hidden = rng.random(later.shape) < share
        tables[f"{share:.0%} of entries"] = (later.mask(hidden), later)
    tables["half of the rows"] = (later.mask(np.broadcast_to(rows < 0.5, later.shape)), later)
    tables["outages of 1 to 5 days, 30 %"] = (outages(later, 0.3, 24, 120, rng), later)
    print("| hidden | line | hour of the week | IterativeImputer | Imputer |")
    print("|---|---:|---:|---:|---:|")
    for name, (holed, truth) in tables.items():
        hidden = holed.isna().to_numpy() & truth.notna().to_numpy()
        fills = (
            holed.interpolate(limit_direction="both").to_numpy(),
            hour_of_week(learn, holed),
            iterative.transform(holed),
            imputer.transform(holed).to_numpy(),
        )
        errors = [np.sqrt(np.mean(np.square(f - truth.to_numpy())[hidden])) for f in fills]
        print(f"| {name} | " + " | ".join(f"{error:.4f}" for error in errors) + " |", flush=True)


if __name__ == "__main__":
    main()
