"""NAOMI in JAX: fill long gaps in sequences, coarse to fine.

params = naomi_jax.init(key, naomi_jax.ModelConfig(dim=2))
filled = naomi_jax.impute(params, x, mask, key)

Or, for a table with holes: filled = naomi_jax.Imputer().fit(table).transform(table)
"""

import importlib
from typing import TYPE_CHECKING

from naomi_jax.version import __version__

if TYPE_CHECKING:
    from naomi_jax.imputer.imputer import Imputer
    from naomi_jax.recursion.decoding.schedule import Schedule, make_schedule
    from naomi_jax.recursion.impute import impute
    from naomi_jax.recursion.model import ModelConfig, init, to_bfloat16
    from naomi_jax.recursion.torch_import import from_torch
    from naomi_jax.runs.opening import load

__all__ = [
    "Imputer",
    "ModelConfig",
    "Schedule",
    "__version__",
    "from_torch",
    "impute",
    "init",
    "load",
    "make_schedule",
    "to_bfloat16",
]
# Imported when they are asked for: JAX takes a second, and the command says something before.
_PLACES = {
    "Imputer": "imputer.imputer",
    "ModelConfig": "recursion.model",
    "Schedule": "recursion.decoding.schedule",
    "from_torch": "recursion.torch_import",
    "impute": "recursion.impute",
    "init": "recursion.model",
    "load": "runs.opening",
    "make_schedule": "recursion.decoding.schedule",
    "to_bfloat16": "recursion.model",
}


def __getattr__(name: str):
    if name not in _PLACES:
        raise AttributeError(f"module 'naomi_jax' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"naomi_jax.{_PLACES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
