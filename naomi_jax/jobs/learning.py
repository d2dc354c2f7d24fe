"""How to learn from a table: what was said of it, for the imputer and for the record."""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple


class Bound(NamedTuple):
    """Between which values a column lies.

    Attributes:
      name: of the column; None: all for which nothing else is said.
      low, high: None for no bound.
    """

    name: str | None
    low: float | None
    high: float | None

    def words(self) -> str:
        """As it is written on the command line."""
        sides = ",".join("" if side is None else f"{side:.15g}" for side in (self.low, self.high))
        return sides if self.name is None else f"{self.name}={sides}"


@dataclasses.dataclass(frozen=True)
class Learning:
    """What was said; None and () where nothing was.

    Attributes:
      seed: of everything random.
      minutes: at most.
      network: whether to train a network, too.
      bounds: of columns.
      covariates: names of columns that are known in every row.
      period: lengths of cycles: numbers of rows, or times such as "24h".
    """

    seed: int = 0
    minutes: float | None = None
    network: bool | None = None
    bounds: tuple[Bound, ...] = ()
    covariates: tuple[str, ...] = ()
    period: tuple[int | str, ...] = ()

    def record(self) -> dict[str, Any]:
        """What is kept beside what was learned, and compared when it is wanted again; JSON."""
        given = {
            "network": self.network,
            "bounds": [bound.words() for bound in self.bounds],
            "covariates": list(self.covariates),
            "period": list(self.period),
        }
        given = {name: value for name, value in given.items() if value}
        return {"seed": self.seed, "minutes": self.minutes, **given}

    def arguments(self, names: Sequence[Hashable]) -> dict[str, Any]:
        """Of `Imputer`; what was not said is left to it.

        Args:
          names: of the columns.
        """
        found: dict[str, Any] = {"seed": self.seed, "minutes": self.minutes}
        if self.network:
            found["method"] = "naomi_parallel"
        if self.period:
            found["period"] = self.period[0] if len(self.period) == 1 else list(self.period)
        if self.bounds:
            found["bounds"] = self._bounds(names)
        return found

    def _bounds(self, names):
        every = {bound[1:] for bound in self.bounds if bound.name is None}
        own = {bound.name: bound[1:] for bound in self.bounds if bound.name is not None}
        if not own:
            return every.pop()
        filled = [name for name in names if name not in self.covariates]
        return {**(dict.fromkeys(filled, every.pop()) if every else {}), **own}


def changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs between two records, in words."""
    return [
        f"--{name} {_shown(before.get(name))}, now {_shown(now.get(name))}"
        for name in {**now, **before}
        if before.get(name) != now.get(name)
    ]


def _shown(value):
    if value is None:
        return "not given"
    return " ".join(map(str, value)) if isinstance(value, list) else value
