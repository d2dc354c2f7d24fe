"""What was read from a file: values with NaN in the holes, names, times, labels."""

import dataclasses
import hashlib
from typing import Any

import numpy as np

SIDES = ("_low", "_high")  # behind a column's name: between which its missing values lie


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """A table with holes. T rows in the order of the file, D columns of values.

    Attributes:
      values: (T, D) float64, NaN in the holes; (N, T, D) for .npz and .npy of sequences.
      names: of the D columns; "0", "1", ... where the file has none.
      times: (T,) datetime64[ns], in UTC where the stamps carry zones; or (T,) float64 numbers; or
        None where the file has no times.
      time_name: the name of the time column, "" where it has none; None without times.
      groups: (T,) labels of the series that a row belongs to, or None.
      notes: plain lines on what was assumed or left out, to be printed.
      integer: (D,) bool, the columns whose observed cells are all written as integers.
      source: how the file was written; for `naomi_jax.tables.writing` alone.
    """

    values: np.ndarray
    names: tuple[str, ...]
    times: np.ndarray | None
    time_name: str | None
    groups: np.ndarray | None
    notes: tuple[str, ...]
    integer: np.ndarray
    source: Any

    def sha256(self) -> str:
        """A hash of values, names, times and labels: the same for the same table in any format."""
        digest = hashlib.sha256()
        values = np.where(np.isnan(self.values), np.nan, self.values)  # one NaN of the many
        parts = [values.astype("<f8"), self.times, self.groups]
        for part in parts:
            if part is None:
                digest.update(b"none;")
            elif part.dtype.kind == "O":
                digest.update(repr([str(label) for label in part]).encode())
            else:
                part = part.astype("<i8") if part.dtype.kind == "M" else part
                digest.update(f"{part.dtype.kind}{part.shape};".encode())
                digest.update(np.ascontiguousarray(part).tobytes())
        digest.update(repr(self.names).encode())
        return digest.hexdigest()
