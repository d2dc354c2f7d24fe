"""A plain autoregressive RNN: MaskGAN's generator without an adversary."""

import dataclasses

from naomi_jax.methods import registry
from naomi_jax.methods.method import Method
from naomi_jax.methods.shared import autoregressive


@dataclasses.dataclass(frozen=True)
class RnnSettings(autoregressive.AutoregressiveSettings):
    """Sizes of an RNN."""


RNN = registry.register(
    Method(
        name="rnn",
        title="RNN",
        impute=autoregressive.impute,
        settings=RnnSettings,
        init=autoregressive.init,
        losses={"teacher_forced": autoregressive.teacher_forced},
        color="#7a4419",
        dashes=(0, (6, 1, 1, 1)),
    )
)
