"""What every container with named columns can do, so that one piece of code reads them all."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np


class Index(NamedTuple):
    """What stands beside the columns.

    Attributes:
      time: stamps for each row, or None.
      group: a label for each row, or None.
      notes: lines on what looks like time and is not read as such.
    """

    time: Any = None
    group: Any = None
    notes: tuple[str, ...] = ()


class Columns(Protocol):
    """A container with named columns, of n rows."""

    @property
    def names(self) -> list[Hashable]:
        """Of all columns; no two are equal."""
        ...

    def __len__(self) -> int: ...

    def has(self, name: Any) -> bool:
        """Whether it names a column, or something beside them that can be a time or a label."""
        ...

    def kind(self, name: Hashable) -> str:
        """Say "number", "switch" (true and false), "time" or "text" of a column."""
        ...

    def numbers(self, name: Hashable, argument: str) -> np.ndarray:
        """(n,) float64 of a column of numbers (or switches, as a covariate), NaN in the holes.

        Raises:
          ValueError: it holds something else; beginning with `argument`.
        """
        ...

    def plain(self, name: Hashable) -> Any:
        """The cells of a column as they are, for times and labels."""
        ...

    def holes(self, name: Hashable) -> int:
        """How many cells of a column are empty."""
        ...

    def is_integer(self, name: Hashable) -> bool:
        """Whether its type has no other numbers."""
        ...

    def index(self, time: bool, group: bool) -> Index:
        """What stands beside the columns, where time or group are not said otherwise."""
        ...

    def filled(self, fills: Mapping[Hashable, tuple[np.ndarray, np.ndarray]]) -> Any:
        """A copy; {name: (positions, values for them)} are written, in each column's own type."""
        ...

    def flags(self, names: Sequence[Hashable], which: np.ndarray) -> Any:
        """The same container of booleans (n, D), of the named columns alone."""
        ...
