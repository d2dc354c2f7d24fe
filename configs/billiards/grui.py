"""Billiards with GRUI: a state that fades, a discriminator of whole sequences.

python train.py --dataset billiards --method grui
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.grui import GruiSettings
from naomi_jax.training.settings import Adversary, Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="billiards"),
        method=GruiSettings(
            hidden=96,
            layers=1,
            head_hidden=96,
        ),
        transforms=Transforms(
            symmetries=True,
        ),
        masks=MaskPair(train=Masks(missing=(180, 195)), test=Masks(missing=(180, 195))),
        phases=(
            Phase("teacher_forced", 6),
            Phase("squared_error", 30, Optimizer(learning_rate=0.002, warmup_epochs=1, clip=1.0)),
            Phase("discriminator", 1.62),
            Phase("adversarial", 3, Optimizer(learning_rate=0.0001, schedule="constant")),
        ),
        adversary=Adversary(hidden=64),
        batch_size=64,
        eval_epochs=2,
    )
