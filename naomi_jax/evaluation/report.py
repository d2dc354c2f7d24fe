"""The table and the figures of a run's folder."""

import os

import jax.numpy as jnp

from naomi_jax.data import masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.evaluation import figures, tables
from naomi_jax.training import run_folder
from naomi_jax.training.config import RunConfig


def table_of_run(workdir: str, config: RunConfig, dataset: Dataset) -> tables.Table:
    """Evaluate the best model of a run on the test set; also writes results.json there."""
    params, scaler, _ = run_folder.load_model(workdir, config)
    table = tables.make_table(params, scaler, dataset, config.masks, _mask_file(config))
    tables.write_json(table, os.path.join(workdir, "results.json"))
    return table


def figure_of_run(workdir: str, config: RunConfig, dataset: Dataset, path: str) -> None:
    """Draw a test sequence filled by the best model of a run."""
    params, scaler, _ = run_folder.load_model(workdir, config)
    figures.filled_sequence(params, scaler, dataset, config.masks, path, _mask_file(config))


def _mask_file(config):
    if config.masks.kind != "file":
        return None
    return jnp.asarray(masks.load(config.mask_file, config.steps))
