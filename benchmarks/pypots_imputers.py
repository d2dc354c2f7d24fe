"""BRITS and SAITS of PyPOTS on the data and under the test masks of a run of ours.

    pip install . torch pypots
    python benchmarks/pypots_imputers.py RUN_DIR --minutes 15 [--threads 1] [--models brits saits]

Their own training, as far as the minutes go: standardised training sequences, each under --draws masks drawn
like the run's, the validation sequences to choose the best epoch by. The number of epochs is found by timing one. Prints
the error over the missing entries of the test set, as eval.py does.
"""

import argparse
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import jax
import numpy as np
import torch

from naomi_jax.data import masks, registry
from naomi_jax.data.transforms import standardize as standardise
from naomi_jax.evaluation import tables
from naomi_jax.methods import fill as bulk
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import config as run_config


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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    record = run_folder.read(given.run)
    settings = record["config"]
    dataset = registry.load(
        settings["dataset"],
        settings["data"] or None,
        window=settings.get("window"),
        stride=settings.get("stride"),
    )
    config = run_config.resolve(settings, dataset.train.shape)
    scaler = standardise.fit(dataset.train, config.standardise)
    key = jax.random.fold_in(jax.random.key(given.seed), 7)
    mask_config = config.masks
    train = np.tile(scaler(dataset.train), (given.draws, 1, 1))
    train = {
        "X": hidden(train, masks.draw_many(key, mask_config, len(train), dataset.steps)),
        "X_ori": train,
    }
    val = scaler(dataset.val)
    val_mask = masks.draw_many(jax.random.fold_in(key, 1), mask_config, len(val), dataset.steps)
    val = {"X": hidden(val, val_mask), "X_ori": val}
    test, test_mask = tables.test_cases(dataset, mask_config)
    for name in given.models:
        torch.manual_seed(given.seed)
        with tempfile.TemporaryDirectory() as folder:
            make = MODELS[name]
            for _ in range(2):  # the first one warms up
                began = time.monotonic()
                make(dataset.steps, dataset.dim, 1, folder).fit(train, val)
            epochs = max(1, round(60 * given.minutes / (time.monotonic() - began)))
            torch.manual_seed(given.seed)
            model = make(dataset.steps, dataset.dim, epochs, folder)
            began = time.monotonic()
            model.fit(train, val)
            minutes = (time.monotonic() - began) / 60
            filled = model.impute({"X": hidden(scaler(test), test_mask)})
        filled = np.where(np.asarray(test_mask)[..., None] != 0, test, scaler.invert(filled))
        error = bulk.missing_error(test, filled, test_mask)
        print(f"{name}: {error:.4g} after {epochs} epochs, {minutes:.1f} minutes", flush=True)


if __name__ == "__main__":
    main()
