"""SingleRes: NAOMI's encoder with one head, decoding left to right (the paper's ablation).

x_{t+1} is decoded from hf_t and hb_{t+2}, where the backward states still see the original mask. That is
NAOMI with R = 1: every gap is filled from its left end in blocks of one step, and blocks of one step
update no backward state. Trained without the adversary this is close to BRITS (Cao et al., 2018).
"""

import dataclasses

import chex

from naomi_jax.methods import losses
from naomi_jax.recursion import impute as imputation
from naomi_jax.recursion import model

impute = imputation.impute
teacher_forced = losses.teacher_forced


def init(key: chex.PRNGKey, config: model.ModelConfig, **options) -> model.Params:
    """Fresh parameters; `config.levels` is ignored, there is one. Options as naomi_jax.init's."""
    return model.init(key, dataclasses.replace(config, levels=1), **options)
