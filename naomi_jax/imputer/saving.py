"""A fitted imputer in a folder: imputer.json and arrays.npz, both under checksums.

What the engine is made of is found from its own fields, so a part that is added is saved with it.
"""

import dataclasses
import hashlib
import io
import json
import os
import typing
from typing import Any

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError
from naomi_jax.imputer.engine import Engine
from naomi_jax.imputer.judging.judge import ColumnReport
from naomi_jax.parallel.hiding import Hiding
from naomi_jax.version import __version__

FILE = "imputer.json"
_ARRAYS = "arrays.npz"


def exists(folder: str | os.PathLike) -> bool:
    """Whether there is an imputer in the folder."""
    return os.path.exists(os.path.join(folder, FILE))


def save(imputer: Any, folder: str | os.PathLike, record: dict[str, Any] | None = None) -> None:
    """Write a fitted imputer; the folder is made.

    Args:
      imputer: fitted.
      folder: where to.
      record: more to keep, such as the file that it was fitted on; JSON.

    Raises:
      InputError: it cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        about = {
            "version": __version__,
            "settings": _packed(imputer.get_params(), "settings", arrays),
            "fitted": _packed(_state(imputer), "fitted", arrays),
            "record": record or {},
        }
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type]
        about["arrays"] = _digest(content.getvalue())
        text = json.dumps({**about, "checksum": _checksum(about)}, indent=2)
    except TypeError as error:
        raise InputError(
            f"{folder}: cannot be saved ({error}); names of columns are strings or numbers"
        ) from None
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from error
    # The arrays first: with the old imputer.json beside them the checksum says that they differ.
    with atomic_write(os.path.join(folder, _ARRAYS), mode="wb") as file:
        file.write(content.getvalue())
    with atomic_write(os.path.join(folder, FILE), mode="w", encoding="utf-8") as file:
        file.write(text)


def _state(imputer):
    """All that `fit` leaves, but what follows from it."""
    return {
        "engine": imputer._engine,
        "some": imputer._some,
        "covariates": imputer._covariates,
        "names": tuple(imputer._names),
        "layout": imputer._layout,
        "reports": list(imputer._reports),
    }


# A tree of dataclasses, dicts, sequences, arrays and plain values, and back.


def _classes(kind: type) -> dict[str, type]:
    """A dataclass and those that its fields can hold, by name."""
    found = {kind.__name__: kind}
    for hint in typing.get_type_hints(kind).values():
        for part in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(part) and isinstance(part, type):
                found.update(_classes(part))
    return found


_CLASSES = {**_classes(Engine), **_classes(ColumnReport), **_classes(Hiding)}


def _packed(value, path, arrays):
    """What JSON can hold of a value; its arrays go into `arrays`, by their path."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__array__"):
        arrays[path] = np.asarray(value)
        return {"array": path}
    if dataclasses.is_dataclass(value) and type(value).__name__ in _CLASSES:
        names = [field.name for field in dataclasses.fields(value)]
        fields = {n: _packed(getattr(value, n), f"{path}/{n}", arrays) for n in names}
        return {"class": type(value).__name__, "fields": fields}
    if isinstance(value, dict):  # pairs: a column's name may be a number
        pairs = enumerate(value.items())
        return {
            "dict": [[_packed(k, "", {}), _packed(v, f"{path}/{n}", arrays)] for n, (k, v) in pairs]
        }
    if isinstance(value, (list, tuple)):
        parts = [_packed(part, f"{path}/{n}", arrays) for n, part in enumerate(value)]
        return {"list" if isinstance(value, list) else "tuple": parts}
    raise TypeError(f"{type(value).__name__} is neither a string nor a number")


def _unpacked(value, arrays):
    if not isinstance(value, dict):
        return value
    ((kind, inside), *more) = value.items()
    if kind == "array":
        return arrays[inside]
    if kind == "class":
        fields = {name: _unpacked(part, arrays) for name, part in dict(more)["fields"].items()}
        return _CLASSES[inside](**fields)
    if kind == "dict":
        return {_unpacked(k, arrays): _unpacked(v, arrays) for k, v in inside}
    return {"list": list, "tuple": tuple}[kind](_unpacked(part, arrays) for part in inside)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _checksum(about: dict[str, Any]) -> str:
    """Of imputer.json, however it is laid out."""
    return _digest(json.dumps(about, sort_keys=True).encode())


# Reading.


def read_about(folder: str | os.PathLike) -> dict[str, Any]:
    """imputer.json, without its checksum, which is right.

    Raises:
      InputError: there is none, or it is damaged or edited.
    """
    path = os.path.join(folder, FILE)
    try:
        with open(path, encoding="utf-8") as file:
            about = json.load(file)
        if about.pop("checksum") != _checksum(about):
            raise ValueError("not its checksum")
        return about
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: no imputer in it (no {FILE})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path}: damaged or edited (not what was saved); fit again") from None


def load(kind: type, folder: str | os.PathLike) -> Any:
    """The imputer in a folder.

    Args:
      kind: its class.
      folder: where `save` wrote.

    Raises:
      InputError: there is none, or it is damaged or edited.
    """
    about = read_about(folder)
    path = os.path.join(folder, _ARRAYS)
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); fit again") from None
    if _digest(content) != about.get("arrays"):
        raise InputError(f"{path}: damaged (its checksum is not that in {FILE}); fit again")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _build(kind, about, arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # Both files are as they were written: another version wrote them.
        raise InputError(
            f"{folder}: saved by naomi_jax {about.get('version')}, which this version "
            f"({__version__}) cannot read ({type(error).__name__}); fit again"
        ) from error


def _build(kind, about, arrays):
    settings: Any = _unpacked(about["settings"], arrays)
    imputer = kind(**settings)
    fitted: Any = _unpacked(about["fitted"], arrays)
    imputer._remember(**fitted)
    return imputer
