"""The protocol of a candidate: one way to fill a table's holes. A candidate is one file.

    def fit(given, learning): ...          -> candidates, none where the table is too small for it
    class Mine: name, fill(given, wanted)  -> (n, D), NaN where it has no fill

    MODEL = Model("mine", fit, (Mine,))

`registry.register(MODEL)` makes a file's candidates fitted, judged, blended, reported and saved.
What is fitted is a frozen dataclass of arrays and plain values, so that it can be saved as it is.
"""

import dataclasses
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from jaxtyping import Bool, Float, Int

from naomi_jax.imputer.preparation import classes, pivots
from naomi_jax.imputer.preparation.panel import Panel
from naomi_jax.imputer.preparation.pivots import Outer, Pivots
from naomi_jax.imputer.preparation.preparation import Preparation

LINE = "line"  # the candidate that all others are compared with


@dataclasses.dataclass(frozen=True)
class Given:
    """A table with holes, and what several candidates need of it, worked out once.

    Attributes:
      panel: stabilized, without false readings.
      preparation: how it was made so.
      fills: of the candidates before, by name: one may build on another.
    """

    panel: Panel
    preparation: Preparation
    fills: dict[str, Float[np.ndarray, "n D"]] = dataclasses.field(default_factory=dict)

    @cached_property
    def sides(self) -> Pivots:
        """The known entries on both sides of each entry."""
        return pivots.pivots(self.panel.observed, self.panel)

    @cached_property
    def beyond(self) -> Outer:
        """The known entries beyond these."""
        return pivots.outer(self.panel, self.sides)

    @cached_property
    def kinds(self) -> Int[np.ndarray, "n D"]:
        """The class of each entry (preparation/classes.py)."""
        return classes.of(self.panel, self.sides, self.beyond)

    @cached_property
    def season(self) -> Float[np.ndarray, "n D"]:
        """What each row's phases say."""
        return self.preparation.season(self.preparation.calendar, self.panel)

    @cached_property
    def scaled(self) -> Panel:
        """The panel less its season, in units of the scale."""
        values = (self.panel.values - self.season) / self.preparation.scaling.scale
        return dataclasses.replace(self.panel, values=values)

    def restored(self, filled: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n D"]:
        """The way back from `scaled`."""
        return self.season + self.preparation.scaling.scale * filled

    def in_scale(self, name: str) -> Float[np.ndarray, "n D"]:
        """The fill of a candidate before this one, as `scaled` is."""
        return (self.fills[name] - self.season) / self.preparation.scaling.scale


@dataclasses.dataclass(frozen=True)
class Learning:
    """What a fit may use.

    Attributes:
      rows: (n,) which rows may be learned from; the others are kept aside.
      seed: of everything random.
      hidden: (panel, windows, number, rows of a section) -> entries of these windows to hide, as
        the judging will hide others.
      windows: first row and number of rows of what is kept aside to choose by.
      stretches: of what may be learned from, in the same way.
      began, until: `time.monotonic()` at which the fit of this candidate began and should have
        ended.
      at: is told the share that is done.
      kept: what was fitted before, by name of the candidate, to go on from on other rows.
    """

    rows: Bool[np.ndarray, " n"]
    seed: int
    hidden: Callable[..., Bool[np.ndarray, "n D"]]
    windows: Int[np.ndarray, "M 2"]
    stretches: Int[np.ndarray, "S 2"]
    began: float = 0.0
    until: float = np.inf
    at: Callable[[float], object] = lambda share: None
    kept: dict[str, Any] = dataclasses.field(default_factory=dict)

    def share(self, share: float) -> float:
        """`time.monotonic()` at which this share of its work should have been done."""
        if np.isinf(self.until):
            return np.inf
        return self.began + share * (self.until - self.began)

    @property
    def late(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() >= self.until


class Candidate(Protocol):
    """One way to fill holes, fitted: a frozen dataclass."""

    @property
    def name(self) -> str:
        """As reports and weights call it; no two candidates share one."""
        ...

    def fill(self, given: Given, wanted: Bool[np.ndarray, "n D"]) -> Float[np.ndarray, "n D"]:
        """Fills in the units of `given.panel`; NaN where it has none.

        Args:
          given: the table.
          wanted: entries that are needed.
        """
        ...


Fit = Callable[[Given, Learning], tuple[Candidate, ...]]


@dataclasses.dataclass(frozen=True)
class Model:
    """A file of candidates.

    Attributes:
      title: what is fitted, for progress: "state space".
      fit: gives the candidates, none where the table is too small for them.
      kinds: their dataclasses and those that these hold; what may be saved.
      simple: whether it takes no time and little data: fitted for every table.
      network: whether it is fitted only where a network was asked for.
    """

    title: str
    fit: Fit
    kinds: tuple[type, ...]
    simple: bool = False
    network: bool = False
