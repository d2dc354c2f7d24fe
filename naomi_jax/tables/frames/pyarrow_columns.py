"""Columns of a table of pyarrow."""

# ruff: noqa: D102 - columns.Columns says what each method does

from collections.abc import Hashable
from typing import Any

import numpy as np

from naomi_jax.tables.columns import arrow_columns
from naomi_jax.tables.frames.arguments import ADVICE
from naomi_jax.tables.frames.columns import Index
from naomi_jax.tables.printable import quoted


class PyarrowColumns:
    """See `columns.Columns`."""

    def __init__(self, data: Any):
        """`data`: a pyarrow.Table."""
        names = data.column_names
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(
                f"data: two columns are named {quoted(twice)}; give each a name of its own"
            )
        self._table = data

    @property
    def names(self) -> list[Hashable]:
        return list(self._table.column_names)

    def __len__(self):
        return self._table.num_rows

    def has(self, name):
        return name in self._table.column_names

    def kind(self, name):
        found = arrow_columns.kind(self._table[name])
        return "time" if found == "elapsed" else found

    def numbers(self, name, argument):
        what, column = self.kind(name), self._table[name]
        nothing = column.null_count == len(column)
        if nothing:
            return np.full(len(column), np.nan)
        if not (what == "number" or (what == "switch" and argument == "covariates")):
            raise ValueError(
                f"{argument}: column {quoted(name)} holds something else than numbers "
                f"({column.type}); {ADVICE}"
            )
        return arrow_columns.numbers(column).astype(np.float64)

    def plain(self, name):
        column = self._table[name]
        found = arrow_columns.kind(column)
        if found == "time":
            return arrow_columns.times(column)
        if found == "number":
            return arrow_columns.numbers(column)
        if found == "elapsed":
            return column.to_numpy()
        return np.array([*column.to_pylist(), None], object)[:-1]

    def holes(self, name):
        return self._table[name].null_count

    def is_integer(self, name):
        from pyarrow import types

        return types.is_integer(self._table[name].type)

    def index(self, time, group):
        del time, group
        return Index()

    def filled(self, fills):
        table = self._table
        for name, (positions, values) in fills.items():
            which = np.zeros(len(self), bool)
            which[positions] = True
            number = table.column_names.index(name)
            column = arrow_columns.replaced(table.column(number), which, values)
            table = table.set_column(number, table.schema.field(number), column)
        return table.replace_schema_metadata(self._table.schema.metadata)

    def flags(self, names, which):
        import pyarrow as arrow

        return arrow.table({name: which[:, number] for number, name in enumerate(names)})
