"""Learn from a table in a file, or find what was learned before, and fill it."""

from collections.abc import Callable
from typing import Any

from naomi_jax import calling
from naomi_jax.errors import InputError
from naomi_jax.imputer import saving
from naomi_jax.imputer.imputer import Imputer
from naomi_jax.jobs import filling, kept, wording
from naomi_jax.jobs.learning import Learning
from naomi_jax.jobs.wanted import Filling
from naomi_jax.progress import Progress
from naomi_jax.tables.files import reading
from naomi_jax.tables.options import Options
from naomi_jax.tables.table import Table

_LEARNING, _FILLING = 0.02, 0.95  # shares of the time at which these begin


def fill(
    path: str,
    wanted: Filling,
    options: Options,
    learning: Learning,
    workdir: str,
    say: Callable[[str], None],
    progress: Progress,
) -> None:
    """Read, learn or find what was learned, fill, write.

    Args:
      path: the table.
      wanted: what to write; `wanted.check` has accepted it.
      options: how to read the table.
      learning: how to learn from it.
      workdir: where what was learned is kept.
      say: receives what is found and done.
      progress: is told how far it is.

    Raises:
      InputError: something given cannot be used; nothing was written.
      KeyboardInterrupt: with words where something was kept.
    """
    table = reading.read(path, options)
    for note in table.notes:
        say(f"{path}: {note}")
    filling.check_values(path, table)
    filling.check_names(path, table, wanted, learning.covariates)
    about = {**filling.record_of(path, table, options), "settings": learning.record()}
    imputer = kept.found(workdir, about)
    if imputer is None:
        say(f"Learning from {wording.about(about)}")
        imputer = _learn(path, table, learning, workdir, about, say, progress)
        say(f"Kept in {workdir}\n")
    else:
        say(f"Learned before from {wording.about(about)}\nKept in {workdir}\n")
    for line in wording.report(imputer):
        say(line)
    say("")
    progress.stage("filling", _FILLING)
    filling.fill(imputer, table, path, wanted, about, say)
    again = calling.impute(calling.quoted(workdir), "OTHER.csv", "FILLED.csv")
    say(f"\nNext: fill another table of this kind with\n  {again}")


def _learn(path, table, learning, workdir, about, say, progress):
    if len(table.values) and table.values.shape[-2] < 2:
        raise InputError(f"{path}: one row; at least 2 are needed to learn from")
    with kept.learning_in(workdir):
        begun = kept.begun(workdir, about, say)
        progress.stage("learning", _LEARNING)
        imputer = fitted(
            Imputer,
            table,
            path,
            learning,
            say,
            progress=progress.part(_LEARNING, _FILLING),
            keep=lambda partial: kept.keep(workdir, about, partial),
            begun=begun,
        )
        saving.save(imputer, workdir, about)
        kept.forget(workdir)
    return imputer


def fitted(
    kind: Callable[..., Any],
    table: Table,
    path: str,
    learning: Learning,
    say: Callable[[str], None],
    **going_on: Any,
) -> Any:
    """An imputer that has learned from a table.

    Args:
      kind: `Imputer`.
      table: from the file.
      path: of the file, for messages.
      learning: how to learn from it.
      say: receives notes.
      going_on: `progress`, `keep` and `begun` of `Imputer._fit`.

    Raises:
      InputError: the table cannot be learned from.
    """
    with filling._in_words(path, say):
        imputer = kind(**learning.arguments(table.names))
    return filling.fit(imputer, table, path, say, learning.covariates, **going_on)
