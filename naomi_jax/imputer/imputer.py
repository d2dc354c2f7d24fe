"""Imputer: a table with holes in, the same table without holes out; scikit-learn's conventions."""

import contextlib
import copy
import dataclasses
import inspect
import numbers
import os
import sys
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np

from naomi_jax.imputer import fitting, output, reading
from naomi_jax.imputer.fitting import Watch, Wishes
from naomi_jax.imputer.judging.intervals import Residuals
from naomi_jax.imputer.preparation import calendar
from naomi_jax.imputer.reading import check_whole
from naomi_jax.imputer.stream import Stream
from naomi_jax.parallel.hiding import Hiding
from naomi_jax.progress import Progress, Steps
from naomi_jax.tables.casting import whole
from naomi_jax.tables.frames.reading import Names, has_names, table_of
from naomi_jax.tables.printable import listed, printable, quoted
from naomi_jax.tables.table import Table

METHODS = ("auto", "naomi_parallel", "interpolate")


class Imputer:
    """Fills the holes of a table, never worse than a straight line on entries it held out itself.

        filled = Imputer().fit(frame).transform(frame)

    `fit` learns from a table that may have holes itself. It fits several candidates: lines, curves,
    seasons, linear state spaces of all columns, and keeps some rows aside. Then it hides more of
    what is observed, in the pattern of the table's own holes and in others, and weighs the
    candidates by their errors there; for each column and length of gap the fill is a mixture of
    them. At last it learns from all rows. `report_` says what each candidate reached.

    Data are a pandas DataFrame or Series (an index of times, or a column of them, tells the time),
    a DataFrame of polars, a DataArray or Dataset of xarray, a table of pyarrow, an array (T, D) or
    (N, T, D), or a list of arrays (T_i, D); NaN or None in the holes. What comes back has the same
    type, index, columns, order and dtypes; observed entries are bit-identical. Columns of a
    DataFrame go by name; those without numbers are carried through, and a warning counts their
    empty cells. A column of whole numbers is filled with whole numbers.

    Args:
      method: "auto" fits state spaces where a column has 400 observed rows; "naomi_parallel" trains
        a level-parallel network (`naomi_jax.parallel`) beside them, which takes minutes and gains
        a few percent at most; "interpolate" fits neither: lines, curves and seasons alone.
      seed: of everything random.
      minutes: at most, of learning. It is looked at between steps: what cannot be cut short is the
        compilation of a program (a few seconds each), ten steps of a state space, and one draw of
        the judging. None: as long as it takes.
      window: rows around which levels are taken, and that the network sees at once; None follows
        the lengths of the gaps.
      hiding: which entries to hide while learning (`naomi_jax.parallel.hiding.Hiding`); None: half
        the table's own holes.
      bounds: (low, high) for all columns, or {column: (low, high)}; None in a place for no bound.
        No fill leaves them; observed values do, and a warning says so. A column that was never
        negative is never filled below 0 unless this says otherwise.
      period: length of a season beside those of the calendar, or several: a number of rows (of
        steps, where there are times), or a time such as "24h" where there are stamps.
      verbose: 1 shows stages and an estimate of the time left; 0 tells them to the logger
        "naomi_jax" alone.

    Attributes:
      report_: a DataFrame, a row for each column: root mean squared errors on held-out entries.
      lengths_: a DataFrame, the same by length of hole.
      feature_names_in_, n_features_in_: the columns that are filled.
    """

    def __init__(
        self,
        method: Literal["auto", "naomi_parallel", "interpolate"] = "auto",
        *,
        seed: int = 0,
        minutes: float | None = None,
        window: int | None = None,
        hiding: Hiding | None = None,
        bounds: Any = None,
        period: Any = None,
        verbose: int = 0,
    ):
        self.method = method
        self.seed = seed
        self.minutes = minutes
        self.window = window
        self.hiding = hiding
        self.bounds = bounds
        self.period = period
        self.verbose = verbose

    # Learning.

    def fit(
        self,
        data: Any,
        y: Any = None,
        *,
        time: Any = None,
        group: Any = None,
        covariates: Any = None,
    ) -> Self:
        """Learn from a table.

        Args:
          data: the table.
          y: ignored; scikit-learn's pipelines pass it.
          time: name of a column of stamps or numbers, or one for each row; None takes an index of
            times, or rows equally far apart. Rows may be in any order.
          group: name of a column of labels, or a label for each row, where the table holds several
            series under one another; None takes the levels of an index beside its times.
          covariates: names of columns, or (n, C) numbers, known in every row; a network reads them,
            the other candidates do not.

        Raises:
          TypeError, ValueError: naming the argument, what is wrong and what is accepted.
        """
        del y
        return self._fit(data, time=time, group=group, covariates=covariates)

    def _fit(
        self,
        data: Any,
        *,
        time: Any = None,
        group: Any = None,
        covariates: Any = None,
        progress: Steps | None = None,
        keep: Callable[[dict[str, Any]], None] = lambda found: None,
        begun: Mapping[str, Any] | None = None,
    ) -> Self:
        """`fit`, told to somebody else than the user, and begun by an earlier one.

        Args:
          data, time, group, covariates: as in `fit`.
          progress: is told of the stages; None shows them as `verbose` says.
          keep: is given what was fitted, after each model: to hand it over as `begun` when the same
            fit is made again.
          begun: what `keep` was given.
        """
        self._check()
        rows = table_of(data, time=time, group=group, covariates=covariates)
        if not isinstance(data, Table):  # whoever has read that has its notes
            _say(rows.notes, 4)
        some = np.any(~np.isnan(rows.values), axis=0)
        if not some.any():
            raise ValueError("data: not one observed value; there is nothing to learn from")
        for name in np.flatnonzero(~some):
            _say([f"column {quoted(rows.names[name])} has no value: it stays empty"], 4)
        panel, counted, _ = reading.panel(rows, some, None)
        counted = calendar.with_given(counted, self.period, panel)
        low, high = (side[some] for side in self._bounds(rows.names))
        _say(_outside(panel.values, [n for n, kept in zip(rows.names, some) if kept], low, high), 4)
        wishes = Wishes(
            simple=self.method == "interpolate",
            network=self.method == "naomi_parallel",
            window=self.window,
            minutes=self.minutes,
            seed=self.seed,
            hiding=self.hiding,
            low=low,
            high=high,
        )
        mean, std = panel.covariates.mean(0), panel.covariates.std(0)
        standard = (mean, np.where(std > 0, std, 1))
        prepared = reading.standardized(panel, standard)
        with Progress(self.verbose) if progress is None else contextlib.nullcontext() as own:
            steps: Any = progress or own
            watch = Watch(stage=steps.stage, at=steps.at, keep=keep, begun=begun or {})
            engine, report = fitting.fit(prepared, counted, wishes, watch)
        layout = self._layout_of(rows, isinstance(data, Table))
        self._remember(engine, some, standard, rows.names, layout, report)
        return self

    def _layout_of(self, rows, is_table):
        """What `_remember` keeps of the columns; time and group of a Table are no columns."""
        layout = {**rows.layout, **(dict.fromkeys(("time", "group")) if is_table else {})}
        # Rounded to a whole number, a fill could pass a bound that is none.
        sides = np.stack(self._bounds(rows.names))
        fits = np.all(~np.isfinite(sides) | (sides == np.floor(sides)), axis=0)
        layout["whole"] = [n for n, kept in zip(rows.names, rows.whole & fits) if kept]
        return layout

    def _remember(self, engine, some, covariates, names, layout, report):
        """What is known after a fit, or after a load.

        Args:
          engine: fitted.
          some: (D,) which columns have a value and are filled.
          covariates: means and deviations.
          names: of the D columns.
          layout: names of the columns of time, group and covariates, and of those that are filled
            with whole numbers.
          report: of the columns that are filled.
        """
        self._engine = engine
        self._some = some
        self._covariates = covariates
        self._names = names
        self._layout = layout
        self._report = report
        self.n_features_in_ = len(names)
        if not all(isinstance(name, (int, np.integer)) for name in names):
            self.feature_names_in_ = np.array([*names, None], dtype=object)[
                :-1
            ]  # tuples stay whole
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def fit_transform(
        self,
        data: Any,
        y: Any = None,
        *,
        time: Any = None,
        group: Any = None,
        covariates: Any = None,
        max_gap: int | None = None,
        flag: bool = False,
    ) -> Any:
        """`fit`, then `transform` of the same data."""
        given: dict[str, Any] = {"time": time, "group": group, "covariates": covariates}
        return self.fit(data, y, **given).transform(data, **given, max_gap=max_gap, flag=flag)

    @property
    def report_(self):
        """A DataFrame: for each column what was found on entries that were held out.

        held_out: how many distinct ones. A column for each candidate, under its name, and `fill`,
        what fills: root mean squared errors in the column's units; NaN where it filled none.
        inside_90: share of the truth inside `interval(level=0.9)`. weight of ...: of each candidate
        in the fill, on average over these entries. `fill` and `inside_90` are of weights and
        intervals that were found without the rows that they are judged on.
        """
        rows = [
            {
                "held_out": one.held_out,
                **dict(zip(self._report.candidates, one.errors)),
                "fill": one.fill,
                "inside_90": one.inside,
                **{f"weight of {n}": w for n, w in zip(self._report.candidates, one.weights)},
            }
            for one in self._reports()
        ]
        return self._by_column(rows)

    @property
    def lengths_(self):
        """A DataFrame: column, rows of the hole, held_out, line, fill, inside_90, as `report_`."""
        rows, names = [], [name for name, kept in zip(self._names, self._some) if kept]
        for name, one in zip(names, self._reports()):
            rows += [
                {
                    "column": name,
                    "rows": part.length,
                    "held_out": part.held_out,
                    "line": part.line,
                    "fill": part.fill,
                    "inside_90": part.inside,
                }
                for part in one.lengths
            ]
        import pandas as pd

        return pd.DataFrame(rows)

    def _reports(self):
        self._check_fitted()
        return self._report.columns

    def _by_column(self, rows):
        import pandas as pd

        return pd.DataFrame(rows, index=[n for n, kept in zip(self._names, self._some) if kept])

    # Filling.

    def transform(
        self,
        data: Any,
        *,
        time: Any = None,
        group: Any = None,
        covariates: Any = None,
        max_gap: int | None = None,
        flag: bool = False,
    ) -> Any:
        """The table without holes.

        Args:
          data: a table with the columns of the fit, in any order; other columns are carried
            through.
          time, group, covariates: as in `fit`; names given there need not be given again.
          max_gap: holes of more rows than this stay holes.
          flag: also return which entries were filled, True or False in the same container.

        Raises:
          TypeError, ValueError: naming the argument, what is wrong and what is accepted.
        """
        if not isinstance(flag, (bool, np.bool_)):
            raise TypeError(f"flag: {type(flag).__name__}; True or False is needed")
        rows, panel, order = self._read(data, time, group, covariates)
        wanted = reading.wanted(panel, max_gap)
        filled = self._engine.fill(panel, wanted)[0] if wanted.any() else panel.values
        fills, which = self._placed(rows, order, wanted, filled)
        asked = output.asked(getattr(self, "_sklearn_output_config", {}))
        back = output.contained(
            rows.filled(fills, which), asked, list(self.get_feature_names_out())
        )
        return (back, rows.flags(which)) if flag else back

    def sample(
        self,
        data: Any,
        n: int = 1,
        seed: int = 0,
        *,
        time: Any = None,
        group: Any = None,
        covariates: Any = None,
    ) -> Any:
        """n likely fills instead of the best one.

        Errors are drawn from those on held-out entries; neighbors in a gap err alike.

        Args:
          data: as in `transform`.
          n: how many.
          seed: of the draws.
          time, group, covariates: as in `transform`.

        Returns:
          A list of n tables; for an array, one array with a leading axis of n.
        """
        check_whole("n", n, 1)
        check_whole("seed", seed, 0)
        rows, panel, order = self._read(data, time, group, covariates)
        wanted = reading.wanted(panel, None)
        filled, index = self._engine.fill(panel, wanted)
        rng = np.random.default_rng(seed)
        found = []
        for _ in range(n):
            drawn = filled + self._residuals.draw(panel, index, rng)
            found.append(
                self._back(rows, order, wanted, self._engine.preparation.bounded(panel, drawn))
            )
        if not isinstance(found[0], np.ndarray):
            return found
        stack = np.ma.stack if isinstance(found[0], np.ma.MaskedArray) else np.stack
        return stack(found).astype(found[0].dtype, copy=False)  # stack changes the byte order

    def interval(
        self,
        data: Any,
        level: float = 0.9,
        *,
        time: Any = None,
        group: Any = None,
        covariates: Any = None,
    ) -> tuple[Any, Any]:
        """Two tables, between whose entries each missing value lies with probability `level`.

        From the quantiles of errors on held-out entries of the same column and length of gap. The
        fill of `transform` lies between them, too.

        Args:
          data: as in `transform`.
          level: between 0 and 0.99.
          time, group, covariates: as in `transform`.
        """
        if not (isinstance(level, numbers.Real) and 0 < level <= 0.99):
            raise ValueError(f"level: {level!r}; more than 0 and at most 0.99 is accepted")
        rows, panel, order = self._read(data, time, group, covariates)
        wanted = reading.wanted(panel, None)
        filled, index = self._engine.fill(panel, wanted)
        sides = []
        for tail, beyond in (((1 - level) / 2, np.minimum), ((1 + level) / 2, np.maximum)):
            away = beyond(self._residuals.at(np.full(index.shape, tail), index), 0)
            bounded = self._engine.preparation.bounded(panel, filled + away)
            sides.append(self._back(rows, order, wanted, bounded, whole=False))
        return sides[0], sides[1]

    def _back(self, rows, order, wanted, filled, whole=True):
        fills, which = self._placed(rows, order, wanted, filled)
        return rows.filled(fills, which, whole)

    def _placed(self, rows, order, wanted, filled):
        """Fills, and which entries are filled, in the rows and columns of what was handed over."""
        fills, which = np.zeros_like(rows.values), np.zeros(rows.values.shape, bool)
        fills[np.ix_(order, self._some)] = self._engine.preparation.in_units(filled)
        which[np.ix_(order, self._some)] = wanted
        return fills, which

    def _read(self, data, time, group, covariates):
        """The table of the data, the panel of its rows, and the row that each of these is."""
        rows = self._rows(data, time, group, covariates)
        if not isinstance(data, Table):
            _say(rows.empty, 4)
        return rows, *self._sorted(rows)

    def _rows(self, data, time, group, covariates):
        """The table of the data, in the columns of the fit."""
        self._check_fitted()
        layout = self._layout
        given = {"time": time, "group": group, "covariates": covariates}
        if isinstance(data, Table):
            known = data.covariates.shape[1] > 0 or layout["covariates"] is None
            if covariates is None and not known:
                given["covariates"] = layout["covariates"]
        elif has_names(data):
            given = {name: layout[name] if one is None else one for name, one in given.items()}
            if covariates is None and layout["covariates"] is not None:
                given["covariates"] = Names(layout["covariates"])
        elif hasattr(self, "feature_names_in_") and not hasattr(data, "to_frame"):
            _say(
                [
                    "data: no names of columns; they are taken in the order of the fit: "
                    f"{', '.join(map(printable, self._names))}"
                ],
                5,
            )
        rows = table_of(data, **given, names=self._names)
        # Few rows tell little: what is whole was learned, and is so unless a value says otherwise.
        known = set(layout.get("whole", ()))
        rounded = [name in known for name in self._names]
        rows = dataclasses.replace(rows, whole=whole(rows.values, 0) & rounded)
        if rows.covariates.shape[1] != self._given_covariates:
            raise ValueError(
                f"covariates: {rows.covariates.shape[1]}; the imputer was fitted with "
                f"{self._given_covariates}"
            )
        return rows

    def _sorted(self, rows):
        """The panel of rows in the engine's units, and the row of each of its."""
        panel, _, order = reading.panel(rows, self._some, self._engine.preparation.calendar)
        panel = self._engine.preparation.stabilizer.panel(panel)
        return reading.standardized(panel, self._covariates), order

    @property
    def _residuals(self) -> Residuals:
        return self._engine.residuals

    @property
    def _given_covariates(self):
        return len(self._covariates[0]) - self._engine.preparation.calendar.waves

    def stream(self, rows: int | None = None) -> Stream:
        """For rows that arrive one after the other: each is filled from the rows before it.

            live = imputer.stream()
            live.push(history)
            for row in feed:
                filled = live.push(row)

        Args:
          rows: how many of a series are kept; None keeps three of the longest cycle that is known
            of the data, and no fewer than the network sees at once.
        """
        self._check_fitted()
        if rows is None:
            longest = max(self._engine.preparation.calendar.periods, default=0)
            rows = max(3 * longest, self._engine.preparation.window)
        check_whole("rows", rows, 1)
        return Stream(copy.copy(self), rows)  # another fit does not change what it knows

    # Keeping.

    def save(self, folder: str | os.PathLike) -> None:
        """Write the fitted imputer into a folder, which is made.

        Raises:
          InputError: it cannot be written.
        """
        from naomi_jax.imputer import saving

        self._check_fitted()
        saving.save(self, folder)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> Self:
        """The imputer that `save` wrote.

        Raises:
          InputError: there is none, or it is damaged.
        """
        from naomi_jax.imputer import saving

        return saving.load(cls, folder)

    # scikit-learn's conventions.

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor."""
        del deep
        return {name: getattr(self, name) for name in _parameters()}

    def set_params(self, **values: Any) -> Self:
        """Change arguments of the constructor.

        Raises:
          ValueError: there is none of that name.
        """
        for name, value in values.items():
            if name not in _parameters():
                raise ValueError(
                    f"{name}: no parameter of Imputer; it has {', '.join(_parameters())}"
                )
            setattr(self, name, value)
        return self

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns, the same that went in; x0, x1 .. for those of an array.

        Raises:
          ValueError: `input_features` are not those of the fit, or not as many.
        """
        self._check_fitted()
        named = hasattr(self, "feature_names_in_")
        own = [str(name) if named else f"x{name}" for name in self._names]
        if input_features is None:
            return np.array(own, dtype=object)
        given = [str(name) for name in input_features]
        if len(given) != len(own) or (named and given != own):
            raise ValueError(
                "input_features is not equal to feature_names_in_, or should have length equal to "
                f"number of features ({len(own)}): {', '.join(map(printable, given))}"
            )
        return np.array(given, dtype=object)

    def set_output(self, *, transform: str | None = None) -> Self:
        """What `transform` and `fit_transform` return, as of scikit-learn's transformers.

        Args:
          transform: "default", the container that was handed over; "pandas" or "polars", a
            DataFrame; None changes nothing.

        Raises:
          ValueError: it is none of these.
        """
        if transform is not None:
            output.check(transform)
            self._sklearn_output_config = {
                "transform": transform
            }  # its clones keep it by this name
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_engine")

    def __sklearn_tags__(self):
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float64", "float32"]),
            input_tags=InputTags(allow_nan=True),
            non_deterministic=self.minutes is not None,
        )

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name in _parameters()
            if getattr(self, name) is not defaults[name].default
        ]
        return f"Imputer({', '.join(changed)})"

    def _check_fitted(self):
        if not hasattr(self, "_engine"):
            raise _not_fitted()

    def _check(self):
        if not isinstance(self.method, str) or self.method not in METHODS:
            raise ValueError(f"method: {self.method!r}; one of {', '.join(METHODS)} is needed")
        minutes = self.minutes
        if minutes is not None and not (isinstance(minutes, numbers.Real) and 0 < minutes < np.inf):
            raise ValueError(f"minutes: {minutes!r}; a positive number is needed")
        if self.window is not None:
            check_whole("window", self.window, 2)
        check_whole("seed", self.seed, 0)
        if not isinstance(self.verbose, bool):
            check_whole("verbose", self.verbose, 0)
        if self.hiding is not None and not isinstance(self.hiding, Hiding):
            raise TypeError(f"hiding: {type(self.hiding).__name__}; a Hiding is needed")

    def _bounds(self, names: Sequence[Hashable]):
        """(low, high) of each column; NaN where nothing is said."""
        low, high = np.full(len(names), np.nan), np.full(len(names), np.nan)
        given: Any = self.bounds
        if given is None:
            return low, high
        if not isinstance(given, Mapping):
            given = dict.fromkeys(names, given)
        for name, pair in given.items():
            if name not in names:
                raise ValueError(
                    f"bounds: no column {quoted(name)}; the columns are {listed(names)}"
                )
            place = list(names).index(name)
            try:
                bottom, top = pair
                low[place] = -np.inf if bottom is None else bottom
                high[place] = np.inf if top is None else top
            except (TypeError, ValueError):
                raise ValueError(
                    f"bounds: {pair!r} for {name!r}; (low, high), numbers or None, is needed"
                ) from None
            if not low[place] < high[place]:
                raise ValueError(f"bounds: {pair!r} for {name!r}; low < high is needed")
        return low, high


def _outside(values, names, low, high):
    """A line about observed values beyond the user's bounds; none where they keep them."""
    with np.errstate(invalid="ignore"):
        count = ((values < low) | (values > high)).sum(0)
    found = [f"{n} of {quoted(name)}" for name, n in zip(names, count) if n]
    if found:
        yield f"bounds: observed values lie outside ({listed(found)}); they stay, and no fill does"


def _parameters():
    return [name for name in inspect.signature(Imputer.__init__).parameters if name != "self"]


def _say(lines, level):
    """Warnings, of the line that called the method which is so many calls away."""
    for line in lines:
        warnings.warn(line, UserWarning, stacklevel=level)


def _not_fitted():
    message = "this Imputer is not fitted yet; call fit(data) first"
    with contextlib.suppress(ImportError):
        if "sklearn" in sys.modules:
            from sklearn.exceptions import NotFittedError

            return NotFittedError(message)
    return ValueError(message)
