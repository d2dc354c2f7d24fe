"""Your own file with MaskGAN: autoregressive, against a discriminator of every step.

python train.py --data FILE --method maskgan
"""

from naomi_jax.data.masks import Masks
from naomi_jax.methods.maskgan import MaskGanSettings
from naomi_jax.training.settings import Adversary, Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="files", window=128, stride=32),
        method=MaskGanSettings(
            hidden=128,
            layers=1,
            head_hidden=128,
        ),
        masks=MaskPair(train=Masks(share=(0.3, 0.95)), test=Masks(share=(0.3, 0.95))),
        phases=(
            Phase("teacher_forced", 3, Optimizer(scale_inputs=True)),
            Phase(
                "squared_error",
                60,
                Optimizer(learning_rate=0.003, warmup_epochs=1, clip=1.0, scale_inputs=True),
            ),
            Phase("discriminator", 2),
            Phase("adversarial", 10, Optimizer(learning_rate=0.0001, schedule="constant")),
        ),
        adversary=Adversary(hidden=64),
        batch_size=8,
        eval_epochs=5,
    )
