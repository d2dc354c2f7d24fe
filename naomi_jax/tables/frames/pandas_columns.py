"""Columns of a pandas DataFrame, or of a Series as its only one."""

# ruff: noqa: D102 - columns.Columns says what each method does

from collections.abc import Hashable
from typing import Any

from naomi_jax.tables.frames import dtypes, pandas_index
from naomi_jax.tables.printable import quoted


class PandasColumns:
    """See `columns.Columns`."""

    def __init__(self, data: Any):
        """`data`: a DataFrame or a Series."""
        self._series: Any = None if hasattr(data, "columns") else data
        frame = self._frame = data if self._series is None else data.to_frame()
        if not frame.columns.is_unique:
            twice = frame.columns[frame.columns.duplicated()][0]
            raise ValueError(
                f"data: two columns are named {quoted(twice)}; give each a name of its own"
            )
        self._kinds: dict[Hashable, str] = {}

    @property
    def names(self) -> list[Hashable]:
        return list(self._frame.columns)

    def __len__(self):
        return len(self._frame)

    def has(self, name):
        return name in self._frame.columns or (name is not None and name in self._levels)

    @property
    def _levels(self):
        return [level for level in self._frame.index.names if level is not None]

    def kind(self, name):
        if name not in self._kinds:
            self._kinds[name] = dtypes.kind(self._frame[name])
        return self._kinds[name]

    def numbers(self, name, argument):
        return dtypes.numbers(self._frame[name], self.kind(name), argument)

    def plain(self, name):
        if name in self._frame.columns:
            return self._frame[name]
        return self._frame.index.get_level_values(name)

    def holes(self, name):
        return int(self._frame[name].isna().sum())

    def is_integer(self, name):
        return getattr(self._frame[name].dtype, "kind", "O") in "iu"

    def index(self, time, group):
        return pandas_index.read(self._frame.index, time, group)

    def filled(self, fills):
        filled = self._frame.copy()
        for name, (positions, values) in fills.items():
            filled[name] = dtypes.filled(self._frame[name], positions, values)
        return filled if self._series is None else self._back(filled)

    def _back(self, frame):
        """The only column as a Series of the name that it had, which may be None."""
        return frame.iloc[:, 0].rename(self._series.name)

    def flags(self, names, which):
        import pandas as pd

        frame = pd.DataFrame(
            which, index=self._frame.index, columns=self._frame[list(names)].columns
        )
        return frame if self._series is None else self._back(frame)
