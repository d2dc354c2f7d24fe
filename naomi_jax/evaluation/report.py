"""The tables and figures of runs' folders."""

import os

import jax.numpy as jnp

from naomi_jax.data import masks
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import paper, recursion, tables
from naomi_jax.figures import drawing as figures
from naomi_jax.figures import style
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import config as run_config
from naomi_jax.training import devices
from naomi_jax.training.config import RunConfig


def table_of_run(workdir: str, config: RunConfig, dataset: Dataset) -> tables.Table:
    """Evaluate the model of a run on the test set; also writes results.json there."""
    table = tables.make_table([fitted(workdir, config)], dataset, config.masks, mask_file(config))
    if devices.leads():
        tables.write_json(table, os.path.join(workdir, "results.json"))
    return table


def figure_of_run(workdir: str, config: RunConfig, dataset: Dataset, path: str) -> None:
    """Draw a test sequence filled by the model of a run; .gif and .mp4 are films of the recursion."""
    model = fitted(workdir, config)
    shown = figures.example([model], dataset, config.masks, mask_file(config))
    if not path.endswith(figures.FILMS):
        style.save(figures.filled(dataset, shown), path)
        return
    found = recursion.of_models([model], shown.known)
    if found is None:
        raise InputError(
            f"{path}: {model.title} fills left to right, there is no recursion to show"
        )
    figures.animation(dataset, shown, *found, path)


def collect(number: int, folders: list[str]) -> list[str]:
    """The runs of a table of the paper.

    Args:
      number: 1, 2 or 3.
      folders: of the runs; empty takes all finished imputation runs of that data set in runs/.

    Returns:
      The folders, all of runs on the same data under the same kind of masks.

    Raises:
      InputError: there is none, or they differ.
    """
    name = paper.NUMBERS[number]
    if not folders:
        folders = sorted(
            entry.path
            for entry in (os.scandir("runs") if os.path.isdir("runs") else ())
            if os.path.exists(os.path.join(entry.path, "results.json"))
            and _imputes(run_folder.read(entry.path)["config"], name)
        )
        if not folders:
            raise InputError(
                f"--table {number}: no finished runs of {name} in runs/; make them with train.py "
                f"--dataset {name} --model NAME --workdir runs/..., or name their folders"
            )
    for folder in folders:
        found = run_folder.read(folder)["config"]["dataset"]
        if found != name:
            raise InputError(f"{folder}: a run on {found}; table {number} is about {name}")
    check_same(folders)
    return folders


def by_task(folders: list[str]) -> tuple[list[str], list[str]]:
    """The runs that impute, and those that forecast; each kind on the same data and masks.

    Raises:
      InputError: they are not.
    """
    groups = [], []
    first = run_folder.read(folders[0])["data"]
    for folder in folders:
        record = run_folder.read(folder)
        groups[_task(record["config"]) == "forecast"].append(folder)
        if record["data"] != first:
            raise InputError(f"{folder}: other data than {folders[0]}; make a page for each")
    for group in filter(None, groups):
        check_same(group)
    return groups


def _task(settings):
    return settings.get("task", "impute")


def _imputes(settings, name):
    return settings["dataset"] == name and _task(settings) == "impute"


def check_same(folders: list[str]) -> None:
    """Raise InputError unless all runs have the same data, masks and task."""

    def asked(record):
        hidden = [record["config"]["masks"].get(name) for name in ("kind", "low", "high", "file")]
        return record["data"], hidden, _task(record["config"])

    first, *others = (run_folder.read(folder) for folder in folders)
    for folder, record in zip(folders[1:], others):
        if asked(record) != asked(first):
            raise InputError(
                f"{folder}: other data, masks or task than {folders[0]}; the runs must be on the same"
            )


def table_of_runs(folders: list[str], dataset: Dataset) -> tables.Table:
    """One table of several runs on `dataset`; runs of one kind of model share a row."""
    models, configs = load(folders, dataset)
    return tables.make_table(models, dataset, configs[0].masks, mask_file(configs[0]))


def load(folders: list[str], dataset: Dataset) -> tuple[list[tables.Fitted], list[RunConfig]]:
    """The models of several runs on `dataset`, and their settings."""
    records = [run_folder.read(folder)["config"] for folder in folders]
    configs = [run_config.resolve(record, dataset.train.shape) for record in records]
    return [fitted(folder, config) for folder, config in zip(folders, configs)], configs


def open_run(workdir: str) -> tables.Fitted:
    """The trained model in a run's folder; its `fill` takes sequences in the data's own units.

    Raises:
      InputError: there is none.
    """
    record = run_folder.read(workdir)
    return fitted(workdir, run_config.resolve(record["config"], tuple(record["data"]["shape"][0])))


def fitted(workdir: str, config: RunConfig) -> tables.Fitted:
    """The model of a run."""
    params, scaler, _ = run_folder.load_model(workdir, config)
    return tables.Fitted(config.functions.title, config.functions.impute, params, scaler)


def mask_file(config: RunConfig):
    """(M, T) of the run's mask file, or None."""
    if config.masks.kind != "file":
        return None
    return jnp.asarray(masks.load(config.mask_file, config.steps))
