"""What a fit reached on entries that it held out, for each column: what fills, and how well."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int

from naomi_jax.imputer.judging.stacking import Blend
from naomi_jax.imputer.models.candidate import LINE
from naomi_jax.imputer.preparation import classes
from naomi_jax.imputer.preparation.stabilizing import Stabilizer


@dataclasses.dataclass(frozen=True)
class LengthReport:
    """Of the held-out entries in holes of one length.

    Attributes:
      length: rows of the hole, one of `classes.LENGTHS`.
      held_out: distinct entries.
      line, fill: root mean squared errors in the column's units.
      inside: share of the truth in the 90 % interval.
    """

    length: str
    held_out: int
    line: float
    fill: float
    inside: float


@dataclasses.dataclass(frozen=True)
class ColumnReport:
    """Of one column. Errors are root mean squared ones in its units.

    Attributes:
      held_out: distinct entries that were hidden and judged; some of them several times.
      errors: of each candidate; NaN where it filled none.
      weights: of each candidate in the fill, on average over these entries; 1 in sum.
      fill: error of what fills, with weights that were fitted to other rows.
      inside: share of the truth in the 90 % interval, which was found on other rows too.
      lengths: the same by the length of holes, where there were any.
    """

    held_out: int
    errors: tuple[float, ...]
    weights: tuple[float, ...]
    fill: float
    inside: float
    lengths: tuple[LengthReport, ...]


@dataclasses.dataclass(frozen=True)
class Report:
    """Of a table.

    Attributes:
      candidates: their names, the line first.
      columns: in the order of the fit.
    """

    candidates: tuple[str, ...]
    columns: tuple[ColumnReport, ...]

    @property
    def line(self) -> int:
        """The number of the straight line among the candidates."""
        return self.candidates.index(LINE)


@dataclasses.dataclass(frozen=True)
class Entries:
    """Held-out entries, in stabilized units.

    Attributes:
      row, column, kind: where each is, and its class.
      truth: what was hidden.
      errors: of each candidate.
      filled: error of the fill.
      inside: whether the truth lies in the interval.
    """

    row: Int[np.ndarray, " m"]
    column: Int[np.ndarray, " m"]
    kind: Int[np.ndarray, " m"]
    truth: Float[np.ndarray, " m"]
    errors: Float[np.ndarray, "m J"]
    filled: Float[np.ndarray, " m"]
    inside: Bool[np.ndarray, " m"]


def make(entries: Entries, blend: Blend, stabilizer: Stabilizer) -> Report:
    """The report.

    Args:
      entries: that were held out.
      blend: the weights of the candidates.
      stabilizer: back to the columns' own units.
    """
    dim = len(stabilizer.least)
    order = np.argsort(entries.column, kind="stable")
    edges = np.searchsorted(entries.column[order], np.arange(dim + 1))
    columns = []
    for number in range(dim):
        mine = order[edges[number] : edges[number + 1]]
        part = Entries(*(getattr(entries, f.name)[mine] for f in dataclasses.fields(entries)))
        columns.append(_column(number, part, blend, stabilizer.only(number)))
    return Report(blend.names, tuple(columns))


def _column(number, part, blend, stabilizer):
    truth = stabilizer.inverse(part.truth[:, None])

    def in_units(error):
        return stabilizer.inverse((part.truth + error)[:, None])[:, 0] - truth[:, 0]

    errors = np.stack([in_units(error) for error in part.errors.T], axis=1)
    filled = in_units(part.filled)
    length = classes.length(part.kind)
    lengths = [
        LengthReport(
            name,
            _distinct(part.row[mine]),
            _rms(errors[mine, blend.names.index(LINE)]),
            _rms(filled[mine]),
            float(part.inside[mine].mean()),
        )
        for place, name in enumerate(classes.LENGTHS)
        if (mine := length == place).any()
    ]
    return ColumnReport(
        _distinct(part.row),
        tuple(map(_rms, errors.T)),
        tuple(map(float, blend.shares(number, part.kind))),
        _rms(filled),
        float(part.inside.mean()) if len(filled) else float("nan"),
        tuple(lengths),
    )


def _distinct(row):
    return len(np.unique(row))


def _rms(error):
    """Root mean square, entries without a fill left out."""
    kept = error[np.isfinite(error)]
    return float(np.sqrt(np.mean(np.square(kept)))) if len(kept) else float("nan")
