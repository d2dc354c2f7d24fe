"""A tree of dataclasses, dicts, sequences, arrays and plain values as JSON and arrays, and back."""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

import numpy as np

Classes = Mapping[str, type]
Arrays = dict[str, np.ndarray]

_KINDS = "biufcmMSU"  # of arrays that an .npz file gives back as they were, without pickle


def classes(*kinds: type) -> dict[str, type]:
    """These dataclasses and NamedTuples and those that their fields can hold, by name."""
    found = {kind.__name__: kind for kind in kinds}
    for kind in kinds:
        for hint in typing.get_type_hints(kind).values():
            for part in (hint, *typing.get_args(hint)):
                if _has_fields(part) and part.__name__ not in found:
                    found = {**classes(part), **found}
    return found


def _has_fields(kind):
    """Whether it is a dataclass or a NamedTuple."""
    named = isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
    return named or (dataclasses.is_dataclass(kind) and isinstance(kind, type))


def pack(value: Any, classes: Classes, path: str = "tree") -> tuple[Any, Arrays]:
    """(what JSON can hold of a value, its arrays by their path in it).

    Args:
      value: None, bool, int, float, str, arrays of NumPy or JAX, and dicts, lists, tuples and
        `classes` of such. A NumPy scalar comes back as one of Python.
      classes: dataclasses and NamedTuples that may be in it, by name.
      path: of the value.

    Raises:
      TypeError: there is something else in it.
    """
    arrays: Arrays = {}
    return _packed(value, path, arrays, classes), arrays


def _packed(value, path, arrays, classes):
    def inside(part, name):
        return _packed(part, f"{path}/{name}", arrays, classes)

    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "__array__") and not _has_fields(type(value)):
        array = np.asarray(value)
        if array.dtype.kind in _KINDS:
            arrays[path] = array
            return {"array": path}
        raise TypeError(f"an array of {array.dtype} cannot be kept")
    name = type(value).__name__
    if classes.get(name) is type(value):
        fields = {field: inside(getattr(value, field), field) for field in _fields(value)}
        return {"class": name, "fields": fields}
    if isinstance(value, dict):  # pairs: a key may be a number
        pairs = enumerate(value.items())
        return {"dict": [[_packed(k, "", {}, classes), inside(v, n)] for n, (k, v) in pairs]}
    if type(value) in (list, tuple):
        return {name: [inside(part, n) for n, part in enumerate(value)]}
    raise TypeError(f"{name} is neither a string nor a number")


def _fields(value):
    if isinstance(value, tuple):
        return value._fields  # type: ignore[attr-defined]
    return [field.name for field in dataclasses.fields(value) if field.init]


def unpack(value: Any, arrays: Mapping[str, np.ndarray], classes: Classes) -> Any:
    """What `pack` was given.

    Raises:
      ValueError, TypeError, KeyError, AttributeError: nothing that `pack` made, or of classes that
        are not the same any more.
    """
    if not isinstance(value, dict):
        return value
    ((kind, inside), *more) = value.items()
    if kind == "array":
        return arrays[inside]
    if kind == "class":
        fields = dict(more)["fields"].items()
        return classes[inside](**{name: unpack(part, arrays, classes) for name, part in fields})
    if kind == "dict":
        return {unpack(k, arrays, classes): unpack(v, arrays, classes) for k, v in inside}
    return {"list": list, "tuple": tuple}[kind](unpack(part, arrays, classes) for part in inside)
