"""SingleRes: NAOMI's encoder with one head, decoding left to right (the paper's ablation).

x_{t+1} is decoded from hf_t and hb_{t+2}, where the backward states still see the original mask.
That is NAOMI with R = 1: every gap is filled from its left end in blocks of one step, and blocks of
one step change no backward state. Trained without the adversary this is close to BRITS (Cao et al.,
2018).
"""

import dataclasses

from naomi_jax.fields import setting
from naomi_jax.methods import naomi, registry


def _only_one(value):
    return None if value == 1 else "SingleRes has 1"


@dataclasses.dataclass(frozen=True)
class SingleResSettings(naomi.NaomiSettings):
    """NAOMI's, with one level."""

    levels: int = setting(1, "Resolutions: SingleRes has one.", _only_one)


SINGLE_RES = registry.register(
    dataclasses.replace(
        naomi.NAOMI,
        name="single_res",
        title="SingleRes",
        settings=SingleResSettings,
        color="#0000a7",
        dashes="--",
    )
)
