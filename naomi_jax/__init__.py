"""NAOMI in JAX: fill long gaps in sequences, coarse to fine.

    params = naomi_jax.init(key, naomi_jax.ModelConfig(dim=2))
    filled = naomi_jax.impute(params, x, mask, key)
"""

from naomi_jax.imputation import impute
from naomi_jax.model import ModelConfig, init
from naomi_jax.schedule import Schedule, make_schedule

__version__ = "0.1.0"

__all__ = ["ModelConfig", "Schedule", "impute", "init", "make_schedule"]
