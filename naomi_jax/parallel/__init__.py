"""Level-parallel NAOMI: all missing entries of a level at once, at any time stamps.

params = parallel.init(key, parallel.ParallelConfig(dim=2))
filled = parallel.impute(params, x, mask, times=times)
"""

from naomi_jax.parallel.config import ParallelConfig
from naomi_jax.parallel.impute import impute
from naomi_jax.parallel.model import init
from naomi_jax.parallel.training import teacher_forced

__all__ = ["ParallelConfig", "impute", "init", "teacher_forced"]
