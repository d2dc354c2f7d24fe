"""Basketball with MaskGAN: autoregressive, against a discriminator of every step.

python train.py --dataset basketball --method maskgan
"""

from naomi_jax.data.masks import Masks
from naomi_jax.methods.maskgan import MaskGanSettings
from naomi_jax.training.settings import Adversary, Data, MaskPair, Optimizer, Phase, Run


def get_config() -> Run:
    return Run(
        data=Data(name="basketball"),
        method=MaskGanSettings(
            hidden=128,
            layers=1,
            head_hidden=128,
            stochastic=True,
        ),
        masks=MaskPair(train=Masks(missing=(40, 49)), test=Masks(missing=(40, 49))),
        phases=(
            Phase("teacher_forced", 40, Optimizer(learning_rate=0.002, warmup_epochs=1)),
            Phase("squared_error", 5, Optimizer(learning_rate=0.0002, clip=1.0)),
            # At most 200 updates of the 2000 simulated plays.
            Phase("discriminator", 7.15),
            Phase("adversarial", 14, Optimizer(learning_rate=6e-05, schedule="constant")),
        ),
        adversary=Adversary(learning_rate=4e-4, step_gain=15.0, error_weight=10.0),
        batch_size=64,
        eval_epochs=5,
    )
