"""BRITS and SAITS of PyPOTS on the data and under the test masks of a run of ours.

    pip install . torch pypots
    python benchmarks/pypots_imputers.py RUN_DIR --minutes 15 [--threads 1] [--models brits saits]

They train themselves, as long as the minutes last: on the standardized training sequences, each
under --draws masks like those of the run's training, with the validation sequences to choose the
best epoch by. The number of epochs is found by timing one of them. Prints the mean squared error
over the missing entries of the test set, in the data's own units (eval.py prints it in the units of
its table).
"""

import argparse
import functools
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import jax
import numpy as np
import torch

from naomi_jax.data import masks, metrics
from naomi_jax.data.transforms import standardize
from naomi_jax.evaluation import report, tables
from naomi_jax.evaluation.report import dataset_of
from naomi_jax.runs import record


def brits(steps, dim, epochs, folder):
    from pypots.imputation import BRITS

    return BRITS(steps, dim, 128, epochs=epochs, saving_path=folder, verbose=False)


def saits(steps, dim, epochs, folder):
    from pypots.imputation import SAITS

    sizes = dict(n_layers=2, d_model=128, n_heads=4, d_k=32, d_v=32, d_ffn=128, dropout=0.1)
    return SAITS(steps, dim, **sizes, epochs=epochs, saving_path=folder, verbose=False)


MODELS = {"brits": brits, "saits": saits}


def hidden(x, mask):
    """x (N, T, D) with NaN where mask (N, T) is 0."""
    return np.where(np.asarray(mask)[..., None] != 0, x, np.nan).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("run", metavar="RUN_DIR")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    run, dataset = record.read(given.run).run, dataset_of(given.run)
    standardizer = standardize.fit(dataset.train, run.transforms.standardize)
    train, val = training_sets(run, dataset, standardizer, given.draws, given.seed)
    test, mask = tables.test_cases(dataset, *report.test_masks(run, dataset))
    sizes = dataset.steps, dataset.dim
    for name in given.models:
        with tempfile.TemporaryDirectory() as folder:
            make = functools.partial(MODELS[name], *sizes, folder=folder)
            model, epochs, minutes = fit(make, train, val, given.minutes, given.seed)
            filled = model.impute({"X": hidden(standardizer(test), mask)})
        filled = np.where(np.asarray(mask)[..., None] != 0, test, standardizer.restore(filled))
        error = metrics.mean(metrics.missing_l2(test, filled, mask))
        print(f"{name}: {error:.4g} after {epochs} epochs, {minutes:.1f} minutes", flush=True)


def training_sets(run, dataset, standardizer, draws, seed):
    """(train, val) as PyPOTS reads them: standardized, with holes (X) and whole (X_ori)."""
    key = jax.random.fold_in(jax.random.key(seed), 7)
    steps = dataset.steps
    parts = (
        (run.masks.train, np.tile(standardizer(dataset.train), (draws, 1, 1)), key),
        (run.masks.test, standardizer(dataset.val), jax.random.fold_in(key, 1)),
    )
    sets = []
    for kind, x, own in parts:
        mask = masks.draw_many(own, kind.resolve(steps), len(x), steps, kind.rows(steps))
        sets.append({"X": hidden(x, mask), "X_ori": x})
    return sets


def fit(make, train, val, minutes, seed):
    """(model, epochs, minutes) of the model that make(epochs=...) gives, trained that long."""
    torch.manual_seed(seed)
    seconds = [seconds_of_fit(make(epochs=1), train, val) for _ in range(2)]
    epochs = max(1, round(60 * minutes / seconds[1]))  # the first one warmed up
    torch.manual_seed(seed)
    model = make(epochs=epochs)
    return model, epochs, seconds_of_fit(model, train, val) / 60


def seconds_of_fit(model, train, val):
    began = time.monotonic()
    model.fit(train, val)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
