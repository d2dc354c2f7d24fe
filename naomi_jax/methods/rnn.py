"""A plain autoregressive RNN: MaskGAN's generator without an adversary."""

from naomi_jax.methods import autoregressive, registry
from naomi_jax.methods.method import Method

RNN = registry.register(
    Method(
        name="rnn",
        title="RNN",
        impute=autoregressive.impute,
        settings=autoregressive.AutoregressiveSettings,
        init=autoregressive.init,
        teacher_forced=autoregressive.teacher_forced,
        color="#7a4419",
        dashes=(0, (6, 1, 1, 1)),
    )
)
