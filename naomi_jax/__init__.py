"""NAOMI in JAX: fill long gaps in sequences, coarse to fine.

params = naomi_jax.init(key, naomi_jax.ModelConfig(dim=2))
filled = naomi_jax.impute(params, x, mask, key)

Or, for a table with holes: filled = naomi_jax.Imputer().fit(table).transform(table)
"""

from typing import TYPE_CHECKING

from naomi_jax.recursion.decoding.schedule import Schedule, make_schedule
from naomi_jax.recursion.impute import impute
from naomi_jax.recursion.model import ModelConfig, init, to_bfloat16
from naomi_jax.recursion.torch_import import from_torch
from naomi_jax.version import __version__

if TYPE_CHECKING:
    from naomi_jax.imputer.imputer import Imputer
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


def __getattr__(name: str):
    # These need orbax or optax, whose import takes longer than everything else here.
    if name == "load":
        from naomi_jax.runs.opening import load

        return load
    if name == "Imputer":
        from naomi_jax.imputer.imputer import Imputer

        return Imputer
    raise AttributeError(f"module 'naomi_jax' has no attribute {name!r}")
