"""Traffic with MaskGAN: autoregressive, against a discriminator of every step.

python train.py --dataset traffic --method maskgan
"""

from naomi_jax.data.masks import Masks
from naomi_jax.data.transforms.chain import Transforms
from naomi_jax.methods.maskgan import MaskGanSettings
from naomi_jax.training.settings import Adversary, Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="traffic", window=144, stride=24),
        method=MaskGanSettings(
            hidden=128,
            layers=1,
            head_hidden=128,
        ),
        transforms=Transforms(
            standardize="step",
        ),
        masks=MaskPair(train=Masks(missing=(122, 140)), test=Masks(missing=(122, 140))),
        phases=(
            Phase("teacher_forced", 3, Optimizer(scale_inputs=True)),
            Phase(
                "squared_error",
                60,
                Optimizer(learning_rate=0.003, warmup_epochs=1, clip=1.0, scale_inputs=True),
            ),
            Phase("discriminator", 3),
            Phase("adversarial", 10, Optimizer(learning_rate=0.0001, schedule="constant")),
        ),
        adversary=Adversary(hidden=64),
        batch_size=8,
        eval_epochs=5,
    )
