"""Another table than that of the fit: which of its columns is which, and whether its times fit."""

from collections.abc import Callable
from typing import Any

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.tables.printable import quoted
from naomi_jax.tables.table import Table


def columns(
    table: Table, record: dict[str, Any], source: str, say: Callable[[str], None]
) -> np.ndarray | None:
    """The table's column for each of the imputer's; None where they are the same.

    Args:
      table: to be filled.
      record: of the fit.
      source: the table's file, for messages.
      say: receives what was assumed, and which columns are carried through.

    Raises:
      InputError: one is missing; or the columns have no names, and are more or fewer.
    """
    known, found = record["columns"], list(table.names)
    if len(table.shape) == 3 or found == known:
        if len(found) != len(known):
            raise InputError(_other_count(source, found, known))
        return None
    plain = _is_numbered(found), _is_numbered(known)
    if all(plain):
        raise InputError(_other_count(source, found, known))
    missing = [name for name in known if name not in found]
    if missing and any(plain):
        if len(found) != len(known):
            raise InputError(_other_count(source, found, known))
        say(f"{source}: columns by their order: " + _pairs(found, known))
        return np.arange(len(known))
    if missing:
        raise InputError(
            f"{source}: no column of numbers {', '.join(map(quoted, missing[:5]))}"
            f"{f' and {len(missing) - 5} others' if len(missing) > 5 else ''}, which the run was "
            f"fitted on; the file has {', '.join(map(quoted, found[:10]))}"
        )
    extra = [name for name in found if name not in known]
    if extra:
        say(
            f"{source}: not among the columns of the run, carried through untouched: "
            + ", ".join(map(quoted, extra[:20]))
        )
    return np.array([found.index(name) for name in known])


def _is_numbered(names):
    """Whether they are those of a file that has no names."""
    return list(names) == list(map(str, range(len(names))))


def _other_count(source, found, known):
    return f"{source}: {len(found)} columns of numbers; the run was fitted on {len(known)}"


def _pairs(found, known):
    shown = ", ".join(f"{quoted(a)} is {quoted(b)}" for a, b in list(zip(found, known))[:5])
    return f"{shown}{', ...' if len(known) > 5 else ''}"


def check_times(table: Table, record: dict[str, Any], source: str) -> None:
    """Refuse times of another kind than those of the fit: steps would have another length.

    Raises:
      InputError: the table has none, or numbers where there were dates.
    """
    if record["time"] is None:
        return
    named = f" (there it was {quoted(record['time'])})" if record["time"] else ""
    if table.time is None:
        raise InputError(
            f"{source}: no column of times was found, and the run was fitted with one{named}; "
            "say which it is: --time NAME"
        )
    if (table.time.dtype.kind != "M") != record["numbers_as_time"]:
        words = ("dates", "numbers") if record["numbers_as_time"] else ("numbers", "dates")
        raise InputError(
            f"{source}: its times are {words[0]}, and the run was fitted with {words[1]}{named}"
        )
