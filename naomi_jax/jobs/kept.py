"""The folder in which what was learned from a table is kept, whole or as far as it is."""

import contextlib
import dataclasses
import hashlib
import importlib
import io
import json
import os
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from naomi_jax import calling
from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError
from naomi_jax.imputer import saving
from naomi_jax.imputer.imputer import Imputer
from naomi_jax.jobs import learning, wording
from naomi_jax.runs import folder, lock
from naomi_jax.version import __version__

PARTIAL = "partial"
_FILES = ("imputer.json", "arrays.npz", PARTIAL)
# What arrays and numbers are made again with.
_MAKERS = {("copyreg", "_reconstructor"), ("builtins", "object"), ("builtins", "complex")}


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
        try:
            if folder.kind(workdir) is not None:
                raise InputError(
                    f"{workdir} holds another run; choose another --workdir, or delete it"
                )
            yield
        except BaseException as error:
            partial = os.path.exists(os.path.join(workdir, PARTIAL))
            if partial and isinstance(error, KeyboardInterrupt):
                raise KeyboardInterrupt(
                    f"stopped; what was learned so far is kept in {workdir}; the same command "
                    "goes on"
                ) from None
            with contextlib.suppress(OSError):
                for name in set(os.listdir(workdir)) - before:
                    if name in (lock.FILE, *_FILES):
                        os.remove(os.path.join(workdir, name))
                for place in made:
                    os.rmdir(place)
            raise


# A fit that is not at its end.


def keep(workdir: str, about: dict[str, Any], partial: Any) -> None:
    """Keep what a fit has learned so far, in place of what was kept before.

    Args:
      workdir: the folder.
      about: the record of the table and of the settings.
      partial: dicts, lists, dataclasses of this package, arrays and plain values.

    Raises:
      InputError: it cannot be written.
    """
    content = io.BytesIO()
    _Pickler(content, protocol=5).dump(partial)
    content = content.getvalue()
    head = {**_key(about), "content": hashlib.sha256(content).hexdigest()}
    with atomic_write(os.path.join(workdir, PARTIAL), mode="wb") as file:
        file.write(json.dumps(head).encode() + b"\n" + content)


def begun(workdir: str, about: dict[str, Any], say: Callable[[str], None]) -> Any:
    """What an earlier fit of the same table with the same settings has learned; None: nothing.

    Args:
      workdir: the folder.
      about: the record of the table and of the settings.
      say: receives what came of it.
    """
    try:
        with open(os.path.join(workdir, PARTIAL), "rb") as file:
            head, content = file.readline(), file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        say(f"note: what was kept in {workdir} cannot be read ({error.strerror}): learning anew")
        return None
    with contextlib.suppress(Exception):  # whatever a file that was changed brings about
        head = json.loads(head)
        if hashlib.sha256(content).hexdigest() == head.pop("content"):
            if head != _key(about):
                say(f"note: {workdir} holds the beginning of another fit: learning anew")
                return None
            partial = _Unpickler(io.BytesIO(content)).load()
            say(f"Going on with what is kept in {workdir}")
            return partial
    say(f"note: what was kept in {workdir} is damaged: learning anew")
    return None


def forget(workdir: str) -> None:
    """Take away what `keep` has kept: the fit is at its end."""
    with contextlib.suppress(OSError):
        os.remove(os.path.join(workdir, PARTIAL))


def _key(about):
    """What must be the same for a fit to go on."""
    key = {"sha256": about["sha256"], "settings": about["settings"], "version": __version__}
    return json.loads(json.dumps(key))


class _Pickler(pickle.Pickler):
    """Arrays of JAX become those of numpy: they need no device to be read."""

    def reducer_override(self, obj: Any) -> Any:
        if hasattr(obj, "__array__") and not isinstance(obj, (np.ndarray, np.generic, type)):
            return np.asarray(obj).__reduce_ex__(4)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    """Makes dataclasses of this package and arrays; a file from elsewhere can run nothing."""

    def find_class(self, module: str, name: str) -> Any:
        found = getattr(importlib.import_module(module), name) if _is_ours(module) else None
        if isinstance(found, type) and (dataclasses.is_dataclass(found) or _is_tuple(found)):
            return found
        if module.startswith("numpy") and name in (
            *("_reconstruct", "_frombuffer", "scalar", "ndarray", "dtype"),
        ):
            return super().find_class(module, name)
        if (module, name) in _MAKERS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not expected")


def _is_ours(module):
    return module.partition(".")[0] == "naomi_jax"


def _is_tuple(kind):
    """Whether it is a NamedTuple."""
    return issubclass(kind, tuple) and hasattr(kind, "_fields")
