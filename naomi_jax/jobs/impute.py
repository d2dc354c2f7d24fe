"""Fill a table in a file with what was learned from another one."""

from collections.abc import Callable
from typing import Any

from naomi_jax.errors import InputError
from naomi_jax.imputer import saving
from naomi_jax.imputer.imputer import Imputer
from naomi_jax.jobs import filling, wording
from naomi_jax.jobs.wanted import Filling
from naomi_jax.tables.options import Options


def impute(
    run: str, source: str, wanted: Filling, options: Options, say: Callable[[str], None]
) -> None:
    """Fill another table with what was learned.

    Args:
      run: folder of an imputer.
      source: the table.
      wanted: what to write; `wanted.check` has accepted it.
      options: how to read the table; what is not said is as in the fit.
      say: receives what is found and done.

    Raises:
      InputError: something given cannot be used; nothing was written.
    """
    imputer, about = load(run)
    table, notes = filling.read_alike(source, options, about)
    for note in (*notes, *table.notes):
        say(f"{source}: {note}")
    filling.check_values(source, table)
    filling.check_names(source, table, wanted)
    filling.fill(imputer, table, source, wanted, about, say)
    say(f"The run was fitted on {wording.about(about)}")


def show(run: str, say: Callable[[str], None]) -> None:
    """Say what an imputer was fitted on, and its report.

    Raises:
      InputError: it cannot be read.
    """
    imputer, about = load(run)
    say(f"Fitted on {wording.about(about)}")
    words = wording.reading(about)
    if words:
        say(f"Read with {words}")
    for line in wording.report(imputer, most=None):
        say(line)


def load(run: str) -> tuple[Imputer, dict[str, Any]]:
    """(the imputer, the record of its table).

    Raises:
      InputError: there is none, it is damaged, or it was not made by a command.
    """
    about = record_of(run)
    return Imputer.load(run), about


def record_of(run: str) -> dict[str, Any]:
    """The record of the table that an imputer was fitted on.

    Raises:
      InputError: there is none, it is damaged, or it was not made by a command.
    """
    about = saving.read_about(run).get("record")
    if not about:
        raise InputError(
            f"{run}: an imputer that was saved by a program of yours; load it with "
            "naomi_jax.Imputer.load"
        )
    return about
