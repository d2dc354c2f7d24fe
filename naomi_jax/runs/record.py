"""config.json of a run's folder: its settings, its data, the versions that made it."""

import json
import os
import platform
from typing import Any, NamedTuple

import jax

from naomi_jax.atomic import atomic_write
from naomi_jax.data.dataset import Dataset
from naomi_jax.errors import InputError
from naomi_jax.fields import leaves
from naomi_jax.runs import first_edition
from naomi_jax.training import settings as run_settings
from naomi_jax.training.settings import Run
from naomi_jax.version import __version__

FILE = "config.json"
# Settings that do not change what is computed.
_FREE = ("data.path",)


class Record(NamedTuple):
    """What is known of a run.

    Attributes:
      run: its settings.
      data: {"source", "simulated", "shape"} of its data.
      versions: of this package, jax and Python.
    """

    run: Run
    data: dict[str, Any]
    versions: dict[str, str]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, T, D) of the training data."""
        count, steps, dim = self.data["shape"][0]
        return count, steps, dim

    def as_json(self) -> dict[str, Any]:
        """As config.json has it."""
        return {
            "config": run_settings.to_json(self.run),
            "data": self.data,
            "versions": self.versions,
        }


def make(run: Run, dataset: Dataset) -> Record:
    """The record of a run that begins now."""
    versions = {
        "naomi_jax": __version__,
        "jax": jax.__version__,
        "python": platform.python_version(),
    }
    return Record(run, describe(dataset), versions)


def describe(dataset: Dataset) -> dict[str, Any]:
    """What is kept about the data of a run."""
    return {
        "source": dataset.source,
        "simulated": dataset.simulated,
        "shape": [list(s.shape) for s in (dataset.train, dataset.val, dataset.test)],
    }


def exists(workdir: str | os.PathLike) -> bool:
    """Whether there is a run in the folder."""
    return os.path.exists(os.path.join(workdir, FILE))


def write(workdir: str | os.PathLike, record: Record) -> None:
    """Write config.json, whole or not at all."""
    with atomic_write(os.path.join(workdir, FILE), mode="w", encoding="utf-8") as file:
        json.dump(record.as_json(), file, indent=2)


def read(workdir: str | os.PathLike) -> Record:
    """The record of a run, also of one made by the first edition.

    Raises:
      InputError: there is none, or it is damaged.
    """
    path = os.path.join(workdir, FILE)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        settings, data, versions = found["config"], found["data"], found["versions"]
        if first_edition.made(settings):
            settings = first_edition.convert(settings, data["shape"][0])
        return Record(run_settings.from_json(settings), data, versions)
    except FileNotFoundError:
        raise InputError(f"{workdir}: not the folder of a run (no {FILE} in it)") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}); train again") from error


def differences(before: Record, now: Record) -> list[str]:
    """What of one run differs from another, in words."""
    found = []
    old, new = (_values(record.run) for record in (before, now))
    for name in dict.fromkeys([*old, *new]):
        a, b = (values.get(name, "absent") for values in (old, new))
        if a != b and name not in _FREE:
            found.append(f"{name}: {a!r}, now {b!r}")
    if before.data != now.data:
        found.append(f"data: {before.data['source']!r}, now {now.data['source']!r}")
    return found


def _values(run):
    method = run_settings.method_of(run.method).name
    return {"method": method, **{leaf.name: leaf.value for leaf in leaves(run)}}
