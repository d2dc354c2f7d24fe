"""GRUI (Luo et al., 2018) as the paper compares with it: a GRU whose state fades with the time lag.

Before each step the state is multiplied by 1 / exp(max(0, w * lag + b)), where lag counts the steps
since the last shown one. Autoregressive; trained on complete sequences, against one discriminator
output for the whole sequence.
"""

import dataclasses
import functools

from naomi_jax.methods import registry
from naomi_jax.methods.networks import discriminator
from naomi_jax.methods.rnn import RNN
from naomi_jax.methods.shared import autoregressive


@dataclasses.dataclass(frozen=True)
class GruiSettings(autoregressive.AutoregressiveSettings):
    """Sizes of GRUI."""


GRUI = registry.register(
    dataclasses.replace(
        RNN,
        name="grui",
        title="GRUI",
        settings=GruiSettings,
        init=functools.partial(autoregressive.init, decay=True),
        judge=discriminator.sequence_logits,
        color="#008176",
        dashes=(0, (3, 1, 1, 1, 1, 1)),
    )
)
