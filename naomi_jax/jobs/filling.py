"""A file with holes and an imputer: learn from the table in it, or fill and write it.

Between the two rooms `tables` and `imputer`: which column goes where, and what went wrong, in words
about the file.
"""

import contextlib
import dataclasses
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.imputer.imputer import Imputer
from naomi_jax.jobs import matching
from naomi_jax.jobs.wanted import Filling, targets
from naomi_jax.tables import casting
from naomi_jax.tables.columns import roles
from naomi_jax.tables.files import reading, writing
from naomi_jax.tables.options import Options
from naomi_jax.tables.printable import printable, quoted
from naomi_jax.tables.table import SIDES, Table

_SAME_FOR_ALL = ("missing", "time", "group", "dayfirst")  # options that suit all tables of a run


def check_values(path: str, table: Table) -> None:
    """Raise InputError where values are too large to calculate with.

    Args:
      path: of the file, for the message.
      table: from it.
    """
    large = np.abs(table.values) > casting.LARGEST
    if large.any():
        name, value = table.names[np.argwhere(large)[0][-1]], table.values[large][0]
        raise InputError(
            f"{path}, column {quoted(name)}: {value:g} is too large; at most "
            f"{casting.LARGEST:g} is accepted; where it means missing: --missing {value}"
        )


def check_names(path: str, table: Table, filling: Filling, covariates: Sequence[str] = ()) -> None:
    """Raise InputError for columns that are not there, or would be there twice.

    Args:
      path: of the file, for the message.
      table: from it.
      filling: what to write.
      covariates: names of columns that are known in every row.
    """
    if covariates and table.values.ndim == 3:
        raise InputError(f"--covariates: {path} holds sequences; of a table columns can be named")
    for name in covariates:
        if name not in table.names:
            known = ", ".join(map(repr, table.names[:20]))
            raise InputError(f"--covariates {name}: no column of numbers; there are {known}")
    if len(covariates) == len(table.names):
        raise InputError("--covariates: all columns of numbers; none is left to be filled")
    if filling.interval is None:
        return
    new = [f"{name}{end}" for name in table.names for end in SIDES]
    if reading.extension(path) in reading.ARRAYS:
        new = [end.removeprefix("_") for end in SIDES]
        taken = table.source.others
    else:
        taken = table.names
    for name in new:
        if name in taken:
            raise InputError(f"--interval: {path} has {name!r} already; rename it")


# Learning.


def record_of(path: str, table: Table, options: Options) -> dict[str, Any]:
    """What is kept about the table that an imputer was fitted on; JSON."""
    return {
        "file": os.path.basename(path),
        "sha256": table.sha256(),
        "shape": list(table.shape),
        "missing": int(np.count_nonzero(np.isnan(table.values))),
        "columns": list(table.names),
        "time": table.time_name,
        "numbers_as_time": table.time is not None and table.time.dtype.kind != "M",
        "group": options.group,
        "freq": options.freq,
        "options": dataclasses.asdict(options),
    }


def fit(
    imputer: Imputer,
    table: Table,
    path: str,
    say: Callable[[str], None],
    covariates: Sequence[str] = (),
    **going_on: Any,
) -> Imputer:
    """Learn from a table.

    Args:
      imputer: with its settings.
      table: from the file.
      path: of the file, for messages.
      say: receives notes.
      covariates: names of columns that are known in every row.
      going_on: `progress`, `keep` and `begun` of `Imputer._fit`.

    Raises:
      InputError: the table cannot be learned from.
    """
    with _in_words(path, say):
        keys = {"covariates": list(covariates)} if covariates else {}
        return imputer._fit(table, **keys, **going_on)


# Filling.


def read_alike(path: str, options: Options, record: dict[str, Any]) -> tuple[Table, list[str]]:
    """Read another table of the kind that an imputer was fitted on.

    What was said then about markers of holes, the columns of time and labels, and the order of
    dates is true for this one too, unless something else is said now.

    Args:
      path: the file.
      options: what is said now.
      record: of the fit.

    Returns:
      The table, and notes on what was taken from the fit.

    Raises:
      InputError: it cannot be read.
    """
    said = _said(record)
    if options.time is None and record["time"]:
        said["time"] = record["time"]
    chosen = {}
    for name in _SAME_FOR_ALL:
        if getattr(options, name) in (None, ()) and said[name] not in (None, ()):
            chosen[name] = said[name]
    if reading.extension(path) in reading.ARRAYS:
        chosen = {name: value for name, value in chosen.items() if name == "missing"}
    notes = [
        "as in the run: " + " ".join(f"--missing {marker}" for marker in value)
        for name, value in chosen.items()
        if name == "missing"
    ]
    while True:
        try:
            return reading.read(path, dataclasses.replace(options, **chosen)), notes
        except roles.NoSuchColumn as error:
            if chosen.pop(error.option, None) is None:
                raise
            if error.option == "group":
                notes.append(f"no column {quoted(said['group'])}: taken for one series")


def _said(record):
    """The options of the fit; JSON has made a list of the markers."""
    return {**record["options"], "missing": tuple(record["options"]["missing"])}


def read_again(
    path: str, options: Options, record: dict[str, Any]
) -> tuple[Table, list[str], bool]:
    """Read the table of a fit once more, or another one like it.

    Args:
      path: the file.
      options: what is said now.
      record: of the fit.

    Returns:
      The table, notes on what was taken from the fit, and whether it is the table of the fit.

    Raises:
      InputError: it cannot be read.
    """
    said = _said(record)
    now = {name: value for name, value in vars(options).items() if value not in (None, ())}
    if any(said[name] is not None for name in said if name not in _SAME_FOR_ALL):
        with contextlib.suppress(InputError):
            table = reading.read(path, Options(**{**said, **now}))
            if table.sha256() == record["sha256"]:
                return table, [], True
    table, notes = read_alike(path, options, record)
    return table, notes, table.sha256() == record["sha256"]


class Believed(NamedTuple):
    """A table and what its holes are believed to hold, in the imputer's columns.

    Attributes:
      names: of the D columns.
      values: (n, D); NaN in the holes. Sequences stand under one another.
      filled: the same with the fills.
      low, high: between which the missing values lie with the probability asked for.
    """

    names: list[str]
    values: np.ndarray
    filled: np.ndarray
    low: np.ndarray
    high: np.ndarray


def believe(
    imputer: Imputer,
    table: Table,
    source: str,
    record: dict[str, Any],
    level: float,
    say: Callable[[str], None],
) -> Believed:
    """Fill the holes of a table, and say how sure that is.

    Args:
      imputer: fitted.
      table: from the file.
      source: the file, for messages.
      record: of the fit.
      level: of the intervals.
      say: receives notes.

    Raises:
      InputError: the table does not fit the imputer.
    """
    part, place = _part(imputer, table, source, record, say)
    with _in_words(source, say):
        filled = imputer.transform(part)
        low, high = imputer.interval(part, level)
    values = table.values[:, place]
    parts = (np.where(np.isnan(values), one.values, values) for one in (filled, low, high))
    return Believed([str(name) for name in imputer._names], values, *parts)


def _part(imputer, table, source, record, say):
    """(The table in the columns of the fit, where in the table those are that are filled)."""
    place = matching.columns(table, record, source, say)
    matching.check_times(table, record, source)
    place = np.arange(len(table.names)) if place is None else place
    part = table.only([table.names[i] for i in place])
    known = tuple(imputer._names)  # all of them, but for covariates
    part = dataclasses.replace(
        part, names=known if len(known) == len(place) else tuple(record["columns"])
    )
    return part, place[[part.names.index(name) for name in known]]


def fill(
    imputer: Imputer,
    table: Table,
    source: str,
    filling: Filling,
    record: dict[str, Any],
    say: Callable[[str], None],
) -> None:
    """Fill the holes of a table and write it.

    Args:
      imputer: fitted.
      table: from the file.
      source: the file, for messages.
      filling: what to write; `check` has accepted it.
      record: of the fit.
      say: receives what was done, and notes.

    Raises:
      InputError: the table does not fit the imputer, or a file cannot be written.
    """
    part, place = _part(imputer, table, source, record, say)
    sides: Any = ()
    with _in_words(source, say):
        filled, wanted = imputer.transform(part, max_gap=filling.max_gap, flag=True)
        results = [filled]
        if filling.samples is not None:
            results = imputer.sample(part, filling.samples, filling.seed)
        if filling.interval is not None:
            sides = imputer.interval(part, filling.interval)
    wholes = [_whole(table, place, one.values, wanted) for one in results]
    done = np.isnan(table.stacked) & ~np.isnan(wholes[0])
    is_array = reading.extension(source) in reading.ARRAYS
    files = targets(filling, is_array)
    if filling.samples is not None and is_array:
        wholes = [np.stack(wholes)]
    sides = [_whole(table, place, side.values, wanted) for side in sides]
    sides = [np.where(done, side, np.nan) for side in sides] or None
    for file, whole in zip(files, wholes):
        writing.write(file, table, whole, done if filling.flag else None, sides)
    say(_summary(files, source, table, done))


def _summary(files, source, table, done):
    missing, count = np.count_nonzero(np.isnan(table.values)), np.count_nonzero(done)
    shown = files[0] if len(files) == 1 else f"{files[0]} to {files[-1]}"
    if not missing:
        return f"{shown}: nothing was missing in {source}; a copy"
    rest = f"; {missing - count} stay empty" if count < missing else ""
    return f"{shown}: {count} of {done.size} entries of {source} filled{rest}"


def _whole(table, place, values, wanted):
    """All of the table, in its shape: other columns, and what was not wanted, as they are."""
    whole = table.values.copy()
    old = table.values[:, place]
    whole[:, place] = np.where(wanted & np.isfinite(values), values, old)
    return whole.reshape(table.shape)


@contextlib.contextmanager
def _in_words(path: str, say: Callable[[str], None]) -> Iterator[None]:
    """Warnings of the imputer become notes, and its errors one line about the file."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always", UserWarning)
        try:
            yield
        except InputError:
            raise
        except (ValueError, TypeError) as error:
            reason = printable((str(error).strip() or type(error).__name__).splitlines()[0])
            raise InputError(f"{path}: {reason.removeprefix('data: ')}") from error
        except FloatingPointError as error:
            raise InputError(
                f"{path}: training did not succeed ({error}); are there values that are far too "
                "large? Name them with --missing"
            ) from error
        except MemoryError:
            raise InputError(f"{path}: too large for the memory of this computer") from None
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            say(f"note: {path}: {printable(warning.message)}")
