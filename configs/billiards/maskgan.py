"""Billiards with MaskGAN: autoregressive, against a discriminator of every step.

python train.py --dataset billiards --method maskgan
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.maskgan import MaskGanSettings
from naomi_jax.training.settings import Adversary, Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="billiards"),
        method=MaskGanSettings(
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
