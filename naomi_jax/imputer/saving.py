"""A fitted imputer in a folder: imputer.json and its arrays (store.trees).

What the engine is made of is found from its own fields, so a part that is added is saved with it.
"""

import contextlib
import numbers
import os
from typing import Any

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.imputer.engine import Engine
from naomi_jax.imputer.judging.report import Report
from naomi_jax.imputer.models import registry
from naomi_jax.parallel.hiding import Hiding
from naomi_jax.store import packing, trees

NAME = "imputer"
FILE = f"{NAME}.json"
_FORMERLY = "arrays.npz"  # of one that an earlier version has saved


def classes() -> dict[str, type]:
    """What an imputer is made of; candidates that were registered among it."""
    return packing.classes(Engine, Report, Hiding, *registry.kinds().values())


def exists(folder: str | os.PathLike) -> bool:
    """Whether there is an imputer in the folder."""
    return trees.exists(folder, NAME)


def is_part(file: str) -> bool:
    """Whether a file of this name belongs to a saved imputer."""
    return file == _FORMERLY or trees.is_of_tree(file, NAME)


def save(imputer: Any, folder: str | os.PathLike, record: dict[str, Any] | None = None) -> None:
    """Write a fitted imputer; the folder is made.

    One that is there is replaced as a whole: whoever opens the folder meanwhile, or after this was
    killed, finds the one or the other.

    Args:
      imputer: fitted.
      folder: where to.
      record: more to keep, such as the file that it was fitted on; JSON.

    Raises:
      InputError: it cannot be written.
    """
    tree = {"settings": _settings(imputer), "fitted": _state(imputer)}
    try:
        trees.write_tree(folder, NAME, tree, record, classes())
    except TypeError as error:
        raise InputError(
            f"{folder}: cannot be saved ({error}); names of columns are strings or numbers"
        ) from None
    with contextlib.suppress(OSError):
        os.remove(os.path.join(folder, _FORMERLY))


def _settings(imputer):
    """The constructor's arguments; lengths of time as text, which it takes too."""
    settings, several = imputer.get_params(), (list, tuple)
    period = settings["period"]
    parts = [_as_text(one) for one in (period if isinstance(period, several) else [period])]
    return {**settings, "period": parts if isinstance(period, several) else parts[0]}


def _as_text(period):
    """A length of time as text; a number, text or None as it is."""
    number = isinstance(period, numbers.Real) and not isinstance(period, np.timedelta64)
    if number or isinstance(period, str) or period is None:
        return period
    import pandas as pd

    return str(pd.Timedelta(period))


def _state(imputer):
    """All that `fit` leaves, but what follows from it."""
    return {
        "engine": imputer._engine,
        "some": imputer._some,
        "covariates": imputer._covariates,
        "names": tuple(imputer._names),
        "layout": imputer._layout,
        "report": imputer._report,
    }


def read_about(folder: str | os.PathLike) -> dict[str, Any]:
    """The record of a saved imputer: "version", and "record", what was kept beside it.

    Raises:
      InputError: there is none, or it is damaged or edited.
    """
    return trees.read_about(folder, NAME)


def load(kind: type, folder: str | os.PathLike) -> Any:
    """The imputer in a folder.

    Args:
      kind: its class.
      folder: where `save` wrote.

    Raises:
      InputError: there is none, or it is damaged or edited.
    """
    found = trees.read_tree(folder, NAME, classes())
    try:
        imputer = kind(**found.tree["settings"])
        imputer._remember(**found.tree["fitted"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise trees.other_version(folder, found.version, error) from error
    return imputer
