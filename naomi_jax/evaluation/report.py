"""The table of a run's folder."""

import os

import jax.numpy as jnp

from naomi_jax.data import masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.evaluation import tables
from naomi_jax.training import run_folder
from naomi_jax.training.config import RunConfig


def table_of_run(workdir: str, config: RunConfig, dataset: Dataset) -> tables.Table:
    """Evaluate the best model of a run on the test set; also writes results.json there."""
    params, scaler, _ = run_folder.load_model(workdir, config)
    given = None
    if config.masks.kind == "file":
        given = jnp.asarray(masks.load(config.mask_file, dataset.steps))
    table = tables.make_table(params, scaler, dataset, config.masks, given)
    tables.write_json(table, os.path.join(workdir, "results.json"))
    return table
