"""The folder in which what was learned from a table is kept, whole or as far as it is."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from naomi_jax import calling
from naomi_jax.errors import InputError
from naomi_jax.imputer import saving
from naomi_jax.imputer.imputer import Imputer
from naomi_jax.jobs import learning, wording
from naomi_jax.runs import folder, lock
from naomi_jax.store import trees
from naomi_jax.version import __version__

PARTIAL = "partial"


def found(workdir: str, about: dict[str, Any]) -> Imputer | None:
    """What was learned before from this table in this way; None where nothing was.

    Args:
      workdir: the folder.
      about: the record of the table and of the settings.

    Raises:
      InputError: the folder holds something else.
    """
    folder.check_kind(workdir, "imputer")
    if folder.kind(workdir) is None:
        return None
    was, differences = saving.read_about(workdir)["record"], []
    if was.get("sha256") != about["sha256"]:
        if not was or was["file"] != about["file"]:
            differences.append(f"another table, {was.get('file', 'of a program of yours')}")
        elif was["options"] != json.loads(json.dumps(about["options"])):
            words = [wording.reading(record) or "no flags" for record in (was, about)]
            differences.append(f"the file read with {words[0]}, now {words[1]}")
        else:
            differences.append("other values in the file")
    differences += learning.changes(was.get("settings", {}), about["settings"])
    if differences:
        again = calling.impute(calling.quoted(workdir), "TABLE", "FILLED")
        raise InputError(
            f"{workdir} holds what was learned from other data or with other settings "
            f"({'; '.join(differences)}); choose another --workdir, or delete this folder to learn "
            f"anew; {again} fills with what was learned"
        )
    return Imputer.load(workdir)


@contextlib.contextmanager
def learning_in(workdir: str) -> Iterator[None]:
    """The lock of a folder in which nothing was learned yet.

    What was made for a fit that does not end is taken away. After Ctrl-C what was learned so far
    stays, if anything was; the KeyboardInterrupt says so.

    Raises:
      InputError: somebody else learns in it, or has learned.
    """
    locked = os.path.exists(os.path.join(workdir, lock.FILE))
    made, place = [], os.path.abspath(workdir)
    while not os.path.exists(place):
        made.append(place)
        place = os.path.dirname(place)
    with lock.training_in(workdir):
        # Only now: a training that ended a moment ago may have left its files.
        before = {*os.listdir(workdir)} - (set() if locked else {lock.FILE})
        begun_before = trees.exists(workdir, PARTIAL)
        try:
            if folder.kind(workdir) is not None:
                raise InputError(
                    f"{workdir} holds another run; choose another --workdir, or delete it"
                )
            yield
        except BaseException as error:
            if saving.exists(workdir):  # learned to the end: what came then changes nothing of it
                raise
            partial = trees.exists(workdir, PARTIAL)
            if partial and isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(
                    f"stopped; what was learned so far is kept in {workdir}; the same command "
                    "goes on"
                ) from None
            with contextlib.suppress(OSError):
                if not begun_before:
                    trees.remove_tree(workdir, PARTIAL)
                for name in set(os.listdir(workdir)) - before:
                    if name == lock.FILE or saving.is_part(name):
                        os.remove(os.path.join(workdir, name))
                for place in made:
                    os.rmdir(place)
            raise


# A fit that is not at its end.


def keep(workdir: str, about: dict[str, Any], partial: dict[str, Any]) -> None:
    """Keep what a fit has learned so far, in place of what was kept before.

    Args:
      workdir: the folder.
      about: the record of the table and of the settings.
      partial: what `Imputer._fit` hands to `keep`.

    Raises:
      InputError: it cannot be written.
    """
    trees.write_tree(workdir, PARTIAL, {"candidates": partial}, _key(about), saving.classes())


def begun(workdir: str, about: dict[str, Any], say: Callable[[str], None]) -> Any:
    """What an earlier fit of the same table with the same settings has learned; None: nothing.

    Args:
      workdir: the folder.
      about: the record of the table and of the settings.
      say: receives what came of it.
    """
    if not trees.exists(workdir, PARTIAL):
        return None
    try:
        kept = trees.read_tree(workdir, PARTIAL, saving.classes())
    except InputError:
        say(f"note: what was kept in {workdir} cannot be used: learning anew")
        forget(workdir)
        return None
    if kept.record != _key(about):
        say(f"note: {workdir} holds the beginning of another fit: learning anew")
        forget(workdir)
        return None
    say(f"Going on with what is kept in {workdir}")
    return kept.tree["candidates"]


def forget(workdir: str) -> None:
    """Take away what `keep` has kept: the fit is at its end."""
    trees.remove_tree(workdir, PARTIAL)


def _key(about):
    """What must be the same for a fit to go on."""
    key = {"sha256": about["sha256"], "settings": about["settings"], "version": __version__}
    return json.loads(json.dumps(key))
