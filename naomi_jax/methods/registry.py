"""All methods by name. A new one is a file that calls `register`; tables and flags find it."""

import importlib

from naomi_jax.errors import InputError
from naomi_jax.methods.method import Method

# Files of this folder that register methods, in the order of the rows of a table.
_BUILT_IN = ("linear", "knn", "rnn", "grui", "maskgan", "single_res", "naomi", "naomi_parallel")
_methods: dict[str, Method] = {}


def register(method: Method) -> Method:
    """Make a method known.

    Raises:
      ValueError: another one has its name, or its class of settings, by which a run's is found.
    """
    settings = method.settings
    for other in _methods.values():
        if settings is not None and other.settings is settings and other.name != method.name:
            raise ValueError(
                f"method {method.name!r}: {settings.__name__} are the settings of "
                f"{other.name!r}; derive a class of its own"
            )
    if _methods.setdefault(method.name, method) != method:
        raise ValueError(f"method {method.name!r}: there is another one of this name")
    return method


def every() -> tuple[Method, ...]:
    """All of them, in the order of rows: those of naomi_jax, then others as registered."""
    _load()
    others = (name for name in _methods if name not in _BUILT_IN)
    return tuple(_methods[name] for name in (*_BUILT_IN, *others))


def trained() -> tuple[str, ...]:
    """Names of those that are trained."""
    return tuple(method.name for method in every() if method.settings)


def get(name: str) -> Method:
    """The method of that name.

    Raises:
      InputError: there is none.
    """
    known = {method.name: method for method in every()}
    if name not in known:
        raise InputError(f"method: {name!r}; one of {', '.join(known)} is needed")
    return known[name]


def _load():
    """Import the built-in files; not at the top, because they import this one."""
    for name in _BUILT_IN:
        importlib.import_module(f"naomi_jax.methods.{name}")
