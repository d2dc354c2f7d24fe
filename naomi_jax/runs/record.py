"""config.json of a run's folder: its settings, its data, the versions that made it."""

import hashlib
import json
import os
import platform
from typing import Any, NamedTuple

import jax
import numpy as np

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
# What reading JSON of any shape as a record raises.
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(OverflowError, RecursionError),
)


class Record(NamedTuple):
    """What is known of a run.

    Attributes:
      run: its settings.
      data: {"source", "simulated", "shape"} of its data, and "sha256" of its values where they are
        not simulated and the run is not an older one.
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
    """What is kept about the data of a run.

    Simulated values are not hashed: the last bit of a sine depends on the processor.
    """
    splits = dataset.train, dataset.val, dataset.test
    found = {
        "source": dataset.source,
        "simulated": dataset.simulated,
        "shape": [list(split.shape) for split in splits],
    }
    return found if dataset.simulated else {**found, "sha256": _sha256(splits)}


def _sha256(splits):
    digest = hashlib.sha256()
    for split in splits:
        digest.update(np.ascontiguousarray(split).data)
    return digest.hexdigest()


def other_data(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """How the data of one run (`describe`) differ from another's, in words; None if they do not.

    An older run knows nothing of the values, so that they are not compared with it.
    """
    for name in ("source", "simulated", "shape"):
        if before[name] != now[name]:
            return f"data: {before[name]!r}, now {now[name]!r}"
    if {**before, **now}.get("sha256") != {**now, **before}.get("sha256"):
        return f"data: other values than before in {now['source']!r}"
    return None


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
        _check(data, versions)
        return Record(run_settings.from_json(settings), data, versions)
    except FileNotFoundError:
        raise InputError(f"{workdir}: not the folder of a run (no {FILE} in it)") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except _DAMAGE as error:
        raise InputError(
            f"{path}: damaged ({type(error).__name__}); put it back, or train again in another "
            "folder"
        ) from error


def _check(data, versions):
    """Raise TypeError unless they have the types that `describe` and `make` give them."""
    shapes = [tuple(shape) for shape in data["shape"]]
    sizes = [size for shape in shapes for size in shape]
    fits = (
        [len(shape) for shape in shapes] == [3, 3, 3]
        and all(type(size) is int and size > 0 for size in sizes)
        and isinstance(data["source"], str)
        and isinstance(data["simulated"], bool)
        and isinstance(data.get("sha256", ""), str)
        and all(isinstance(value, str) for value in versions.values())
    )
    if not fits:
        raise TypeError("not what is kept about the data and the versions of a run")


def differences(before: Record, now: Record) -> list[str]:
    """What of one run differs from another, in words."""
    found = []
    old, new = (_values(record.run) for record in (before, now))
    for name in dict.fromkeys([*old, *new]):
        a, b = (values.get(name, "absent") for values in (old, new))
        if a != b and name not in _FREE:
            found.append(f"{name}: {a!r}, now {b!r}")
    data = other_data(before.data, now.data)
    return found if data is None else [*found, data]


def _values(run):
    method = run_settings.method_of(run.method).name
    return {"method": method, **{leaf.name: leaf.value for leaf in leaves(run)}}
