"""Tables of runs' folders, and which runs may share one."""

import os
from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from naomi_jax import calling
from naomi_jax.data import masks
from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.evaluation import tables
from naomi_jax.methods.fitted import Fitted
from naomi_jax.runs import opening, record
from naomi_jax.training.settings import Run

RESULTS = "results.json"


def dataset_of(workdir: str, log: Callable[[str], None] = print) -> Dataset:
    """The data of a run, which must not have changed since.

    Args:
      workdir: of the run.
      log: receives what is done to get them.

    Raises:
      InputError: they have, or cannot be had.
    """
    found = record.read(workdir)
    data = found.run.data
    dataset = datasets.load(data.name, data.path, window=data.window, stride=data.stride, log=log)
    other = record.other_data(found.data, record.describe(dataset))
    if other is not None:
        raise InputError(
            f"{workdir}: the data has changed since it was trained ({other}); put the data back to "
            "evaluate it"
        )
    return dataset


def table_of_run(workdir: str, dataset: Dataset) -> tables.Table:
    """Evaluate the model of a run on the test set."""
    return table_of_runs([workdir], dataset)


def save(table: tables.Table, workdir: str) -> None:
    """Keep a run's table in its folder, as results.json.

    Raises:
      InputError: it cannot be written.
    """
    tables.write_json(table, os.path.join(workdir, RESULTS))


def table_of_runs(folders: list[str], dataset: Dataset) -> tables.Table:
    """One table of several runs on `dataset`; runs of one method share a row."""
    models, runs = load(folders, dataset)
    return tables.make_table(models, dataset, *test_masks(runs[0], dataset))


def load(folders: list[str], dataset: Dataset) -> tuple[list[Fitted], list[Run]]:
    """The models of several runs on `dataset`, and their settings."""
    records = [record.read(folder) for folder in folders]
    models = [opening.fitted(f, found) for f, found in zip(folders, records, strict=True)]
    return models, [found.run for found in records]


def test_masks(run: Run, dataset: Dataset) -> tuple[masks.MaskConfig, Float[Array, "M T"] | None]:
    """How a run's test set is hidden, and the masks of its mask file or None."""
    rows = run.masks.test.rows(dataset.steps)
    return run.masks.test.resolve(dataset.steps), None if rows is None else jnp.asarray(rows)


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
    name = datasets.of_table(number).name
    if not folders:
        folders = sorted(
            entry.path
            for entry in (os.scandir("runs") if os.path.isdir("runs") else ())
            if os.path.exists(os.path.join(entry.path, RESULTS))
            and _imputes(record.read(entry.path).run, name)
        )
        if not folders:
            again = calling.train(f"--dataset {name} --method NAME --workdir runs/...")
            raise InputError(
                f"table {number}: no finished runs of {name} in runs/; make them with {again}, or "
                "name their folders"
            )
    for folder in folders:
        found = record.read(folder).run.data.name
        if found != name:
            raise InputError(f"{folder}: a run on {found}; table {number} is about {name}")
    check_same(folders)
    return folders


def _imputes(run, name):
    return run.data.name == name and not run.is_forecast


def by_task(folders: list[str]) -> tuple[list[str], list[str]]:
    """The runs that impute, and those that forecast; each kind on the same data and masks.

    Raises:
      InputError: they are not.
    """
    groups: tuple[list[str], list[str]] = [], []
    first = record.read(folders[0]).data
    for folder in folders:
        found = record.read(folder)
        groups[found.run.is_forecast].append(folder)
        if record.other_data(first, found.data):
            raise InputError(f"{folder}: other data than {folders[0]}; make a page for each")
    for group in filter(None, groups):
        check_same(group)
    return groups


def check_same(folders: list[str]) -> None:
    """Raise InputError unless all runs have the same data and the same masks in testing."""

    def asked(folder):
        found = record.read(folder)
        return found.data, found.run.masks.test

    data, hidden = asked(folders[0])
    for folder in folders[1:]:
        theirs, hidden_there = asked(folder)
        if record.other_data(data, theirs) or hidden_there != hidden:
            raise InputError(
                f"{folder}: other data or masks than {folders[0]}; the runs must be on the same"
            )
