"""Columns of a polars DataFrame, or of a Series as its only one."""

# ruff: noqa: D102 - columns.Columns says what each method does

from collections.abc import Hashable
from typing import Any

import numpy as np

from naomi_jax.tables import casting
from naomi_jax.tables.frames.arguments import ADVICE
from naomi_jax.tables.frames.columns import Index
from naomi_jax.tables.printable import quoted


class PolarsColumns:
    """See `columns.Columns`."""

    def __init__(self, data: Any):
        """`data`: a DataFrame or a Series."""
        self._single = not hasattr(data, "columns")
        self._frame = data.to_frame() if self._single else data

    @property
    def names(self) -> list[Hashable]:
        return list(self._frame.columns)

    def __len__(self):
        return self._frame.height

    def has(self, name):
        return name in self._frame.columns

    def kind(self, name):
        own = self._frame[name].dtype
        if own.is_numeric():
            return "number"
        if own.is_temporal():
            return "time"
        return "switch" if str(own) == "Boolean" else "text"

    def numbers(self, name, argument):
        import polars

        what, column = self.kind(name), self._frame[name]
        nothing = column.null_count() == len(column)
        if not (what == "number" or (what == "switch" and argument == "covariates") or nothing):
            raise ValueError(
                f"{argument}: column {quoted(name)} holds something else than numbers "
                f"({column.dtype}); {ADVICE}"
            )
        return np.array(column.cast(polars.Float64).to_numpy(), np.float64)

    def plain(self, name):
        column = self._frame[name]
        if column.dtype.is_temporal() or column.dtype.is_float():
            return column.to_numpy()  # those with zones come in UTC
        return np.array([*column.to_list(), None], object)[:-1]

    def holes(self, name):
        return self._frame[name].null_count()

    def is_integer(self, name):
        return self._frame[name].dtype.is_integer()

    def index(self, time, group):
        del time, group
        return Index()

    def filled(self, fills):
        import polars

        new = []
        for name, (positions, values) in fills.items():
            column = self._frame[name]
            own = column.dtype
            if own.is_decimal():
                cells = casting.decimals(values, own.scale, own.precision)
            elif own.is_integer() or own.is_float():
                plain = np.dtype(str(own).lower())
                cells = casting.cast(values, plain)
            else:  # a column of nothing but holes
                cells, own = values, polars.Float64
            whole = column.cast(own)
            new.append(whole.scatter(positions, polars.Series(cells, dtype=own)))
        filled = self._frame.with_columns(new)
        return filled.to_series(0) if self._single else filled

    def flags(self, names, which):
        import polars

        frame = polars.DataFrame({name: which[:, k] for k, name in enumerate(names)})
        return frame.to_series(0) if self._single else frame
