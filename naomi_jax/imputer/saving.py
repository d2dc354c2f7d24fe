"""A fitted imputer in a folder: arrays.npz, and imputer.json with the checksums of both."""

import dataclasses
import hashlib
import io
import json
import os
from typing import Any

import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.errors import InputError
from naomi_jax.imputer.blend import Blend
from naomi_jax.imputer.calendar import Calendar
from naomi_jax.imputer.engine import Engine
from naomi_jax.imputer.fitting import ColumnReport
from naomi_jax.imputer.residuals import Residuals
from naomi_jax.imputer.scaling import Scaling
from naomi_jax.imputer.season import Profile
from naomi_jax.imputer.state_space import StateSpace
from naomi_jax.parallel.hiding import Hiding
from naomi_jax.version import __version__

FILE = "imputer.json"
_ARRAYS = "arrays.npz"
# What an engine is made of. Nothing else is ever constructed from a file.
_PARTS = {
    part.__name__: part
    for part in (Blend, Calendar, Engine, Profile, Residuals, Scaling, StateSpace)
}


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
    engine = _encoded(imputer._engine, "engine", arrays)
    arrays["some"] = imputer._some
    arrays["covariates"] = np.stack(imputer._covariates)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    settings = imputer.get_params()
    if settings["hiding"] is not None:
        settings["hiding"] = dataclasses.asdict(settings["hiding"])
    about = {
        "version": __version__,
        "sha256": hashlib.sha256(content.getvalue()).hexdigest(),
        "settings": settings,
        "names": [name.item() if isinstance(name, np.generic) else name for name in imputer._names],
        "layout": imputer._layout,
        "report": [dataclasses.asdict(report) for report in imputer._reports],
        "record": record or {},
        "engine": engine,
    }
    try:
        text = json.dumps({**about, "sha256_of_this": _sha256(about)}, indent=2)
    except TypeError as error:
        raise InputError(
            f"{folder}: the names of the columns cannot be saved ({error}); use strings or numbers"
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


def _encoded(value, path, arrays):
    """A part of an engine as JSON; its arrays go into `arrays` under the path of their field."""
    if dataclasses.is_dataclass(value):
        fields = {
            name: _encoded(part, f"{path}/{name}", arrays) for name, part in vars(value).items()
        }
        return {"part": type(value).__name__, "fields": fields}
    if isinstance(value, dict):
        return {"dict": {k: _encoded(v, f"{path}/{k}", arrays) for k, v in value.items()}}
    if isinstance(value, (tuple, list)):
        return [_encoded(part, f"{path}/{i}", arrays) for i, part in enumerate(value)]
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "shape"):  # of numpy or JAX
        arrays[path] = np.asarray(value)
        return {"array": path}
    return value


def _decoded(value, arrays):
    """What `_encoded` was given, with tuples for lists."""
    if isinstance(value, list):
        return tuple(_decoded(part, arrays) for part in value)
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "dict" in value:
        return {name: _decoded(part, arrays) for name, part in value["dict"].items()}
    fields = {name: _decoded(part, arrays) for name, part in value["fields"].items()}
    return _PARTS[value["part"]](**fields)


def _sha256(about):
    """Of all that imputer.json says: an edited one would fill with something else in silence."""
    rest = {name: value for name, value in about.items() if name != "sha256_of_this"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_about(folder: str | os.PathLike) -> dict[str, Any]:
    """imputer.json.

    Raises:
      InputError: there is none, or it is damaged.
    """
    path = os.path.join(folder, FILE)
    try:
        with open(path, encoding="utf-8") as file:
            about = json.load(file)
        if not isinstance(about, dict):
            raise ValueError("not an object")
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: no imputer in it (no {FILE})") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}); fit again") from error
    if about.get("sha256_of_this") != _sha256(about):
        raise InputError(f"{path}: edited or damaged (its checksum differs); fit again")
    return about


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
    try:
        if hashlib.sha256(content).hexdigest() != about["sha256"]:
            raise InputError(f"{path}: damaged (its checksum is not that in {FILE}); fit again")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _build(kind, about, arrays)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(
            f"{os.path.join(folder, FILE)}: damaged ({type(error).__name__}: {error}); fit again"
        ) from error


def _build(kind, about, arrays):
    settings = dict(about["settings"])
    if settings["hiding"] is not None:
        settings["hiding"] = Hiding(**settings["hiding"])
    imputer = kind(**settings)
    imputer._engine = _decoded(about["engine"], arrays)
    names = tuple(about["names"])
    if len(names) != len(arrays["some"]):
        raise ValueError("names and arrays do not go together")
    imputer._names, imputer._some = names, arrays["some"]
    imputer._layout = dict(about["layout"])
    imputer._covariates = tuple(arrays["covariates"])
    imputer._reports = [ColumnReport(**report) for report in about["report"]]
    imputer.n_features_in_ = len(names)
    if not all(isinstance(name, int) for name in names):
        imputer.feature_names_in_ = np.array(names, dtype=object)
    return imputer
