"""Runs of different kinds: which function does a command's job for a run's folder."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from naomi_jax import calling
from naomi_jax.errors import InputError

_WORDS = {"method": "complete sequences", "imputer": "a table with holes"}


def job(jobs: Mapping[str, Callable[..., Any]], runs: Sequence[str], command: str) -> Any:
    """The function for these runs.

    Args:
      jobs: for each kind of run that the command knows (`runs.folder.kind`), a function.
      runs: folders.
      command: its name.

    Raises:
      InputError: the command knows nothing of a run's kind, or the runs differ in it.
    """
    from naomi_jax.runs import folder

    # Of a folder without a run the reader of methods' runs says what is missing.
    kinds = [folder.kind(run) or "method" for run in runs]
    for run, kind in zip(runs, kinds):
        if kind not in jobs:
            again = calling.evaluate(calling.quoted(run))
            raise InputError(
                f"{run} was trained on {_WORDS[kind]}, and there is no {command} of such a run; "
                f"{again} prints its errors"
            )
        if kind != kinds[0]:
            raise InputError(
                f"{run} was trained on {_WORDS[kind]}, {runs[0]} on {_WORDS[kinds[0]]}; give a "
                "command for each"
            )
    return jobs[kinds[0]]
