"""NAOMI in JAX: fill long gaps in sequences, coarse to fine.

params = naomi_jax.init(key, naomi_jax.ModelConfig(dim=2))
filled = naomi_jax.impute(params, x, mask, key)
"""

from naomi_jax.recursion.impute import impute
from naomi_jax.recursion.model import ModelConfig, init, to_bfloat16
from naomi_jax.recursion.schedule import Schedule, make_schedule
from naomi_jax.recursion.torch_import import from_torch
from naomi_jax.version import __version__

__all__ = [
    "ModelConfig",
    "Schedule",
    "__version__",
    "from_torch",
    "impute",
    "init",
    "make_schedule",
    "to_bfloat16",
]
