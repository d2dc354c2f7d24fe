"""MaskGAN (Fedus et al., 2018) as the paper compares with it: a forward encoder, one resolution.

Autoregressive, and trained against a discriminator of every step, which makes it adversarial
imitation (the paper, section 4.1). Without the adversary it is a plain autoregressive RNN (rnn.py).
"""

import dataclasses

from naomi_jax.methods import registry
from naomi_jax.methods.rnn import RNN
from naomi_jax.methods.shared import autoregressive


@dataclasses.dataclass(frozen=True)
class MaskGanSettings(autoregressive.AutoregressiveSettings):
    """Sizes of MaskGAN's generator."""


MASKGAN = registry.register(
    dataclasses.replace(
        RNN,
        name="maskgan",
        title="MaskGAN",
        settings=MaskGanSettings,
        color="#b07c00",
        dashes="-.",
    )
)
