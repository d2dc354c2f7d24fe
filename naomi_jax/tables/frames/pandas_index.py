"""The index of a pandas DataFrame: the times of its rows, and labels of series beside them."""

import datetime
from typing import Any

from naomi_jax.tables.columns import times
from naomi_jax.tables.frames import arguments
from naomi_jax.tables.frames.columns import Index
from naomi_jax.tables.printable import quoted


def read(index: Any, time: bool, group: bool) -> Index:
    """What an index tells.

    Args:
      index: of any kind.
      time, group: whether times and labels are looked for; else the user says them.

    Raises:
      ValueError: it has several levels, and not one of them is time.
    """
    if index.nlevels > 1:
        return _levels(index, time, group)
    if not time:
        return Index()
    called = index.name is not None and times.is_time_name(str(index.name))
    if _is_time(index) or (called and getattr(index.dtype, "kind", "O") in "iuf"):
        return Index(time=index)
    if str(index.dtype) not in ("object", "str", "string"):
        return Index()
    return _objects(index, called)


def _is_time(level):
    kind = getattr(level.dtype, "kind", "O")
    return kind in "mM" or str(level.dtype).startswith("period")


def _objects(index, called):
    """An index of dates as Python's objects, of text, or of other labels."""
    cells = [cell for cell in index if not arguments.is_hole(cell)]
    dates = bool(cells) and all(
        isinstance(cell, (datetime.date, datetime.timedelta)) for cell in cells
    )
    some = [cell for cell in cells if isinstance(cell, datetime.date) or _is_text_date(cell)]
    if not some and not dates and not (called and cells):
        return Index()
    reason = ""
    if dates or len(some) == len(index):
        try:
            return Index(time=arguments.time_values(index, len(index)))
        except ValueError as error:
            reason = f" ({str(error).removeprefix('time: ').split(';')[0]})"
    example = next((cell for cell in index if cell not in some), some[0] if some else index[0])
    note = (
        f"the index looks like times, but {quoted(example)} is not read as one{reason}: rows are "
        "taken to be equally far apart; convert it with pandas.to_datetime"
    )
    return Index(notes=(note,))


def _is_text_date(cell):
    return isinstance(cell, str) and times.is_date(cell.strip())


def _levels(index, time, group):
    """A level of times and others that tell series apart."""
    if not time and not group:
        return Index()
    levels = [index.get_level_values(number) for number in range(index.nlevels)]
    found = [number for number, level in enumerate(levels) if _is_time(level)]
    found = found or [number for number, level in enumerate(levels) if _may_be_time(level)]
    if len(found) != 1:
        if not time or not group:  # half of it is said, and the index tells no more
            return Index()
        names = ", ".join(quoted(name) for name in index.names)
        raise ValueError(
            f"data: an index of several levels ({names}), of which {len(found) or 'none'} "
            f"{'are' if len(found) != 1 else 'is'} time; hand over frame.reset_index() and say "
            "which columns are time= and group="
        )
    number = found[0]
    rest = index.droplevel(number)
    return Index(levels[number] if time else None, rest if group else None)


def _may_be_time(level):
    """Named like time, or dates as objects or text."""
    named = level.name is not None and times.is_time_name(str(level.name))
    cells = list(level[:20])
    dates = bool(cells) and all(isinstance(c, datetime.date) or _is_text_date(c) for c in cells)
    return named or dates
