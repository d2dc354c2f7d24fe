"""A fitted imputer in a folder: imputer.json and arrays.npz, whose checksum the first one has."""

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
from naomi_jax.imputer.cycles import Cycles
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
_PARTS = {"profile": Profile, "scaling": Scaling, "residuals": Residuals}
_STATE_SPACES = ("first", "second")


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
    engine = imputer._engine
    arrays = {f"params/{path}": leaf for path, leaf in _flat(engine.params or {})}
    for name in _PARTS:
        for field, value in vars(getattr(engine, name)).items():
            arrays[f"{name}/{field}"] = value
    if engine.state_space is not None:
        arrays |= _cycles_arrays(engine.state_space)
    if engine.error is not None:
        arrays["error"] = engine.error
    arrays["blend/weights"] = engine.blend.weights
    for name in ("spike", "low", "high", "constant"):
        arrays[name] = getattr(engine, name)
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
        "calendar": dataclasses.asdict(engine.calendar),
        "window": engine.window,
        "cycles": None if engine.state_space is None else list(engine.state_space.periods),
        "candidates": list(engine.blend.names),
        "report": [dataclasses.asdict(report) for report in imputer._reports],
        "record": record or {},
    }
    try:
        text = json.dumps(about, indent=2)
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


def _cycles_arrays(model):
    arrays = {} if model.shares is None else {"cycles/shares": model.shares}
    for name in _STATE_SPACES:
        part = getattr(model, name)
        if part is not None:
            arrays |= {f"cycles/{name}/{field}": value for field, value in vars(part).items()}
    return arrays


def _cycles(periods, arrays):
    if periods is None:
        return None
    parts = {}
    for name in _STATE_SPACES:
        fields = [field.name for field in dataclasses.fields(StateSpace)]
        if f"cycles/{name}/{fields[0]}" in arrays:
            parts[name] = StateSpace(**{f: arrays[f"cycles/{name}/{f}"] for f in fields})
    return Cycles(periods=tuple(periods), shares=arrays.get("cycles/shares"), **parts)


def _flat(tree, prefix=""):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", np.asarray(value)


def _nested(pairs):
    tree: dict[str, Any] = {}
    for path, value in pairs:
        *folders, name = path.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value
    return tree


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
        return about
    except FileNotFoundError:
        raise InputError(f"{folder}: no imputer in it (no {FILE})") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: damaged ({type(error).__name__}); fit again") from error


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
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(
            f"{os.path.join(folder, FILE)}: damaged ({type(error).__name__}: {error}); fit again"
        ) from error


def _build(kind, about, arrays):
    settings = dict(about["settings"])
    if settings["hiding"] is not None:
        settings["hiding"] = Hiding(**settings["hiding"])
    imputer = kind(**settings)
    parts = {
        name: part(**{f.name: arrays[f"{name}/{f.name}"] for f in dataclasses.fields(part)})
        for name, part in _PARTS.items()
    }
    params = _nested((k.removeprefix("params/"), v) for k, v in arrays.items() if "params/" in k)
    calendar = Calendar(**{**about["calendar"], "periods": tuple(about["calendar"]["periods"])})
    imputer._engine = Engine(
        calendar=calendar,
        **parts,
        **{name: arrays[name] for name in ("spike", "low", "high", "constant")},
        window=int(about["window"]),
        state_space=_cycles(about["cycles"], arrays),
        error=arrays.get("error"),
        params=params or None,
        blend=Blend(tuple(about["candidates"]), arrays["blend/weights"]),
    )
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
