"""All methods by name. A new one is a file that calls `register`; tables, figures and flags find it."""

import importlib

from naomi_jax.errors import InputError
from naomi_jax.methods.method import Method

# Files of this folder that register methods, in the order of the rows of a table.
_BUILT_IN = ("linear", "knn", "rnn", "grui", "maskgan", "single_res", "naomi")
_methods: dict[str, Method] = {}


def register(method: Method) -> Method:
    """Make a method known; rows of tables are in the order of registration.

    Raises:
      ValueError: another one has its name.
    """
    if _methods.setdefault(method.name, method) != method:
        raise ValueError(f"method {method.name!r}: there is another one of this name")
    return method


def every() -> tuple[Method, ...]:
    """All of them, in order."""
    _load()
    return tuple(_methods.values())


def trained() -> tuple[str, ...]:
    """Names of those that are trained."""
    return tuple(method.name for method in every() if method.settings)


def get(name: str) -> Method:
    """The method of that name.

    Raises:
      InputError: there is none.
    """
    _load()
    if name not in _methods:
        raise InputError(f"method: {name!r}; one of {', '.join(_methods)} is needed")
    return _methods[name]


def _load():
    """Import the built-in files; not at the top, because they import this one."""
    for name in _BUILT_IN:
        importlib.import_module(f"naomi_jax.methods.{name}")
