"""All data sets by name. A new one is a file that calls `register`; all else asks what is here.

KIND = registry.register(registry.DatasetKind(name="tides", load=..., metrics=(...,)))
"""

import dataclasses
import importlib
import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from naomi_jax.data.dataset import Dataset
from naomi_jax.data.drawing import Drawing, Series
from naomi_jax.data.metrics import Metric
from naomi_jax.errors import InputError

# Files of this folder that register a data set of the same name, in the order of help and messages.
_BUILT_IN = ("traffic", "billiards", "basketball", "files")
_kinds: dict[str, "DatasetKind"] = {}

# The key of the truth itself, wherever keys are otherwise names of methods.
EXPERT = "expert"


class Request(NamedTuple):
    """What a user asks of a data set.

    Attributes:
      path: a copy of the data to use; None takes the built-in source (download or simulation).
      window, stride: how to cut one long series into sequences.
      log: receives plain lines.
      progress: show a bar for downloads.
    """

    path: str | None = None
    window: int | None = None
    stride: int | None = None
    log: Callable[[str], None] = lambda line: None
    progress: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class DatasetKind:
    """All that is particular to one data set.

    Attributes:
      name: on the command line, in config.json and in `Dataset.name`; "billiards".
      load: from a Request whose path exists or is None; raises InputError where that cannot be had.
      metrics: the columns of its tables.
      paper: for each method's name, and EXPERT, the paper's value of each metric.
      table: the number of the paper's table that `paper` is from, or None.
      drawing: how its sequences are drawn.
      symmetries: (N, T, D) -> (k N, T, D), images that are as likely as the sequences themselves, x
        itself first; None where there are none.
      bounds: (low, high), of D numbers each, that no value should leave; None where there are none.
    """

    name: str
    load: Callable[[Request], Dataset]
    metrics: tuple[Metric, ...]
    paper: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    table: int | None = None
    drawing: Drawing = Series()
    symmetries: Callable[[np.ndarray], np.ndarray] | None = None
    bounds: tuple[np.ndarray, np.ndarray] | None = None

    def __post_init__(self):
        for name, values in self.paper.items():
            if len(values) != len(self.metrics):
                raise ValueError(
                    f"{self.name}: the paper's {name} has {len(values)} values, but there are "
                    f"{len(self.metrics)} metrics"
                )

    @property
    def has_expert(self) -> bool:
        """Whether the truth has a row of its own: where there are metrics other than its error."""
        return len(self.metrics) > 1


def register(kind: DatasetKind) -> DatasetKind:
    """Make a data set known.

    Raises:
      ValueError: another one has its name.
    """
    if _kinds.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"data set {kind.name!r}: there is another one of this name")
    return kind


def names() -> tuple[str, ...]:
    """Of all of them: first those of naomi_jax, then others as they were registered."""
    _load()
    return (*_BUILT_IN, *(name for name in _kinds if name not in _BUILT_IN))


def every() -> tuple[DatasetKind, ...]:
    """All of them, in that order."""
    return tuple(_kinds[name] for name in names())


def get(name: str) -> DatasetKind:
    """The data set of that name.

    Raises:
      InputError: there is none.
    """
    if name not in names():
        raise InputError(f"dataset: {name!r}; one of {', '.join(names())} is needed")
    return _kinds[name]


def of_table(number: int) -> DatasetKind:
    """The data set that a table of the paper is about.

    Raises:
      InputError: there is no such table.
    """
    tables = {kind.table: kind for kind in every() if kind.table is not None}
    if number not in tables:
        numbers = ", ".join(map(str, sorted(tables)))
        raise InputError(f"table: {number!r}; one of {numbers} is needed")
    return tables[number]


def load(
    name: str,
    path: str | None = None,
    *,
    window: int | None = None,
    stride: int | None = None,
    log: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> Dataset:
    """Load a data set.

    Args:
      name: one of `names()`.
      path, window, stride, log, progress: as in `Request`.

    Raises:
      InputError: the data cannot be had; the message says why and what to do.
    """
    kind = get(name)
    if path is not None and not os.path.exists(path):
        raise InputError(f"--data {path}: no such file or folder")
    return kind.load(Request(path, window, stride, log, progress))


def _load():
    """Import the built-in files; not at the top, because they import this one."""
    for name in _BUILT_IN:
        importlib.import_module(f"naomi_jax.data.{name}")
